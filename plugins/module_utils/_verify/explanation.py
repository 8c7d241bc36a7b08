# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the table of causes is: which finding is reason enough for which others, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .verdict import Verdict


def below(path: str, prefixes: Sequence[str]) -> bool:
    """Whether a path is one of these, or a part of one: "host.port 8000" is below "host.port"."""
    return any(path == prefix or path.startswith((f"{prefix}.", f"{prefix} ")) for prefix in prefixes)


class Finding:
    """A verdict that calls for something, with its path and its number in the report."""

    def __init__(self, path: str, verdict: Verdict, number: int = 0) -> None:
        self.path, self.verdict, self.number = path, verdict, number
        self.kind = verdict.kind

    @property
    def unit(self) -> str:
        """The unit that it is about; empty where it is about none."""
        check, _dot, rest = self.path.partition(".")
        if check in ("service", "log"):
            return rest.partition(".")[0]
        if check == "configuration" and rest.startswith("environment "):
            return rest.partition(" ")[2]
        return str(self.verdict.evidence.get("unit") or "")

    @property
    def port(self) -> int | None:
        """The port that it is about."""
        found = self.verdict.evidence.get("port")
        return found if isinstance(found, int) else None


@dataclass(frozen=True)
class Match:
    """Some findings. What is not given holds for all of them."""

    at: tuple[str, ...] = ()  # paths, each with what is below it
    part: str = ""  # the last name of the path
    kinds: frozenset[str] = frozenset()
    family: str = ""  # how the kind begins
    but: frozenset[str] = frozenset()  # kinds that are left out
    states: frozenset[str] = frozenset()
    unit: str = ""  # the unit that it is about; * for any
    same: str = ""  # what an effect has in common with its cause: kind, unit, port, cause or summary

    def holds(self, finding: Finding) -> bool:
        """Whether a finding is one of these."""
        return (
            (not self.at or below(finding.path, self.at))
            and (not self.part or finding.path.endswith(f".{self.part}"))
            and (not self.kinds or finding.kind in self.kinds)
            and finding.kind.startswith(self.family)
            and finding.kind not in self.but
            and (not self.states or finding.verdict.state in self.states)
            and (not self.unit or finding.unit == self.unit or (self.unit == "*" and bool(finding.unit)))
        )

    def follows(self, cause: Finding, effect: Finding) -> bool:
        """Whether a finding is one of these, as far as that depends on its cause."""
        if not self.holds(effect):
            return False
        if self.same == "kind":
            return effect.kind == cause.kind
        if self.same == "cause":
            return effect.verdict.cause == cause.verdict.cause
        if self.same == "summary":
            return effect.verdict.summary == cause.verdict.summary
        if self.same == "unit":
            return bool(cause.unit) and effect.unit == cause.unit
        if self.same == "port":
            return cause.port is not None and effect.port == cause.port
        return True


@dataclass(frozen=True)
class Row:
    """What explains what."""

    name: str  # in the picture
    causes: tuple[Match, ...]
    effects: tuple[Match, ...]
    reason: str

    def explains(self, cause: Finding, effect: Finding) -> bool:
        """Whether one finding is reason enough for the other."""
        return any(match.holds(cause) for match in self.causes) and any(
            match.follows(cause, effect) for match in self.effects
        )


# Where two findings explain each other, the one that comes first here is the cause. The longest path counts.
ORDER = (
    "host.loopback",
    "host.local ports",
    "host.disk",
    "host.account",
    "database.locks",
    "database",
    "queue.connection",
    "queue.writes",
    "host.port",
    "service.linger",
    "service.manager",
    "service",
    "queue",
    "configuration",
    "host",
    "front_door.certificate",
    "health",
    "configuration.headers",
    "membership",
    "cors",
    "frontend",
    "front_door",
    "gateway",
    "sessions",
    "agents",
    "session",
    "metrics",
    "backup.repository",
    "backup.check",
    "backup.run",
    "backup.drill",
    "backup",
    "log",
)


# What comes before the machine itself.
FIRST = {
    "not_deployed": -5,
    "directory_closed": -4,
    "env_file_garbled": -3,
    "release_changed": -3,
    "interpreter_missing": -3,
}


# A port that somebody else holds is a cause, one that nobody listens on is a consequence. A door that hands
# requests to somebody else is a cause as one is that lets nobody in; a limit of open files, as the manager.
ELSEWHERE = {
    "port_closed": "host",
    "door_routes": "front_door.certificate",
    "files_limit": "service.manager",
}


def place(finding: Finding) -> int:
    """Where a finding stands in the order of the machine: what comes first may explain what comes later."""
    if finding.kind == "maintenance":
        # The host itself knows most of it.
        return -2 if below(finding.path, ("service",)) else -1
    if finding.path == "configuration" and finding.kind == "env_file_missing":
        return FIRST["env_file_garbled"]
    if finding.kind in FIRST:
        return FIRST[finding.kind]
    path = ELSEWHERE.get(finding.kind, finding.path)
    found = (number for number, prefix in enumerate(ORDER) if below(path, [prefix]))
    return max(found, key=lambda number: len(ORDER[number]), default=len(ORDER))


def explanation(rows: Sequence[Row], cause: Finding, effect: Finding) -> Row | None:
    """The row by which one finding is reason enough for the other."""
    return next((row for row in rows if row.explains(cause, effect)), None)
