# SPDX-License-Identifier: GPL-3.0-or-later
"""One document over the views of a host, and the table that a terminal shows."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from ..._redaction import Redactor
from ..._terminal import clean_data
from ..causes import root_causes
from ..verdict import ERROR, FAIL, HEALTHY, SKIP, STATES, WARN, Verdict, rank, worst
from ..verdict_data import verdict_of
from ..views import join

SCHEMA = 1
VIEWS = {"host": "from the host itself", "controller": "from the controller"}
REPORT_KEYS = (
    "view",
    "host",
    "state",
    "summary",
    "counts",
    "root_causes",
    "verdicts",
    "started",
    "duration_ms",
    "requests",
)


def begun(report: Mapping[str, Any]) -> str:
    """When a run began: modules call it otherwise than the documents (see _suite)."""
    return str(report.get("begun") or report.get("started") or "")


def trees(report: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The verdicts of a report; the result of a single check has one."""
    return [report["verdict"]] if "verdict" in report else report.get("verdicts")


def document(
    name: str, reports: Sequence[Mapping[str, Any]], comparison: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Everything that was found about one host. Its schema is docs/report.schema.json."""
    views: list[dict[str, Any]] = [
        {key: report.get(key) for key in REPORT_KEYS} | {"started": begun(report), "verdicts": trees(report)}
        for report in reports
    ]
    _join(views)
    counts = {
        key: sum(int((view["counts"] or {}).get(key, 0)) for view in views) for key in ("total", *STATES)
    }
    bad = [view for view in views if view["state"] in (FAIL, ERROR)] or [
        view for view in views if view["state"] == WARN
    ]
    return dict(
        told(
            {
                "schema": SCHEMA,
                "name": name,
                "state": worst(view["state"] for view in views),
                "summary": "; ".join(
                    view["summary"]
                    if len(views) == 1
                    else f"{VIEWS.get(view['view'], view['view'])}: {view['summary']}"
                    for view in (bad or views)
                ),
                "counts": counts,
                "started": min((str(view["started"]) for view in views), default=""),
                "views": views,
                "comparison": dict(comparison) if comparison else None,
            }
        )
    )


def told(found: dict[str, Any]) -> dict[str, Any]:
    """What may leave: without secrets, and without anything that a terminal or a program acts upon."""
    return dict(clean_data(Redactor().data(found)))


def _join(views: Sequence[dict[str, Any]]) -> None:
    """Give each view the causes that the other one knows: most of them the host's own."""
    found = {view["view"]: view for view in views}
    if not {"host", "controller"} <= set(found) or found["controller"]["state"] in HEALTHY:
        return
    here, outside = (
        [verdict_of(data) for data in found[name]["verdicts"] or []] for name in ("host", "controller")
    )
    join(here, outside)
    for name, verdicts, whose in (
        ("host", here, "the controller sees"),
        ("controller", outside, "the host itself shows"),
    ):
        view = found[name]
        view["verdicts"] = [verdict.to_dict() for verdict in verdicts]
        view["root_causes"] = root_causes(verdicts)
        bad = [verdict for verdict in verdicts if verdict.state in (FAIL, ERROR)]
        if bad and all(verdict.consequence_of for verdict in bad):
            checks = ", ".join(verdict.name for verdict in bad)
            view["summary"] = f"{checks}: for the reason that {whose}"


def verdicts_of(view: Mapping[str, Any]) -> list[Verdict]:
    """The verdicts of a view, the worst first, causes before consequences."""
    found = [verdict_of(data) for data in view["verdicts"] or []]
    return sorted(found, key=lambda verdict: (-rank(verdict.state), bool(verdict.consequence_of)))


def findings(verdict: Verdict) -> list[tuple[str, Verdict]]:
    """The parts of a verdict that call for something, causes first, the worst first."""
    found = [pair for pair in verdict.leaves() if pair[1].state in (WARN, FAIL, ERROR)]
    return sorted(found, key=lambda pair: (bool(pair[1].consequence_of), -rank(pair[1].state)))


_COLOURS = {"pass": "32", "flaky": "36", "skip": "2", "warn": "33", "fail": "31;1", "error": "35;1"}


def table(report: Mapping[str, Any], *, width: int = 0, colour: bool = False, verbose: bool = False) -> str:
    """The verdicts as a compact table, the worst first."""
    width = max(60, min(width or shutil.get_terminal_size((110, 24)).columns, 140))
    lines: list[str] = []

    def paint(state: str, text: str) -> str:
        return f"\033[{_COLOURS[state]}m{text}\033[0m" if colour else text

    def row(label: str, text: str, head: str = "") -> None:
        start = f"  {head or '':<5}  {label:<12} "
        wrapped = textwrap.wrap(text, max(20, width - len(start)), break_on_hyphens=False) or [""]
        for number, part in enumerate(wrapped):
            lead = start if number == 0 else " " * len(start)
            if head and number == 0:
                lead = lead.replace(f"{head:<5}", paint(head, f"{head:<5}"), 1)
            lines.append((lead + part).rstrip())

    for view in report["views"]:
        seconds = float(view["duration_ms"] or 0) / 1000
        where = VIEWS.get(str(view["view"]), str(view["view"]))
        title = f"{report['name']} {where}: {paint(str(view['state']), str(view['state']).upper())}"
        lines.append(f"{title}  ({view['counts']['total']} checks in {seconds:.1f} s)")
        for verdict in verdicts_of(view):
            time = f" [{verdict.duration_ms:.0f} ms]" if verdict.state not in (SKIP,) else ""
            if verdict.state not in (WARN, FAIL, ERROR):
                row(verdict.name, verdict.summary + time, verdict.state)
                continue
            record = 0
            for path, part in findings(verdict):
                short = path.removeprefix(f"{verdict.name}.")
                where_in = f"{short}: " if short != path else ""
                if part.consequence_of:
                    if not record:
                        row(verdict.name, f"{where_in}{part.summary}", part.state)
                        row("", f"because of {part.consequence_of}")
                        record += 1
                    break
                row(verdict.name if not record else "", f"{where_in}{part.summary}", part.state)
                row("  cause", part.cause)
                row("  remedy", part.remedy)
                record += 1
                if record >= 6 and not verbose:
                    rest = sum(not other.consequence_of for _path, other in findings(verdict)) - record
                    if rest > 0:
                        row("", f"and {rest} more findings of this check (see the reports)")
                    break
    if report.get("comparison"):
        comparison = report["comparison"]
        lines.append(f"compared with {comparison['baseline_started']}: {comparison['decision']}")
        row("", comparison["reason"])
    return "\n".join(lines)
