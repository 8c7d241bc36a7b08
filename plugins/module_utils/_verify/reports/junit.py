# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML: a suite for each view, a class for each check, a case for each finding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from ..._terminal import clean
from ..verdict import ERROR, FAIL, SKIP, Verdict
from ..verdict_data import verdict_of

# XML 1.0 has no way to write most control characters.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", clean(text))


def _details(verdict: Verdict) -> str:
    lines = [verdict.summary]
    for label, text in (("Cause", verdict.cause), ("Remedy", verdict.remedy)):
        if text:
            lines.append(f"{label}: {text}")
    if verdict.consequence_of:
        lines.append(f"In consequence of: {verdict.consequence_of}")
    return _clean("\n".join(lines))


def render(document: Mapping[str, Any]) -> str:
    """The document as JUnit XML."""
    root = ElementTree.Element(
        "testsuites", name=_clean(f"Mission Control verification of {document['name']}")
    )
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for view in document["views"]:
        cases: list[ElementTree.Element] = []
        counts = dict.fromkeys(totals, 0)
        for data in view["verdicts"]:
            verdict = verdict_of(data)
            for path, leaf in verdict.leaves():
                case = ElementTree.Element(
                    "testcase",
                    classname=_clean(f"mission_control.{view['view']}.{verdict.name}"),
                    name=_clean(path.removeprefix(f"{verdict.name}.")),
                    time=f"{leaf.duration_ms / 1000:.3f}",
                )
                counts["tests"] += 1
                kind = {FAIL: "failure", ERROR: "error", SKIP: "skipped"}.get(leaf.state)
                if kind:
                    counts[{"failure": "failures", "error": "errors"}.get(kind, kind)] += 1
                    node = ElementTree.SubElement(case, kind, message=_clean(leaf.summary))
                    if kind != "skipped":
                        node.set("type", _clean(leaf.kind or leaf.state))
                        node.text = _details(leaf)
                elif leaf.state != "pass":
                    ElementTree.SubElement(case, "system-out").text = f"{leaf.state}: {_details(leaf)}"
                cases.append(case)
        suite = ElementTree.SubElement(
            root, "testsuite", name=_clean(f"{document['name']} from the {view['view']}")
        )
        for key, value in counts.items():
            suite.set(key, str(value))
        suite.set("time", f"{float(view['duration_ms']) / 1000:.3f}")
        suite.set("timestamp", str(view["started"]).split(".")[0].split("+")[0])
        suite.set("hostname", _clean(str(view["host"])))
        suite.extend(cases)
        for key, value in counts.items():
            totals[key] += value
    for key in ("tests", "failures", "errors"):
        root.set(key, str(totals[key]))
    root.set("time", f"{sum(float(view['duration_ms']) for view in document['views']) / 1000:.3f}")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
