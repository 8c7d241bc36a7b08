# SPDX-License-Identifier: GPL-3.0-or-later
"""The same checks seen from two places: what one of them sees explains the other."""

from __future__ import annotations

from collections.abc import Sequence

from .causes import inherit
from .explanations.words import NOT_REACHED
from .verdict import SKIP, Verdict


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
        inherit(verdict)
        _repeat(verdict)


def _repeat(verdict: Verdict) -> None:
    """Take over cause and remedy of the part that speaks for the verdict."""
    for part in verdict.checks:
        _repeat(part)
    own = (part for part in verdict.checks if part.state == verdict.state and not part.consequence_of)
    if speaker := next(own, None):
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind
