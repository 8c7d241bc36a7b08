# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of all ranges: the answered range, shape and series, thresholds on KPIs and on changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from ..._times.timestamps import timestamp
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge, parse_range
from ..verdict import ERROR, FAIL, PASS, SKIP, Measure, Verdict, combine
from . import api
from .dialect import METRICS, dialect

KPIS = (
    "active_agents",
    "tasks_in_progress",
    "error_rate_pct",
    "median_cycle_time_hours_7d",
)
# Later than the guide; older backends may lack them.
MORE_KPIS = ("inbox_tasks", "in_progress_tasks", "review_tasks", "done_tasks")
SERIES = ("throughput", "cycle_time", "error_rate", "wip")
WIP = ("inbox", "in_progress", "review", "done")
# Bucket of each range, fewest and most points. Buckets are the calendar's: by the day on which they begin,
# 180 days touch 26 or 27 weeks. So a series and the one before it may differ by a point.
SHAPES = {
    "24h": ("hour", 25, 25),
    "3d": ("day", 4, 4),
    "7d": ("day", 8, 8),
    "14d": ("day", 15, 15),
    "1m": ("day", 31, 31),
    "3m": ("week", 13, 14),
    "6m": ("week", 26, 27),
    "1y": ("month", 12, 13),
}


