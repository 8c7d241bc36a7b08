# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of pipes to programs."""

from __future__ import annotations

from typing import IO


def asked_for(stream: IO[bytes] | None) -> IO[bytes]:
    """A program's stdin or stdout, for which subprocess.PIPE was given: it is there."""
    if stream is None:
        raise ValueError("the program was started without this pipe")
    return stream
