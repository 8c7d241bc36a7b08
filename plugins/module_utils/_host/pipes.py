# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of pipes to programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, AnyStr

# Of a line that does not end.
LONGEST = 1 << 20


def asked_for(stream: IO[AnyStr] | None) -> IO[AnyStr]:
    """A program's stdin or stdout, for which subprocess.PIPE was given: it is there."""
    if stream is None:
        raise ValueError("the program was started without this pipe")
    return stream


def pieces(stream: IO[AnyStr], longest: int = LONGEST) -> Iterator[AnyStr]:
    """The lines of a program's output; one that is longer in pieces: whose it is may have it never end."""
    while piece := stream.readline(longest):
        yield piece
