# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: what a check found, as a tree whose state is the worst of its parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from .._cures import DECISION, Cure

SKIP = "skip"
PASS = "pass"  # noqa: S105
FLAKY = "flaky"
WARN = "warn"
FAIL = "fail"
ERROR = "error"

# From harmless to worst. A skip never outranks a pass: what was not checked says nothing.
STATES = (SKIP, PASS, FLAKY, WARN, FAIL, ERROR)
HEALTHY = frozenset((SKIP, PASS, FLAKY))


def rank(state: str) -> int:
    """Severity of a state; unknown states are a mistake of the caller."""
    return STATES.index(state)


def worst(states: Iterable[str]) -> str:
    """The worst of some states; of none at all: skip, because nothing was checked."""
    return max(states, key=rank, default=SKIP)


@dataclass
class Measure:
    """A figure with its thresholds, for perfdata, Prometheus and charts."""

    label: str
    value: float
    unit: str = ""
    warn: str = ""
    crit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "label": self.label,
            "value": self.value,
            "unit": self.unit,
            "warn": self.warn,
            "crit": self.crit,
        }


@dataclass
class Verdict:
    """One finding. `kind` is the machine's word for the cause, `cause` and `remedy` are the operator's."""

    name: str
    state: str = PASS
    summary: str = ""
    _: KW_ONLY
    cause: str = ""
    remedy: str = ""
    kind: str = ""
    cure: Cure = DECISION
    evidence: dict[str, Any] = field(default_factory=dict)
    measures: list[Measure] = field(default_factory=list)
    duration_ms: float = 0.0
    attempts: int = 1
    consequence_of: str = ""
    checks: list[Verdict] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"unknown state {self.state!r}")

    @property
    def healthy(self) -> bool:
        """Whether nothing has to be done."""
        return self.state in HEALTHY

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Verdict]]:
        """The verdict and all below it with their dotted paths."""
        path = f"{prefix}.{self.name}" if prefix else self.name
        yield path, self
        for part in self.checks:
            yield from part.walk(path)

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, Verdict]]:
        """The findings proper: verdicts without parts."""
        return ((path, verdict) for path, verdict in self.walk(prefix) if not verdict.checks)

    def to_dict(self) -> dict[str, Any]:
        """As plain data with the same keys in every state."""
        return {
            "name": self.name,
            "state": self.state,
            "summary": self.summary,
            "cause": self.cause,
            "remedy": self.remedy,
            "kind": self.kind,
            "cure": self.cure._asdict(),
            "evidence": self.evidence,
            "measures": [measure.to_dict() for measure in self.measures],
            "duration_ms": round(self.duration_ms, 1),
            "attempts": self.attempts,
            "consequence_of": self.consequence_of,
            "checks": [part.to_dict() for part in self.checks],
        }


def combine(name: str, parts: Iterable[Verdict], summary: str = "", **more: Any) -> Verdict:
    """A verdict over parts: the worst state, and the words of the first part that has it."""
    checks = list(parts)
    state = worst(part.state for part in checks)
    verdict = Verdict(name, state, checks=checks, **more)
    verdict.attempts = max((part.attempts for part in checks), default=1)
    speaker = next((part for part in checks if part.state == state), None)
    if speaker is not None and state not in (PASS, SKIP):
        same = sum(part.state == state for part in checks)
        others = f" (and {same - 1} more)" if same > 1 else ""
        verdict.summary = f"{speaker.name}: {speaker.summary}{others}"
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind
    elif not checks:
        verdict.summary = summary or "nothing to check"
    else:
        record = Counter(part.summary for part in checks if part.summary)
        verdict.summary = summary or "; ".join(
            f"{number} x {text}" if number > 1 else text for text, number in record.items()
        )
    return verdict


def waived_part(name: str) -> Verdict:
    """In the place of a part that is accepted as it is."""
    return Verdict(name, SKIP, "waived", kind="waived")
