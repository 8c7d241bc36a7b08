# SPDX-License-Identifier: GPL-3.0-or-later
"""Markdown, for merge requests and chats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..._terminal import clean
from .document import VIEWS, findings, verdicts_of

SIGNS = {"pass": "✅", "flaky": "🔁", "skip": "⏭️", "warn": "⚠️", "fail": "❌", "error": "🚫"}


# What platforms make of plain text by themselves: a call to somebody, a reference, a link.
_CALLS = re.compile(r"([@#!~])(?=\w)")
_ADDRESSES = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}:)(?=//)|\b(www)(?=\.)")
_INVISIBLE = "<!-- -->"


def _cell(text: str) -> str:
    """On one line, and nothing but text: no markup, no mention of anybody, no link."""
    text = re.sub(r"\s+", " ", clean(text)).replace("\\", "\\\\")
    text = re.sub(r"([|<>*_`\[\]&])", r"\\\1", text)
    return _ADDRESSES.sub(rf"\g<0>{_INVISIBLE}", _CALLS.sub(rf"\1{_INVISIBLE}", text))


def render(document: Mapping[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        f"# Mission Control on {_cell(str(document['name']))}: {SIGNS[document['state']]} "
        f"{document['state']}",
        "",
        _cell(document["summary"]),
    ]
    if document.get("comparison"):
        comparison = document["comparison"]
        lines += [
            "",
            f"**{comparison['decision']}** compared with {comparison['baseline_started']}: "
            f"{_cell(comparison['reason'])}",
        ]
    for view in document["views"]:
        lines += [
            "",
            f"## {VIEWS.get(view['view'], view['view']).capitalize()}",
            "",
            f"{view['counts']['total']} checks in {float(view['duration_ms']) / 1000:.1f} s, "
            f"begun {view['started']}.",
            "",
        ]
        if view["root_causes"]:
            lines += ["| | finding | cause | remedy | consequences |", "|---|---|---|---|---|"]
            for cause in view["root_causes"]:
                lines.append(
                    f"| {SIGNS[cause['state']]} {cause['state']} | **{_cell(cause['check'])}**: "
                    f"{_cell(cause['summary'])} | {_cell(cause['cause'])} | {_cell(cause['remedy'])} | "
                    f"{_cell(', '.join(cause['consequences']))} |"
                )
            lines.append("")
        lines += ["| check | state | summary | time |", "|---|---|---|---|"]
        for verdict in verdicts_of(view):
            summary = verdict.summary
            if verdict.consequence_of:
                summary += f" (because of {verdict.consequence_of})"
            elif len(findings(verdict)) > 1:
                summary += f" ({len(findings(verdict))} findings)"
            lines.append(
                f"| {_cell(verdict.name)} | {SIGNS[verdict.state]} {verdict.state} | {_cell(summary)} | "
                f"{verdict.duration_ms:.0f} ms |"
            )
    return "\n".join(lines) + "\n"
