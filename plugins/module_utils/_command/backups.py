# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups by hand, by the timers, and the list of restore points."""

from __future__ import annotations

import argparse
import json

from .._backup import listing, work
from .._tables import table
from .._times.amounts import brief, size
from .common import CommandError, Configuration, show


def command_backup(_configuration: Configuration, options: argparse.Namespace) -> int:
    """A restore point now, or a drill."""
    state = "drilled" if options.drill else "made"
    purpose = "scheduled" if options.scheduled else "asked for"
    answer = work.do(
        {"state": state, "purpose": purpose, "snapshot": "", "time": ""},
        check=False,
    )
    if options.drill:
        parts = ", ".join(
            f"{part['part']} {part['how']} in {brief(part['seconds'])}" for part in answer["parts"]
        )
        show(f"The restore point {answer['point']['name']} can be restored: {parts}.")
        return 0
    show(f"Made the restore point {answer['name']}: {size(answer['size'])} in {brief(answer['seconds'])}.")
    if answer["warning"]:
        show(f"Warning: {answer['warning']}")
    return 0


def command_backups(_configuration: Configuration, options: argparse.Namespace) -> int:
    """The restore points of this host."""
    answer = listing.tell()
    if options.json:
        show(json.dumps(answer, indent=2))
        return 0
    if not answer["repository"]:
        raise CommandError("Backups are not set up on this host (mission_control_backup).")
    rows = [
        [
            point["name"],
            point["time"],
            size(point["size"]),
            "+".join(point["parts"]) if point["complete"] else "unfinished",
            point["purpose"].replace("-", " "),
        ]
        for point in answer["points"]
    ]
    if not rows:
        raise CommandError(
            f"There is no restore point in {answer['repository']}. Make one: mission-control backup"
        )
    show(table(["RESTORE POINT", "MADE", "SIZE", "WHAT", "WHY"], rows, limit=60))
    if not answer["leaves_the_host"]:
        show("This repository does not outlive the host: set mission_control_backup_repository.")
    return 0
