# SPDX-License-Identifier: GPL-3.0-or-later
"""What a child of root's leaves behind when it becomes a user for good: rights, keys, control group."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from .accounts import Account
from .enclosure import Enclosure

# The number of keyctl(2), which the C library does not have.
_KEYCTL = {"x86_64": 250, "aarch64": 219, "riscv64": 219, "ppc64le": 271, "s390x": 280}
_JOIN_SESSION_KEYRING = 1
# The kernel has no keys, or a container may not use them: then there are none of root's.
_NO_KEYS = (errno.ENOSYS, errno.EPERM)
_LIBRARY = ctypes.CDLL(None, use_errno=True)
_SYSCALL = _LIBRARY.syscall


def become(account: Account, enclosed: Enclosure | None = None) -> None:
    """Between fork and exec, or in a child that goes on as the user. No way leads back."""
    if enclosed is not None:
        enclosed.enter()
    # As root still: a user's own keyrings are counted, and may be used up.
    _leave_keys()
    os.setgroups(list(account.groups))
    os.setgid(account.gid)
    os.setuid(account.uid)


def _leave_keys() -> None:
    """A session keyring of its own, and empty. Whoever has root's may read and change what is in it."""
    number = _KEYCTL.get(os.uname().machine)
    if number is None or sys.maxsize < 1 << 32:
        return
    joined = _SYSCALL(ctypes.c_long(number), ctypes.c_long(_JOIN_SESSION_KEYRING), ctypes.c_void_p(None))
    if joined < 0 and ctypes.get_errno() not in _NO_KEYS:
        raise OSError(ctypes.get_errno(), "Root's session keyring cannot be left")
