# SPDX-License-Identifier: GPL-3.0-or-later
"""Touching files as a user of the host for a while."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator

from .accounts import Account
from .acting import need_rights


@contextlib.contextmanager
def acting_as(account: Account | None) -> Generator[None]:
    """Touch files with the rights of the account, so that its symbolic links lead nowhere new."""
    if account is None or os.geteuid() == account.uid:
        yield
        return
    need_rights(account)
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups(account.groups)
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)
