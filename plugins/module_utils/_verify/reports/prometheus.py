# SPDX-License-Identifier: GPL-3.0-or-later
"""Prometheus text: gauges of this run, for node_exporter's textfile collector or a scrape."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..._times.timestamps import timestamp
from ..verdict import ERROR, FAIL, Verdict
from ..verdict_data import verdict_of

# The values of mission_control_check_state, in the order of severity that alerts compare with.
NUMBERS = {"pass": 0, "flaky": 1, "skip": 2, "warn": 3, "fail": 4, "error": 5}
_SUCCESS = re.compile(r"^mission_control_verify_last_success_timestamp_seconds\{.*\} (\S+)$", re.MULTILINE)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _labels(**labels: Any) -> str:
    return "{" + ",".join(f'{name}="{_escape(str(value))}"' for name, value in labels.items()) + "}"


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(round(value, 6)) if value % 1 else str(int(value))


class _Exposition:
    """Samples by the name of their family, in the order in which the families came up."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, list[str]]] = {}

    def add(self, name: str, text: str, value: float, **labels: Any) -> None:
        family = self._families.setdefault(f"mission_control_{name}", (text, []))
        family[1].append(f"mission_control_{name}{_labels(**labels)} {_number(value)}")

    def text(self) -> str:
        lines: list[str] = []
        for family, (text, samples) in self._families.items():
            lines += [f"# HELP {family} {text}", f"# TYPE {family} gauge", *samples]
        return "\n".join(lines) + "\n"


def _add_view(found: _Exposition, view: Mapping[str, Any], common: Mapping[str, str]) -> None:
    found.add(
        "verify_state",
        "State of all checks: 0 pass, 1 flaky, 2 skip, 3 warn, 4 fail, 5 error.",
        NUMBERS[view["state"]],
        **common,
    )
    duration, started = float(view["duration_ms"]) / 1000, timestamp(view["started"]) or 0.0
    found.add("verify_duration_seconds", "How long the run took.", duration, **common)
    found.add("verify_last_run_timestamp_seconds", "When the run began.", started, **common)
    seen: set[tuple[str, str]] = set()
    for data in view["verdicts"]:
        verdict = verdict_of(data)
        _add_check(found, verdict, {**common, "check": verdict.name})
        for path, part in verdict.walk():
            for measure in part.measures:
                key = (path, measure.label)
                if key in seen:
                    continue
                seen.add(key)
                found.add(
                    "measure",
                    "A figure of a check, in the unit named.",
                    measure.value,
                    **common,
                    check=verdict.name,
                    part=path.removeprefix(verdict.name).lstrip("."),
                    measure=measure.label,
                    unit=measure.unit,
                )


def _add_check(found: _Exposition, verdict: Verdict, of: Mapping[str, str]) -> None:
    found.add(
        "check_state",
        "State of a check: 0 pass, 1 flaky, 2 skip, 3 warn, 4 fail, 5 error.",
        NUMBERS[verdict.state],
        **of,
    )
    found.add("check_duration_seconds", "How long a check took.", verdict.duration_ms / 1000, **of)
    found.add("check_attempts", "How many attempts a check needed.", verdict.attempts, **of)
    found.add(
        "check_consequence",
        "Whether another finding explains the check's state.",
        int(bool(verdict.consequence_of)),
        **of,
    )


def _last_success(document: Mapping[str, Any], previous: str) -> float:
    if document["state"] not in (FAIL, ERROR):
        return timestamp(document["started"]) or 0.0
    match = _SUCCESS.search(previous)
    try:
        return float(match[1]) if match else 0.0
    except ValueError:
        return 0.0


def render(document: Mapping[str, Any], previous: str = "") -> str:
    """The document as an exposition. `previous`, the exposition before it, tells of the last success."""
    found = _Exposition()
    for view in document["views"]:
        _add_view(found, view, {"instance_name": document["name"], "view": view["view"]})
    found.add(
        "verify_last_success_timestamp_seconds",
        "When the last run without failure began; 0 when there was none.",
        _last_success(document, previous),
        instance_name=document["name"],
    )
    return found.text()
