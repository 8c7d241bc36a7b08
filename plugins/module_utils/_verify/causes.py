# SPDX-License-Identifier: GPL-3.0-or-later
"""Which finding explains which: one root cause and its consequences instead of equal alarms.

The table itself is in `explanations/`; this finds roots and consequences with rows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .explanation import Finding, Row, explanation, place
from .verdict import ERROR, FAIL, WARN, Verdict

# What is said of the check, and not of what it looks at, explains nothing and is explained by nothing.
APART = frozenset({"missing_library", "internal", "waiver_expired"})


def find_causes(verdicts: Sequence[Verdict], rows: Sequence[Row]) -> None:
    """Mark consequences with the path of their root cause, as far as the rows tell."""
    findings = [
        Finding(path, leaf, number)
        for number, verdict in enumerate(verdicts)
        for path, leaf in verdict.leaves()
        if leaf.state in (WARN, FAIL, ERROR) and leaf.kind not in APART
    ]
    findings.sort(key=lambda finding: (place(finding), finding.verdict.state == WARN, finding.number))
    roots: list[Finding] = []
    others: list[Finding] = []
    for finding in findings:
        # A consequence has consequences of its own, which go back to the same root.
        # A warning is no reason for a failure.
        cause = next(
            (
                earlier
                for earlier in (*roots, *others)
                if explanation(rows, earlier, finding)
                and not (earlier.verdict.state == WARN and finding.verdict.state != WARN)
            ),
            None,
        )
        if cause is None:
            roots.append(finding)
        else:
            others.append(finding)
            finding.verdict.consequence_of = cause.verdict.consequence_of or cause.path
    for verdict in verdicts:
        inherit(verdict)


def inherit(verdict: Verdict) -> None:
    """A verdict is a consequence when all of its bad parts are; else it speaks through those that are not."""
    if not verdict.checks:
        return
    for part in verdict.checks:
        inherit(part)
    bad = [part for part in verdict.checks if part.state in (WARN, FAIL, ERROR)]
    if bad and all(part.consequence_of for part in bad):
        verdict.consequence_of = bad[0].consequence_of
        return
    own = [part for part in bad if not part.consequence_of and part.state == verdict.state]
    if own and len(own) < sum(part.state == verdict.state for part in bad):
        speaker = own[0]
        more = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
        verdict.summary = f"{speaker.name}: {speaker.summary}{more}"
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind


def root_causes(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Each finding that nothing else explains, with what it brings about, worst first."""
    found: dict[str, dict[str, Any]] = {}
    leaves = [pair for verdict in verdicts for pair in verdict.leaves()]
    for path, leaf in leaves:
        if leaf.state in (WARN, FAIL, ERROR) and not leaf.consequence_of:
            found[path] = {
                "check": path,
                "state": leaf.state,
                "kind": leaf.kind,
                "summary": leaf.summary,
                "cause": leaf.cause,
                "remedy": leaf.remedy,
                "cure": leaf.cure._asdict(),
                "consequences": [],
            }
    for path, leaf in leaves:
        if leaf.consequence_of in found:
            found[leaf.consequence_of]["consequences"].append(path)
    order = {ERROR: 0, FAIL: 1, WARN: 2}
    return sorted(found.values(), key=lambda item: (order[item["state"]], -len(item["consequences"])))
