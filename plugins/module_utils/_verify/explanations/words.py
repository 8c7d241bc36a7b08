# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that several rows of the table of causes have in common."""

from __future__ import annotations

from ..explanation import Match
from ..verdict import ERROR, FAIL

NOT_REACHED = frozenset(
    # Of what was just started: settling.
    {"refused", "timeout", "reset", "connect_timeout", "incomplete", "unreachable", "dns", "settling"}
)
# The front door answers in the place of somebody behind it.
DOOR_LOST = frozenset({"door_backend_lost", "door_frontend_lost"})
AUTHENTICATED = ("membership.role", "agents", "gateway", "sessions", "session", "metrics")
API = (
    "health",
    "cors",
    *AUTHENTICATED,
    "membership",
    "frontend.api",
    "frontend.cors",
    "configuration.headers",
)
NO_WORK_DONE = frozenset({"queue_old", "queue_deep", "overdue", "task_fails"})


def kinds(*kinds: str, at: tuple[str, ...] = ()) -> Match:
    return Match(at=at, kinds=frozenset(kinds))


LOGS = Match(at=("log",))
BAD = frozenset({FAIL, ERROR})
