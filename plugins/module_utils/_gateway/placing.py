# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment has to know before it places a gateway, and what it writes down of it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .._host import files
from .._host.accounts import Account, find_account
from .._host.errors import HostError
from .._host.systemd import UserManager
from .._host.user_files import UserFiles
from .holder import STATE_NAME
from .placement import place
from .placement_record import Record, read_record, record_path


def remember(record: Record) -> None:
    """Write it down, unless it stands there already or this process is not root's."""
    if os.geteuid() != 0 or read_record() == record:
        return
    path = record_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomically(path, json.dumps(asdict(record), indent=1) + "\n", 0o600)


def forget() -> None:
    if os.geteuid() == 0:
        record_path().unlink(missing_ok=True)


def facts(named: str, application: Account | None) -> dict[str, Any]:
    """What a deployment has to know beforehand: who has it, who shall, and how that user stands."""
    found = place(named, application)
    try:
        account = find_account(found.user)
    except HostError:
        account = None
    manager = None if account is None else UserManager(account)
    return {
        "user": found.user,
        "holder": found.holder,
        "former": found.former,
        "by_hand": found.by_hand,
        "occupied": account is not None and bool(found.former) and occupied(account),
        "account": {
            "exists": account is not None,
            "uid": None if account is None else account.uid,
            "home": None if account is None else account.home,
            "lingering": manager is not None and manager.lingering,
            "running": manager is not None and manager.running,
        },
    }


def occupied(account: Account, state_directory: Path | None = None) -> bool:
    """Whether the user has a gateway's data already that no move of ours has brought."""
    record = read_record()
    if record is not None and account.name in (record.user, record.entering, record.leaving):
        return False
    place_ = state_directory or Path(account.home) / STATE_NAME
    try:
        return UserFiles(account).exists(place_ / "openclaw.json")
    except (OSError, HostError):
        return False


def is_open(account: Account) -> bool:
    """Whether others can look into the user's home, which is the user's own."""
    try:
        found = Path(account.home).lstat()
    except OSError:
        return False
    return found.st_uid == account.uid and bool(found.st_mode & 0o077)
