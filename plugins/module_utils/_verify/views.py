# SPDX-License-Identifier: GPL-3.0-or-later
"""The same checks seen from two places: what one of them sees explains the other."""

from __future__ import annotations

from collections.abc import Sequence

from .causes import inherit
from .explanation import Finding, explanation
from .explanations.table import ROWS
from .explanations.words import DOOR_LOST, NOT_REACHED
from .verdict import SKIP, WARN, Verdict

# Who does not get an answer: the host itself at a port of its own, others perhaps by way of the door.
OUT = NOT_REACHED | DOOR_LOST
# What is looked at from the controller alone explains what the host meets at its public address, too.
OUTSIDE = "front_door"


def join(here: Sequence[Verdict], outside: Sequence[Verdict]) -> None:
    """Explain what is seen from elsewhere by what the host sees of itself.

    What fails for both has one cause, which the host knows better; and what one of them finds may explain
    what the other does, by the table of causes. What the host reaches and others do not is in the way between
    them.
    """
    known = {path: leaf for verdict in here for path, leaf in verdict.leaves() if not leaf.healthy}
    works = {verdict.name for verdict in here if verdict.healthy and verdict.state != SKIP}
    roots: dict[str, str] = {}
    for verdict in outside:
        for path, leaf in verdict.leaves():
            if leaf.healthy or leaf.consequence_of:
                continue
            same = known.get(path)
            if same and (leaf.kind == same.kind or {leaf.kind, same.kind} <= OUT):
                leaf.consequence_of = roots[path] = same.consequence_of or path
            elif cause := _cause(here, path, leaf):
                leaf.consequence_of = roots[path] = cause
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
    doors = [verdict for verdict in outside if verdict.name == OUTSIDE]
    for verdict in here:
        for path, leaf in verdict.leaves():
            if not leaf.healthy and not leaf.consequence_of and (cause := _cause(doors, path, leaf)):
                leaf.consequence_of = cause
                inherit(verdict)
                _repeat(verdict)


def _cause(verdicts: Sequence[Verdict], path: str, leaf: Verdict) -> str:
    """The root of what one view finds, seen from the other; empty where nothing there explains it."""
    effect = Finding(path, leaf)
    for verdict in verdicts:
        for place, found in verdict.leaves():
            # A warning is no reason for a failure, and nothing is its own.
            weak = found.healthy or (found.state == WARN and leaf.state != WARN)
            if weak or path in (place, found.consequence_of):
                continue
            if explanation(ROWS, Finding(place, found), effect):
                return found.consequence_of or place
    return ""


def _repeat(verdict: Verdict) -> None:
    """Take over cause and remedy of the part that speaks for the verdict."""
    for part in verdict.checks:
        _repeat(part)
    own = (part for part in verdict.checks if part.state == verdict.state and not part.consequence_of)
    if speaker := next(own, None):
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind
