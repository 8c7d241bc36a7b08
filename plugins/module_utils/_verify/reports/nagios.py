# SPDX-License-Identifier: GPL-3.0-or-later
"""One line with performance data and an exit code, as monitoring plugins give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._terminal import clean
from ..verdict import ERROR, FAIL, PASS, WARN, Measure
from .document import verdicts_of

UNITS = ("s", "ms", "us", "%", "B", "c")
WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}


def exit_code(document: Mapping[str, Any]) -> int:
    """0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. A failure weighs more than what could not be checked."""
    states = [data["state"] for view in document["views"] for data in view["verdicts"]]
    for state, code in ((FAIL, 2), (ERROR, 3), (WARN, 1)):
        if state in states:
            return code
    return 0 if states else 3


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text)).replace("|", "/")


def perfdata(label: str, measure: Measure) -> str:
    """'label'=value[UOM];warn;crit"""
    name = _plain(label).replace("=", " ").replace("'", "''")
    unit = measure.unit if measure.unit in UNITS else ""
    value = f"{measure.value:.6f}".rstrip("0").rstrip(".") or "0"
    return f"'{name}'={value}{unit};{measure.warn};{measure.crit}".rstrip(";")


def render(document: Mapping[str, Any]) -> str:
    """The line, and the findings as its long output."""
    code = exit_code(document)
    data, long = [], []
    several = len(document["views"]) > 1
    for view in document["views"]:
        prefix = f"{view['view']} " if several else ""
        for verdict in verdicts_of(view):
            data.append(perfdata(f"{prefix}{verdict.name}", Measure("", verdict.duration_ms / 1000, "s")))
            for _path, part in verdict.walk():
                data += [
                    perfdata(f"{prefix}{verdict.name} {measure.label}", measure)
                    for measure in part.measures
                    if measure.warn or measure.crit
                ]
            if verdict.state != PASS:
                text = f"{prefix}{verdict.name} {verdict.state.upper()}: {verdict.summary}"
                if verdict.consequence_of:
                    text += f" (because of {verdict.consequence_of})"
                elif verdict.remedy:
                    text += f" - {verdict.remedy}"
                long.append(_plain(text))
    line = f"MISSION CONTROL {WORDS[code]} - {_plain(document['name'])}: {_plain(document['summary'])}"
    return "\n".join([f"{line} | {' '.join(data)}", *long]) + "\n"
