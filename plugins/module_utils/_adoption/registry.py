# SPDX-License-Identifier: GPL-3.0-or-later
"""What root remembers of a take-over, in a file of root's.

The steps work with shared/adopted.json, which is the user's and may say anything by now. What root decides
by, the settings that are carried over and whether an adoption still goes on, it takes from here, where it
wrote down what it found before the first step.
"""

from __future__ import annotations

import os
from pathlib import Path

from .._application.layout import Layout
from .._application.root_state import STATE_DIRECTORY
from .._host import files
from .._host.accounts import Account
from . import record as _record


def decides(account: Account) -> bool:
    """Whether this process is root's and works for somebody else."""
    return os.geteuid() == 0 != account.uid


def registry_path(user: str) -> Path:
    return STATE_DIRECTORY / f"adoption-{user}.json"


def read(user: str) -> _record.Record | None:
    path = registry_path(user)
    try:
        return _record.parse(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return None


def remember(user: str, record: _record.Record, phase: str) -> None:
    """Write down what was found, or how far it came. Environments of processes are the user's business."""
    path = registry_path(user)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = _record.Record(phase, record.at, record.kept, record.found)
    files.write_atomically(path, kept.text(), 0o600)


def complete(user: str) -> bool:
    """A release has passed its gate: nothing is taken over any more."""
    record = read(user)
    if record is None or record.phase == "done":
        return False
    remember(user, record, "done")
    return True


def forget(user: str) -> None:
    registry_path(user).unlink(missing_ok=True)


def follow(state: str, user: str, *, remove_data: bool) -> bool:
    """What became of a release, in root's own record too; whether that changed. Not root: nothing to do."""
    if os.geteuid() != 0:
        return False
    if state == "verified":
        return complete(user)
    if state == "absent" and remove_data:
        forget(user)
    return False


def believed(account: Account, layout: Layout, told: _record.Record | None) -> _record.Record | None:
    """What there is of a take-over, of which the user's file tells something; None: nothing that counts."""
    if not decides(account):
        return told
    record = read(account.name)
    return record if record is not None and Path(record.kept).parent == layout.root else None
