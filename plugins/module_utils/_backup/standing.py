# SPDX-License-Identifier: GPL-3.0-or-later
"""How the backups of a host stand, as root sees it: what the check backup judges. No secret is in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._host.root_questions import answered_by_root
from .._plain_json import parse_json
from .._times.timestamps import timestamp
from . import configuration, server, state
from .restic import Restic, whole_seconds

# Of so many locks it is asked whose they are.
_LOCKS = 5
# Seconds that the repository may take for all that it is asked, less than root's side has to answer.
PATIENCE = 15.0
# And the server, whether it archives.
SERVER_PATIENCE = 3.0


@answered_by_root
def backup_standing() -> dict[str, Any]:
    """Configuration, last runs, and what the repository says now."""
    if os.geteuid() != 0:
        raise configuration.not_permitted()
    try:
        found = configuration.read()
    except DeploymentError as error:
        if error.kind != "not_set_up":
            raise
        return {"set_up": None}
    restic = Restic(found)
    return {
        "set_up": configuration.CONFIGURATION.stat().st_mtime,
        "repository": restic.shown,
        "leaves_the_host": found.leaves_the_host,
        "state": state.read_state(found.directory),
        **look_at(restic),
        "wal": _archiving(found),
    }


def _archiving(found: configuration.Configuration) -> dict[str, Any] | None:
    """How the archiving of the write-ahead log goes; nothing where the server does not answer."""
    try:
        return server.standing(found, timeout=SERVER_PATIENCE)
    except HostError as error:
        return {"problem": error.message}


def look_at(restic: Restic) -> dict[str, Any]:
    """Whether it opens, the locks in it, and the room beside it."""
    answer: dict[str, Any] = {"problem": None, "locks": [], "free": None}
    try:
        answer["locks"] = _locks(restic)
    except HostError as error:
        answer["problem"] = {"kind": error.kind, "cause": error.message, "remedy": error.remedy}
    place = Path(restic.configuration.repository)
    if place.is_absolute():
        with contextlib.suppress(OSError):
            answer["free"] = shutil.disk_usage(place).free
    return answer


def _locks(restic: Restic) -> list[dict[str, Any]]:
    """Whose the locks are; one that goes meanwhile is none. Fails where the repository does not open."""
    end = time.monotonic() + PATIENCE

    def ask(*words: str, what: str) -> str:
        return restic.run(*words, "--no-lock", what=what, timeout=max(0.1, end - time.monotonic()))

    output = ask("list", "locks", what="Opening the repository")
    found = []
    for identifier in output.split()[:_LOCKS]:
        with contextlib.suppress(HostError, ValueError):
            lock = parse_json(ask("cat", "lock", identifier, what="Reading a lock"))
            pid = int(lock.get("pid") or 0)
            here = lock.get("hostname") == os.uname().nodename
            found.append(
                {
                    "host": str(lock.get("hostname") or ""),
                    "time": timestamp(whole_seconds(str(lock.get("time")))),
                    # Of another host nobody here knows.
                    "dead": here and not Path("/proc", str(pid)).exists(),
                }
            )
    return found
