# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a command as a user of the host; touching files as one is in acting_as."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from functools import partial
from typing import Any

from .accounts import Account, find_account
from .enclosure import enclosure
from .errors import HostError
from .leaving import become


def need_rights(account: Account) -> None:
    """Only root may act for somebody else."""
    if os.geteuid() != 0:
        raise HostError(
            f"{find_account().name} cannot act for the user {account.name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {account.name}.",
        )


@contextlib.contextmanager
def process_identity(account: Account | None, enclosed: bool = True) -> Generator[dict[str, Any]]:
    """The arguments of Popen that make the child run as the account.

    What it leaves behind ends with the block, unless it is not `enclosed`.
    """
    if account is None or account.uid == os.geteuid():
        yield {}
        return
    need_rights(account)
    if not enclosed:
        yield {"preexec_fn": partial(become, account)}
        return
    with enclosure() as group:
        yield {"preexec_fn": partial(become, account, group)}
