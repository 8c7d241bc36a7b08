# SPDX-License-Identifier: GPL-3.0-or-later
"""What a part of a release consists of, written down in it when it was made: later changes show."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from .._host import comparing, reading
from .._plain_json import parse_json

# In the tree itself, so that it goes wherever the tree goes.
NAME = ".files.json"
# A build has thousands of files.
MOST = 16 << 20
# Bytes of a file whose content is compared: the largest of a real build have some tens of millions.
LARGEST = 512 << 20
# Bytes that a file may have in length and not on the disk, as compressed ones do.
_HOLE = 64 << 20
# Seconds for comparing a release, so that it is told before a look at a user's files ends (user_files).
PATIENCE = 15.0
# Pages made beforehand, which the server may make anew.
_MADE_ANEW = re.compile(r"\.next/server/(app|pages)/.*\.(html|rsc|meta|body|json)$")


def deadline() -> float:
    """Until when a comparison that begins now may last."""
    return time.monotonic() + PATIENCE


def changes(tree: Path, until: float | None = None) -> tuple[list[str], list[str]]:
    """Files that were changed, and those that are missing or cannot be read; none where nothing is recorded.

    What is there besides does not count. What was not reached at the deadline counts as not read.
    """
    until = deadline() if until is None else until
    try:
        recorded = parse_json(reading.read_regular(tree / NAME, MOST))
    except (OSError, ValueError):
        return [], []
    altered: list[str] = []
    lost: list[str] = []
    for name, entry in recorded.items() if isinstance(recorded, dict) else ():
        path = tree / name
        try:
            same = _same(path, entry, until)
        except OSError:
            lost.append(name)
            continue
        except (TypeError, ValueError):
            # Nothing that was written here.
            same = False
        if not same and not _MADE_ANEW.match(name):
            altered.append(name)
    return altered, lost


def _same(path: Path, entry: list[Any], until: float) -> bool:
    """By size and time, else by content. What is recorded is the user's, too."""
    comparing.in_time(until)
    status = path.lstat()
    if len(entry) == 1:
        return stat.S_ISLNK(status.st_mode) and str(path.readlink()) == entry[0]
    size, modified, digest = entry
    if not stat.S_ISREG(status.st_mode) or status.st_size != size or not status.st_mode & stat.S_IRUSR:
        return False
    return bool(
        status.st_mtime_ns == modified or (comparable(status) and comparing.digest(path, until) == digest)
    )


def comparable(status: os.stat_result) -> bool:
    """Whether the content of a file is anything to be read: of a build it may be, however it was changed."""
    return status.st_size <= min(LARGEST, status.st_blocks * 512 + _HOLE)


def foreign(release: Path, parts: Sequence[str], until: float | None = None) -> tuple[str, int | None] | None:
    """The first file of the release that belongs to somebody else than us, and to whom.

    Or that which was reached at the deadline, of which nobody knows.
    """
    until = deadline() if until is None else until
    for path in chain([str(release)], *(_below(release / part) for part in parts)):
        if time.monotonic() > until:
            return os.path.relpath(path, release), None
        try:
            uid = os.lstat(path).st_uid
        except OSError:
            continue
        if uid != os.geteuid():
            return os.path.relpath(path, release), uid
    return None


def _below(directory: Path) -> Iterator[str]:
    """A directory and all below it, as far as it may be entered."""
    yield str(directory)
    for place, directories, names in os.walk(directory):
        yield from (os.path.join(place, name) for name in (*directories, *names))  # noqa: PTH118


def told(altered: Sequence[str], lost: Sequence[str]) -> Iterator[str]:
    """The changes in words."""
    if altered:
        yield f"{some(altered)} {'was' if len(altered) == 1 else 'were'} changed"
    if lost:
        yield f"{some(lost)} {'is' if len(lost) == 1 else 'are'} missing or cannot be read (or not in time)"


def owned(found: tuple[str, int | None] | None) -> Iterator[str]:
    """Whose a file is, in words."""
    if found is None:
        return
    name, uid = found
    if uid is None:
        yield f"there are too many files to be looked at in time, up to {name}"
    else:
        yield f"{'the release' if name == '.' else name} belongs to the user number {uid}"


def some(names: Sequence[str], most: int = 3) -> str:
    """So many names as stand in a sentence."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
