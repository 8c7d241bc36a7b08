# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command as a user of the host; touching files as one is in acting_as."""

from __future__ import annotations

import os
from typing import Any

from .accounts import Account, find_account
from .errors import HostError


def process_identity(account: Account | None) -> dict[str, Any]:
    """The arguments of Popen that make the child run as the account."""
    if account is None or account.uid == os.geteuid():
        return {}
    if os.geteuid() != 0:
        raise HostError(
            f"{find_account().name} cannot act for the user {account.name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {account.name}.",
        )
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}
