# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which finding explains which: one root cause and its consequences instead of equal alarms.

The table itself is in `explanations`; this finds roots and consequences with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .explanations import NOT_REACHED, Finding, explanation, place
from .verdict import ERROR, FAIL, SKIP, WARN, Verdict

# What is said of the check, and not of what it looks at, explains nothing and is explained by nothing.
APART = frozenset({"missing_library", "internal", "waiver_expired"})


def find_causes(verdicts: Sequence[Verdict]) -> None:
    """Mark consequences with the path of their root cause."""
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
                if explanation(earlier, finding)
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
        _inherit(verdict)


def _inherit(verdict: Verdict) -> None:
    """A verdict is a consequence when all of its bad parts are; else it speaks through those that are not."""
    if not verdict.checks:
        return
    for part in verdict.checks:
        _inherit(part)
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


def join(here: Sequence[Verdict], outside: Sequence[Verdict]) -> None:
    """Explain what is seen from elsewhere by what the host sees of itself.

    What fails for both has one cause, which the host knows better. What the host reaches and others do not
    is in the way between them.
    """
    known = {path: leaf for verdict in here for path, leaf in verdict.leaves() if not leaf.healthy}
    works = {verdict.name for verdict in here if verdict.healthy and verdict.state != SKIP}
    roots: dict[str, str] = {}
    for verdict in outside:
        for path, leaf in verdict.leaves():
            if leaf.healthy or leaf.consequence_of:
                continue
            same = known.get(path)
            if same and (leaf.kind == same.kind or {leaf.kind, same.kind} <= NOT_REACHED):
                leaf.consequence_of = roots[path] = same.consequence_of or path
            elif leaf.kind in NOT_REACHED and path.partition(".")[0] in works:
                leaf.cause = "From the host itself it works: something between here and there is in the way."
                leaf.remedy = (
                    "Check that the name leads to the host, that firewalls let the port through, that a "
                    "proxy in front of it runs, and that the service listens on an address that others reach "
                    "(mission_control_backend_bind, mission_control_frontend_bind)."
                )
    for verdict in outside:
        for _path, leaf in verdict.leaves():
            leaf.consequence_of = roots.get(leaf.consequence_of, leaf.consequence_of)
        _inherit(verdict)
        _repeat(verdict)


def _repeat(verdict: Verdict) -> None:
    """Take over cause and remedy of the part that speaks for the verdict."""
    for part in verdict.checks:
        _repeat(part)
    own = (part for part in verdict.checks if part.state == verdict.state and not part.consequence_of)
    if speaker := next(own, None):
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
                "consequences": [],
            }
    for path, leaf in leaves:
        if leaf.consequence_of in found:
            found[leaf.consequence_of]["consequences"].append(path)
    order = {ERROR: 0, FAIL: 1, WARN: 2}
    return sorted(found.values(), key=lambda item: (order[item["state"]], -len(item["consequences"])))
