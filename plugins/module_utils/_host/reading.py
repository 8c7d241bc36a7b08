# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a file that somebody else can replace."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# Bytes that a settings file or a record may have.
MOST = 1 << 20


def read_regular(path: Path, most: int = MOST) -> str:
    """The text of a regular file of at most `most` bytes; whatever else stands there is an OSError.

    For files that somebody else can replace: a pipe is not waited for, a device not read without end. Links
    are followed, so this is called with the rights of whose file it is.
    """
    return read_regular_bytes(path, most).decode("utf-8", "replace")


def read_regular_bytes(path: Path, most: int = MOST) -> bytes:
    """The same for what is not text."""
    with open_regular(path) as file:
        data: bytes = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"It is larger than {most} bytes", str(path))
    return data


def open_regular(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")
