# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A run compared with an earlier one: what got worse, and whether to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .verdict import ERROR, FAIL, HEALTHY, Verdict, rank

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
            found.update(Verdict.from_dict(data).leaves(prefix))
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


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """New failures ask for a rollback, other changes for the worse for a look; known failures do neither."""
    if not is_report(before):
        raise ValueError("baseline: this is not a report of verify (it has no verdicts)")
    old, new = _leaves(before), _leaves(after)
    failures: list[dict[str, str]] = []
    worse: list[dict[str, str]] = []
    fixed: list[dict[str, str]] = []
    known: list[dict[str, str]] = []
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
            (known if was_bad else failures).append(entry)
        elif (previous is not None and rank(verdict.state) > max(rank(previous.state), rank("pass"))) or (
            previous is None and verdict.state not in HEALTHY
        ):
            worse.append(entry)
        elif previous is not None and previous.state not in HEALTHY and verdict.state in HEALTHY:
            fixed.append(entry)
    vanished = [path for path, verdict in old.items() if path not in new and verdict.state in HEALTHY]
    vanished = [
        path
        for path in vanished
        if not any(path.split(".")[0] == other["check"].split(".")[0] for other in failures)
    ]
    times_before, times_after = _times(before), _times(after)
    slower = [
        {"what": what, "before_ms": times_before[what], "after_ms": value}
        for what, value in times_after.items()
        if what in times_before
        and value > times_before[what] * SLOWER_FACTOR
        and value - times_before[what] > SLOWER_LEAST_MS
    ]
    if failures:
        decision = ROLLBACK
        reason = f"{len(failures)} new failure(s): {failures[0]['check']}: {failures[0]['summary']}"
    elif worse or slower or vanished:
        decision = REVIEW
        reason = "; ".join(
            text
            for text in (
                f"worse: {worse[0]['check']}: {worse[0]['summary']}" if worse else "",
                f"slower: {slower[0]['what']}" if slower else "",
                f"no longer checked: {vanished[0]}" if vanished else "",
            )
            if text
        )
    else:
        decision = PROCEED
        reason = f"nothing got worse ({len(known)} known failure(s), {len(fixed)} fixed)"
    return {
        "decision": decision,
        "reason": reason,
        "new_failures": failures,
        "worse": worse,
        "fixed": fixed,
        "known": known,
        "slower": slower,
        "no_longer_checked": vanished,
        "baseline_started": str(before.get("begun") or before.get("started", "")),
        "diff": {
            "before": "".join(f"{path}: {verdict.state}\n" for path, verdict in sorted(old.items())),
            "after": "".join(f"{path}: {verdict.state}\n" for path, verdict in sorted(new.items())),
        },
    }