def _shape(problem: str, remedy: str = "") -> Problem:
    return Problem(
        "metrics_shape",
        problem,
        cause="The backend's metrics have another shape than the guide describes: another version, or a "
        "defect.",
        remedy=remedy or "Compare mission_control_revision with the versions that this collection supports.",
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def series_problems(name: str, side: str, series: Any, range_name: str) -> list[str]:
    """What is wrong with one series."""
    where = f"{name}.{side}"
    if not isinstance(series, Mapping) or not isinstance(series.get("points"), list):
        return [f"{where} has no points"]
    problems = []
    bucket, fewest, most = SHAPES[range_name]
    points = series["points"]
    if series.get("range") != range_name:
        problems.append(f"{where} is for {series.get('range')}")
    if series.get("bucket") != bucket:
        problems.append(f"{where} has buckets of a {series.get('bucket')}, expected was {bucket}")
    if not fewest <= len(points) <= most:
        expected = str(most) if fewest == most else f"{fewest} or {most}"
        problems.append(f"{where} has {len(points)} points, expected were {expected}")
    wanted = WIP if name == "wip" else ("value",)
    times = []
    for point in points:
        if not isinstance(point, Mapping) or not all(_number(point.get(key)) for key in wanted):
            problems.append(f"{where} has a point without numbers")
            break
        times.append(timestamp(point.get("period")))
    if None in times:
        problems.append(f"{where} has a point without a time")
    elif any(later <= earlier for earlier, later in pairwise(times)):  # type: ignore[operator]
        problems.append(f"{where} is not in order of time")
    return problems


def judge_shape(body: Any, range_name: str) -> None:
    """Raise for an answer that is not what was asked for."""
    if not isinstance(body, Mapping):
        raise _shape("the answer is not an object")
    answered = body.get("range")
    if answered != range_name:
        raise Problem(
            "metrics_range",
            f"asked for {range_name}, answered was {answered}",
            cause="The backend ignored the range: its parameter has another name than the one that was sent.",
            remedy="Set range_parameter to range or range_key, whichever this backend reads.",
            evidence={"asked": range_name, "answered": answered},
        )
    kpis = body.get("kpis")
    if not isinstance(kpis, Mapping):
        raise _shape("the answer has no kpis")
    missing = [
        name
        for name in KPIS
        if not _number(kpis.get(name)) and not (name == KPIS[3] and name in kpis and kpis[name] is None)
    ]
    if missing:
        raise _shape(f"KPIs are missing or no numbers: {', '.join(missing)}")
    problems = []
    for name in SERIES:
        both = body.get(name)
        if not isinstance(both, Mapping):
            problems.append(f"{name} is missing")
            continue
        for side in ("primary", "comparison"):
            problems += series_problems(name, side, both.get(side), range_name)
    if problems:
        raise _shape(
            "; ".join(problems[:3]) + (f"; and {len(problems) - 3} more" if len(problems) > 3 else "")
        )


def mean(points: Sequence[Mapping[str, Any]], key: str) -> float:
    """The mean of a series."""
    return sum(float(point[key]) for point in points) / len(points) if points else 0.0


def change_pct(before: float, after: float) -> float | None:
    """The change in percent; None where there is nothing to compare with."""
    return (after - before) / before * 100 if before else None


def judge_values(body: Mapping[str, Any], range_name: str, options: Mapping[str, Any]) -> list[Verdict]:
    """Thresholds on KPIs and on changes against the comparison series."""
    found = []
    kpis = body["kpis"]
    for name in (*KPIS, *MORE_KPIS):
        value = kpis.get(name)
        warn = str((options["kpi_warning"] or {}).get(name, ""))
        crit = str((options["kpi_critical"] or {}).get(name, ""))
        if not (warn or crit) or value is None:
            continue
        state = judge(float(value), warn, crit)
        verdict = Verdict(name, state, f"{name} is {value:g}")
        verdict.measures = [Measure(f"{range_name} {name}", float(value), "", warn, crit)]
        if state != PASS:
            limit = crit if state == FAIL else warn
            verdict.kind = "kpi_threshold"
            verdict.summary = f"{name} is {value:g}, the limit is {limit}"
            verdict.cause = f"The KPI {name} over {range_name} left the range that was set for it."
            verdict.remedy = (
                "Look at the tasks, agents and activity behind the figure in the user interface; "
                f"the limit is verify_metrics: "
                f"{{kpi_{'critical' if state == FAIL else 'warning'}: {{{name}: ...}}}}."
            )
        found.append(verdict)
    for name in SERIES[:3]:
        warn = str((options["change_warning"] or {}).get(name, ""))
        crit = str((options["change_critical"] or {}).get(name, ""))
        if not (warn or crit):
            continue
        before = mean(body[name]["comparison"]["points"], "value")
        after = mean(body[name]["primary"]["points"], "value")
        change = change_pct(before, after)
        if change is None:
            found.append(Verdict(f"{name} change", SKIP, f"{name}: the comparison series is all zero"))
            continue
        state = judge(change, warn, crit)
        verdict = Verdict(f"{name} change", state, f"{name} changed by {change:+.0f} %")
        verdict.measures = [Measure(f"{range_name} {name} change", round(change, 1), "%", warn, crit)]
        verdict.evidence = {"mean": round(after, 3), "mean_before": round(before, 3)}
        if state != PASS:
            verdict.kind = "kpi_change"
            verdict.summary += f", the limit is {crit if state == FAIL else warn}"
            verdict.cause = (
                f"{name} over {range_name} differs by more than was allowed from the {range_name} before."
            )
            verdict.remedy = "See what changed between the two: a deployment, other agents, other tasks."
        found.append(verdict)
    return found


def compact(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a report shows of it: KPIs and series without their repeated keys."""
    found: dict[str, Any] = {"range": body["range"], "kpis": dict(body["kpis"]), "series": {}}
    for name in SERIES:
        keys = WIP if name == "wip" else ("value",)
        both: dict[str, Any] = {}
        for side in ("primary", "comparison"):
            points = body[name][side]["points"]
            both[side] = {
                "from": points[0]["period"] if points else "",
                "to": points[-1]["period"] if points else "",
                "bucket": body[name][side]["bucket"],
                **{key: [round(float(point[key]), 3) for point in points] for key in keys},
            }
        found["series"][name] = both
    return found


def judge_range(
    body: Any, range_name: str, options: Mapping[str, Any], thresholds: bool, name: str = ""
) -> Verdict:
    """One range: shape first, then values."""
    judge_shape(body, range_name)
    kpis = body["kpis"]
    text = ", ".join(f"{key} {kpis[key]:g}" for key in KPIS[:3])
    parts = judge_values(body, range_name, options) if thresholds else []
    verdict = combine(name or range_name, parts, text) if parts else Verdict(name or range_name, PASS, text)
    verdict.evidence = compact(body)
    verdict.measures = [
        Measure(f"{name or range_name} {key}", float(kpis[key]))
        for key in (*KPIS, *MORE_KPIS)
        if _number(kpis.get(key))
    ]
    return verdict


def option_problems(options: Mapping[str, Any]) -> list[str]:
    """Misspelt KPIs and series, and ranges that are none."""
    problems = []
    known = {"kpi": (*KPIS, *MORE_KPIS), "change": SERIES[:3]}
    for kind, names in known.items():
        for level in ("warning", "critical"):
            for name, text in (options[f"{kind}_{level}"] or {}).items():
                if name not in names:
                    problems.append(f"{kind}_{level}: unknown {name!r}; there are {', '.join(names)}")
                    continue
                try:
                    parse_range(text)
                except ValueError as error:
                    problems.append(f"{kind}_{level}.{name}: {error}")
    return problems


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """All ranges side by side; filters by board and group as parts of their own."""
    problems = option_problems(options)
    if problems:
        return Verdict(
            "metrics",
            ERROR,
            "; ".join(problems),
            cause="An option is wrong.",
            remedy="Correct it.",
            kind="bad_option",
        )
    parameter = dialect(context).range_parameter
    ranges = list(options["ranges"])

    def ask(range_name: str, **more: Any) -> Any:
        return context.fetch(METRICS, {parameter: range_name, **more})

    def judge_one(range_name: str, body: Any = None) -> Verdict:
        body = ask(range_name) if body is None else body
        return judge_range(body, range_name, options, range_name in options["threshold_ranges"])

    works = [(range_name, partial(judge_one, range_name)) for range_name in ranges]

    def filtered(name: str, key: str, identifier: str, known: list[str] | None) -> Verdict:
        if known is not None and identifier not in known:
            # The backend answers zeros for a group that does not exist.
            raise Problem(
                "metrics_unknown",
                f"there is no {name}",
                cause=f"The {key.removesuffix('_id')} {identifier} was deleted, or its identifier is "
                "misspelt.",
                remedy="Correct verify_metrics: {board_ids or group_ids: [...]}.",
            )
        bodies = context.parallel([partial(ask, range_name, **{key: identifier}) for range_name in ranges])
        verdicts = [
            context.guard(range_name, partial(judge_one, range_name, body))
            for range_name, body in zip(ranges, bodies, strict=True)
        ]
        return combine(name, verdicts, f"{len(verdicts)} ranges")

    for board_id in options["board_ids"]:
        name = f"board {board_id}"
        works.append((name, partial(filtered, name, "board_id", str(board_id), None)))
    if options["group_ids"]:
        groups = [str(group.get("id")) for group in api.pages(context, "/api/v1/board-groups")]
        for group_id in options["group_ids"]:
            name = f"group {group_id}"
            works.append(
                (
                    name,
                    partial(filtered, name, "group_id", str(group_id), groups),
                )
            )
    verdict = context.each("metrics", works)
    if verdict.state == PASS:
        verdict.summary = f"{len(ranges)} ranges; {verdict.checks[0].name}: {verdict.checks[0].summary}"
    return verdict
