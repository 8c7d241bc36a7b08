# SPDX-License-Identifier: GPL-3.0-or-later
"""The Test Anything Protocol, version 13: a line for each finding, and below it what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..._terminal import clean
from ..verdict import ERROR, FAIL, PASS, SKIP, Verdict
from ..verdict_data import verdict_of


def _line(text: str) -> str:
    """On one line, and not taken for a directive."""
    return re.sub(r"\s+", " ", clean(text)).replace("\\", "\\\\").replace("#", "\\#").strip()


def _diagnosis(verdict: Verdict) -> list[str]:
    """A block of YAML. Strings as JSON writes them are YAML, too."""
    entries = {
        "state": verdict.state,
        "message": verdict.summary,
        "kind": verdict.kind,
        "cause": verdict.cause,
        "remedy": verdict.remedy,
        "because_of": verdict.consequence_of,
    }
    lines = [f"  {name}: {json.dumps(text)}" for name, text in entries.items() if text]
    return ["  ---", *lines, f"  duration_ms: {verdict.duration_ms:.1f}", "  ..."]


def render(document: Mapping[str, Any]) -> str:
    """The document as TAP."""
    lines: list[str] = []
    number = 0
    for view in document["views"]:
        for data in view["verdicts"]:
            for path, leaf in verdict_of(data).leaves():
                number += 1
                word = "not ok" if leaf.state in (FAIL, ERROR) else "ok"
                line = f"{word} {number} - {_line(str(view['view']))}: {_line(path)}"
                if leaf.state == SKIP:
                    lines.append(f"{line} # SKIP {_line(leaf.summary)}")
                    continue
                lines.append(line)
                if leaf.state != PASS:
                    lines += _diagnosis(leaf)
    title = f"# Mission Control on {_line(str(document['name']))}: {_line(str(document['summary']))}"
    return "\n".join(["TAP version 13", f"1..{number}", title, *lines]) + "\n"
