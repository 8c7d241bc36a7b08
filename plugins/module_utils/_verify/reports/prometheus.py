# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Prometheus text: gauges of this run, for node_exporter's textfile collector or a scrape."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from ..._durations import timestamp
from ..verdict import ERROR, FAIL, Verdict

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


def render(document: Mapping[str, Any], previous: str = "") -> str:
    """The document as an exposition. `previous`, the exposition before it, tells of the last success."""
    families: dict[str, tuple[str, list[str]]] = {}

    def add(name: str, text: str, value: float, **labels: Any) -> None:
        family = families.setdefault(f"mission_control_{name}", (text, []))
        family[1].append(f"mission_control_{name}{_labels(**labels)} {_number(value)}")

    name = document["name"]
    for view in document["views"]:
        common = {"instance_name": name, "view": view["view"]}
        started = timestamp(view["started"]) or 0.0
        state = view["state"]
        add(
            "verify_state",
            "State of all checks: 0 pass, 1 flaky, 2 skip, 3 warn, 4 fail, 5 error.",
            NUMBERS[state],
            **common,
        )
        add("verify_duration_seconds", "How long the run took.", float(view["duration_ms"]) / 1000, **common)
        add("verify_last_run_timestamp_seconds", "When the run began.", started, **common)
        seen: set[tuple[str, str]] = set()
        for data in view["verdicts"]:
            verdict = Verdict.from_dict(data)
            of = {**common, "check": verdict.name}
            add(
                "check_state",
                "State of a check: 0 pass, 1 flaky, 2 skip, 3 warn, 4 fail, 5 error.",
                NUMBERS[verdict.state],
                **of,
            )
            add("check_duration_seconds", "How long a check took.", verdict.duration_ms / 1000, **of)
            add("check_attempts", "How many attempts a check needed.", verdict.attempts, **of)
            add(
                "check_consequence",
                "Whether another finding explains the check's state.",
                int(bool(verdict.consequence_of)),
                **of,
            )
            for path, part in verdict.walk():
                for measure in part.measures:
                    key = (path, measure.label)
                    if key in seen:
                        continue
                    seen.add(key)
                    add(
                        "measure",
                        "A figure of a check, in the unit named.",
                        measure.value,
                        **common,
                        check=verdict.name,
                        part=path.removeprefix(verdict.name).lstrip("."),
                        measure=measure.label,
                        unit=measure.unit,
                    )
    started = timestamp(document["started"]) or 0.0
    success = started
    if document["state"] in (FAIL, ERROR):
        match = _SUCCESS.search(previous)
        try:
            success = float(match[1]) if match else 0.0
        except ValueError:
            success = 0.0
    add(
        "verify_last_success_timestamp_seconds",
        "When the last run without failure began; 0 when there was none.",
        success,
        instance_name=name,
    )
    lines = []
    for family, (text, samples) in families.items():
        lines += [f"# HELP {family} {text}", f"# TYPE {family} gauge", *samples]
    return "\n".join(lines) + "\n"
