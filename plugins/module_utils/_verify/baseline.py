# SPDX-License-Identifier: GPL-3.0-or-later
"""A run compared with an earlier one: what got worse, and whether to go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .verdict import ERROR, FAIL, HEALTHY, Verdict, rank
from .verdict_data import verdict_of

PROCEED = "PROCEED"
REVIEW = "REVIEW"
ROLLBACK = "ROLLBACK"

# Slower than this factor, and by at least as many milliseconds, is more than noise.
SLOWER_FACTOR = 2.0
SLOWER_LEAST_MS = 200.0


def _leaves(report: Mapping[str, Any]) -> dict[str, Verdict]:
    found: dict[str, Verdict] = {}
    for view in report.get("views") or [report]:
        prefix = str(view["view"]) if report.get("views") else ""
        for data in view.get("verdicts") or []:
            found.update(verdict_of(data).leaves(prefix))
    return found


def _times(report: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for path, verdict in _leaves(report).items():
        for measure in verdict.measures:
            if measure.unit == "ms" and measure.label.endswith(" time"):
                found[f"{path}: {measure.label}"] = measure.value
    return found


def is_report(value: Any) -> bool:
    """Whether something can be compared with: a module's result, or a JSON report."""
    return isinstance(value, Mapping) and bool({"verdicts", "views"} & set(value))


class Changes(NamedTuple):
    """Findings that differ from before, and failures that were there then."""

    failures: list[dict[str, str]]
    worse: list[dict[str, str]]
    fixed: list[dict[str, str]]
    known: list[dict[str, str]]


def _changes(old: Mapping[str, Verdict], new: Mapping[str, Verdict]) -> Changes:
    found = Changes([], [], [], [])
    for path, verdict in new.items():
        previous = old.get(path)
        entry = {
            "check": path,
            "before": previous.state if previous else "",
            "after": verdict.state,
            "summary": verdict.summary,
        }
        was_bad = previous is not None and previous.state in (FAIL, ERROR)
        if verdict.state in (FAIL, ERROR):
            # A part that did not exist may stand for a check that failed as a whole before.
            (found.known if was_bad else found.failures).append(entry)
        elif (previous is not None and rank(verdict.state) > max(rank(previous.state), rank("pass"))) or (
            previous is None and verdict.state not in HEALTHY
        ):
            found.worse.append(entry)
        elif previous is not None and previous.state not in HEALTHY and verdict.state in HEALTHY:
            found.fixed.append(entry)
    return found


def _slower(before: Mapping[str, float], after: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"what": what, "before_ms": before[what], "after_ms": value}
        for what, value in after.items()
        if what in before and value > before[what] * SLOWER_FACTOR and value - before[what] > SLOWER_LEAST_MS
    ]


def _decision(
    changes: Changes, slower: Sequence[Mapping[str, Any]], vanished: Sequence[str]
) -> tuple[str, str]:
    """What to do, and why."""
    failures, worse = changes.failures, changes.worse
    if failures:
        return ROLLBACK, f"{len(failures)} new failure(s): {failures[0]['check']}: {failures[0]['summary']}"
    texts = (
        f"worse: {worse[0]['check']}: {worse[0]['summary']}" if worse else "",
        f"slower: {slower[0]['what']}" if slower else "",
        f"no longer checked: {vanished[0]}" if vanished else "",
    )
    if any(texts):
        return REVIEW, "; ".join(text for text in texts if text)
    known, fixed = len(changes.known), len(changes.fixed)
    return PROCEED, f"nothing got worse ({known} known failure(s), {fixed} fixed)"


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """New failures ask for a rollback, other changes for the worse for a look; known failures do neither."""
    if not is_report(before):
        raise ValueError("baseline: this is not a report of verify (it has no verdicts)")
    old, new = _leaves(before), _leaves(after)
    changes = _changes(old, new)
    vanished = [path for path, verdict in old.items() if path not in new and verdict.state in HEALTHY]
    vanished = [
        path
        for path in vanished
        if not any(path.split(".")[0] == other["check"].split(".")[0] for other in changes.failures)
    ]
    slower = _slower(_times(before), _times(after))
    decision, reason = _decision(changes, slower, vanished)
    return {
        "decision": decision,
        "reason": reason,
        "new_failures": changes.failures,
        "worse": changes.worse,
        "fixed": changes.fixed,
        "known": changes.known,
        "slower": slower,
        "no_longer_checked": vanished,
        "baseline_started": str(before.get("begun") or before.get("started", "")),
        "diff": {
            "before": "".join(f"{path}: {verdict.state}\n" for path, verdict in sorted(old.items())),
            "after": "".join(f"{path}: {verdict.state}\n" for path, verdict in sorted(new.items())),
        },
    }
