# SPDX-License-Identifier: GPL-3.0-or-later
"""What the history tells of deployments that have ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._host import reading
from .._plain_json import parse_json
from .._times.timestamps import timestamp

# The history is cut into pieces of this size; so many old ones are kept.
PIECE = 1_000_000
PIECES = 3
# How a run ends that left something working behind: what was logged meanwhile was logged on the way there.
SETTLED = frozenset({"deployed", "unchanged", "rolled_back", "restored", "rotated", "returned"})

Span = tuple[float, float]


def pieces(layout: Layout) -> list[Path]:
    """The files of the history, newest first."""
    return [
        layout.history,
        *(layout.history.with_name(f"{layout.history.name}.{n}") for n in range(1, PIECES + 1)),
    ]


def history(layout: Layout, lines: int) -> list[dict[str, Any]]:
    """The last deployments and rollbacks, oldest first."""
    found: list[dict[str, Any]] = []
    for path in pieces(layout):
        try:
            text = reading.read_regular(path, most=2 * PIECE)
        except OSError:
            continue
        piece = []
        for line in text.split("\n"):
            with contextlib.suppress(ValueError):
                answer = parse_json(line)
                if isinstance(answer, dict):
                    piece.append(answer)
        found = piece + found
        if len(found) >= lines:
            break
    return found[-lines:] if lines else []


def settled_spans(lines: Iterable[Mapping[str, Any]], now: float) -> list[Span]:
    """From when to when (seconds since the epoch) deployments went on that left something working behind.

    One that failed is left out: what was logged meanwhile may say why. So is one that ended after `now`:
    a clock was wrong.
    """
    found = []
    for line in lines:
        begin, end = timestamp(line.get("started")), timestamp(line.get("time"))
        if str(line.get("result")) in SETTLED and begin is not None and end is not None and end <= now:
            # The history knows whole seconds, rounded down.
            found.append((begin, end + 1.0))
    return found
