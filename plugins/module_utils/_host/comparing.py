# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing files that somebody else can replace, piece by piece and until a moment."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .reading import open_regular

_PIECE = 1 << 20


def same_content(one: Path, other: Path, until: float = math.inf) -> bool:
    """Whether two regular files have the same content."""
    with open_regular(one) as first, open_regular(other) as second:
        same = all(piece == second.read(_PIECE) for piece in _pieces(first, until))
        return same and not second.read(1)


def digest(path: Path, until: float = math.inf) -> str:
    """That of a regular file's content, which is read until a moment (of time.monotonic)."""
    found = hashlib.sha256()
    with open_regular(path) as file:
        for piece in _pieces(file, until):
            found.update(piece)
    return found.hexdigest()


def _pieces(file: BinaryIO, until: float) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
        in_time(until)


def in_time(until: float) -> None:
    """OSError where that moment has passed."""
    if time.monotonic() > until:
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
