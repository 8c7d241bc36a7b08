# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance mode: the services' units run a stand-in that answers with the reason.

A drop-in replaces what a unit starts, so that sockets, deployments and boots go on as ever, and removing it
undoes everything. shared/maintenance.json tells since when, why, until when and by whom.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .._host.errors import HostError
from .._times.durations import duration
from .._times.record_stamps import utc_stamp
from .notice import END, Notice
from .notice_file import NAME, path_of

# What stands in for each service, in the order in which they make way.
KINDS = {"frontend": "page", "worker": "idle", "backend": "api"}
_DURATION = re.compile(r"(?:\d+[smhd])+")


def program(root: Path) -> Path:
    """The stand-in on the host."""
    return root / "shared/libexec" / f"{NAME}.py"


def text_of(notice: Notice) -> str:
    return json.dumps(asdict(notice), indent=1) + "\n"


def end_of(text: str, now: datetime) -> str:
    """The expected end as a moment: given as one, or as a duration from now."""
    text = text.strip()
    if not text:
        return ""
    if _DURATION.fullmatch(text):
        return utc_stamp(now.timestamp() + duration(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HostError(
            f"until: {text!r} is not a valid time.",
            kind="bad_option",
            remedy="Use a duration (45m, 2h) or a time with its zone (2026-01-31T14:30:00Z).",
        ) from None
    if found.tzinfo is None:
        raise HostError(
            f"until: {text!r} has no time zone.",
            kind="bad_option",
            remedy="Add it (2026-01-31T14:30:00Z or …+01:00), or give a duration (45m, 2h).",
        )
    return utc_stamp(found.timestamp())


def drop_in(service: str, root: Path) -> str:
    """What has a service's unit run the stand-in."""
    return f"""\
# Maintenance mode of the collection openclaw.mission_control. This ends it: {END}
[Service]
ExecStartPre=
ExecStart=
ExecStart=/usr/bin/python3 -I {program(root)} {KINDS[service]} {path_of(root)}
WorkingDirectory={root}
EnvironmentFile=
WatchdogSec=0
NotifyAccess=main
"""


def drop_in_path(directory: Path, service: str) -> Path:
    return directory / f"mission-control-{service}.service.d" / f"{NAME}.conf"


def deployed(directory: Path, services: Sequence[str]) -> list[str]:
    """Those of the services that have a unit, in the order in which they make way."""
    return [
        name
        for name in KINDS
        if name in services and (directory / f"mission-control-{name}.service").exists()
    ]


def now() -> datetime:
    return datetime.fromtimestamp(int(time.time()), UTC)
