# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures under a pair of thresholds: one row says what it means when one of them is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._cures import DECISION, Cure
from .thresholds import judge
from .verdict import PASS, Measure, Verdict


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One figure. The braces in `label`, `cause` and `remedy` are filled in where it is judged."""

    name: str  # of the part
    option: str  # its thresholds are <option>_warning and <option>_critical
    label: str  # in perfdata and Prometheus
    unit: str = ""
    digits: int | None = 1  # None: a whole number
    kind: str
    cause: str
    remedy: str
    cure: Cure = DECISION

    def judged(self, value: float, summary: str, options: Mapping[str, Any], **words: object) -> Verdict:
        """The verdict on a value."""
        warn, crit = options[f"{self.option}_warning"], options[f"{self.option}_critical"]
        verdict = Verdict(self.name, judge(value, warn, crit), summary)
        figure = round(value) if self.digits is None else round(float(value), self.digits)
        verdict.measures = [Measure(self.label.format(**words), figure, self.unit, warn, crit)]
        if verdict.state != PASS:
            verdict.kind, verdict.cure = self.kind, self.cure.filled(words)
            verdict.cause, verdict.remedy = self.cause.format(**words), self.remedy.format(**words)
        return verdict
