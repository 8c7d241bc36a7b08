# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented result over some verdicts: what is wrong, and what it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._redaction import Redactor
from .._times.stamps import fine_stamp
from .causes import find_causes, root_causes
from .explanation import Row
from .verdict import ERROR, FAIL, HEALTHY, SKIP, STATES, WARN, Verdict, worst

SCHEMA = 1


def report_of(
    verdicts: list[Verdict],
    redactor: Redactor,
    *,
    begun: float,
    duration_ms: float,
    view: str,
    where: str,
    rows: Sequence[Row] = (),
    requests: int = 0,
) -> dict[str, Any]:
    """The report as plain data, without secrets.

    :param rows: what may explain what, of the table of causes.
    :param requests: how many HTTP requests were sent.
    """
    find_causes(verdicts, rows)
    state = worst(verdict.state for verdict in verdicts)
    counts = {name: sum(verdict.state == name for verdict in verdicts) for name in STATES}
    report = {
        "schema": SCHEMA,
        "state": state,
        "summary": headline(verdicts),
        "counts": {"total": len(verdicts), **counts},
        "verdicts": [verdict.to_dict() for verdict in verdicts],
        "root_causes": root_causes(verdicts),
        "host": where,
        "view": view,
        # Not `started`: with that key in its result, a task in the background (async) never ends.
        "begun": fine_stamp(begun),
        "duration_ms": round(duration_ms, 1),
        "requests": requests,
    }
    return dict(redactor.data(report))


def headline(verdicts: Sequence[Verdict]) -> str:
    """One line: what is wrong, the root causes first."""
    bad = [verdict for verdict in verdicts if verdict.state in (FAIL, ERROR)]
    if bad:
        causes = [verdict for verdict in bad if not verdict.consequence_of] or bad
        rest = len(bad) - len(causes)
        text = "; ".join(f"{verdict.name}: {verdict.summary}" for verdict in causes[:3])
        if len(causes) > 3:
            text += f"; and {len(causes) - 3} more"
        if rest:
            text += f" ({rest} further {'check fails' if rest == 1 else 'checks fail'} in consequence)"
        return text
    warned = [verdict for verdict in verdicts if verdict.state == WARN]
    good = sum(verdict.state in HEALTHY and verdict.state != SKIP for verdict in verdicts)
    skipped = sum(verdict.state == SKIP for verdict in verdicts)
    text = f"{good} of {len(verdicts) - skipped} checks passed"
    if warned:
        text += "; warnings: " + "; ".join(f"{verdict.name}: {verdict.summary}" for verdict in warned[:3])
    if skipped:
        text += f"; {skipped} skipped"
    return text
