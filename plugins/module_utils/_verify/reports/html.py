# SPDX-License-Identifier: GPL-3.0-or-later
"""One page that needs nothing else: verdicts, timings, the metrics' series as charts, sessions, errors."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..._times.amounts import brief
from ..verdict import ERROR, FAIL, SKIP, WARN, Verdict
from .document import VIEWS, findings, verdicts_of

NONE = "\N{EN DASH}"
WORDS = {
    "pass": "passed",
    "flaky": "passed after a retry",
    "skip": "skipped",
    "warn": "warning",
    "fail": "failed",
    "error": "could not be checked",
}
SIGNS = {"pass": "✓", "flaky": "↻", "skip": NONE, "warn": "!", "fail": "✗", "error": "?"}
SERIES = {
    "throughput": ("Throughput", "tasks"),
    "cycle_time": ("Cycle time", "hours"),
    "error_rate": ("Error rate", "% of activity"),
}
WIP = {"inbox": "Inbox", "in_progress": "In progress", "review": "Review", "done": "Done"}
KPIS = {
    "active_agents": "Active agents",
    "tasks_in_progress": "Tasks in progress",
    "error_rate_pct": "Error rate, %",
    "median_cycle_time_hours_7d": "Median cycle time (7 days), h",
    "inbox_tasks": "In inbox",
    "review_tasks": "In review",
    "done_tasks": "Done",
}
RANGES = {
    "24h": "24 hours",
    "3d": "3 days",
    "7d": "7 days",
    "14d": "14 days",
    "1m": "1 month",
    "3m": "3 months",
    "6m": "6 months",
    "1y": "1 year",
}

STYLE = """
:root{color-scheme:light dark;
--bg:#f6f7f9;--card:#fff;--ink:#16191d;--soft:#545c66;--line:#d9dde3;--accent:#1d5fbf;
--pass:#17692f;--passbg:#e2f4e6;--warn:#7a4b00;--warnbg:#fff0d1;--fail:#a3141f;--failbg:#fde4e4;
--skip:#545c66;--skipbg:#eceef1;--error:#6b21a8;--errorbg:#f1e6fb;
--s1:#1d5fbf;--s2:#b45309;--w1:#8a93a0;--w2:#1d5fbf;--w3:#b45309;--w4:#17692f}
@media(prefers-color-scheme:dark){:root{
--bg:#121519;--card:#1b1f25;--ink:#e8ebef;--soft:#a7b0bb;--line:#343b45;--accent:#7fb2ff;
--pass:#7fd99a;--passbg:#153521;--warn:#ffc864;--warnbg:#3a2a08;--fail:#ff9a9a;--failbg:#431a1c;
--skip:#a7b0bb;--skipbg:#2a3038;--error:#d3b0ff;--errorbg:#33204a;
--s1:#7fb2ff;--s2:#ffb35c;--w1:#8a93a0;--w2:#7fb2ff;--w3:#ffb35c;--w4:#7fd99a}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .6rem}h3{font-size:1rem;
margin:0 0 .4rem}
p{margin:.3rem 0}a{color:var(--accent)}code{font:.9em ui-monospace,Menlo,Consolas,monospace;
overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.9rem 1rem;
margin:.6rem 0}
.soft{color:var(--soft);font-size:.9rem}
.badge{display:inline-block;border-radius:1rem;padding:.05rem .6rem;font-size:.85rem;font-weight:600;
white-space:nowrap}
.pass,.flaky{color:var(--pass);background:var(--passbg)}.warn{color:var(--warn);background:var(--warnbg)}
.fail{color:var(--fail);background:var(--failbg)}.skip{color:var(--skip);background:var(--skipbg)}
.error{color:var(--error);background:var(--errorbg)}
.cause{border-left:.3rem solid var(--fail)}.cause.w{border-left-color:var(--warn)}
.cause.e{border-left-color:var(--error)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .8rem;margin:.5rem 0 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
details{border-top:1px solid var(--line);padding:.45rem 0}details:first-of-type{border-top:0}
summary{cursor:pointer;display:grid;grid-template-columns:9.5rem 1fr auto;gap:.6rem;align-items:baseline}
summary>span{overflow-wrap:anywhere}summary .name{font-weight:600}
summary .name::before{content:"\\25b8\\00a0";color:var(--soft)}
details[open]>summary .name::before{content:"\\25be\\00a0"}

summary:focus-visible{outline:2px solid var(--accent)}
.parts{margin:.4rem 0 .4rem 1rem;padding:0;list-style:none}.parts li{margin:.25rem 0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--soft);font-size:.9rem;padding-bottom:.3rem}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:.8rem}
.grid .card{margin:0}.kpis{display:flex;flex-wrap:wrap;gap:.4rem 1.6rem;margin:.4rem 0}
.kpis b{font-size:1.25rem;font-variant-numeric:tabular-nums;display:block}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}
.axis{stroke:var(--line);stroke-width:1}.p{stroke:var(--s1)}.c{stroke:var(--s2);stroke-dasharray:5 4}
.p,.c{fill:none;stroke-width:2;stroke-linejoin:round}.dot{fill:var(--s1)}
.inbox{fill:var(--w1)}.in_progress{fill:var(--w2)}.review{fill:var(--w3)}.done{fill:var(--w4)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.85rem;color:var(--soft);margin:.2rem 0}
.legend i{display:inline-block;width:1.4rem;height:0;border-top:3px solid;vertical-align:middle;
margin-right:.35rem}
.legend i.sq{height:.8rem;width:.8rem;border:0}
.legend .i1{border-color:var(--s1)}.legend .i2{border-color:var(--s2);border-top-style:dashed!important}
.q1{background:var(--w1)}.q2{background:var(--w2)}.q3{background:var(--w3)}.q4{background:var(--w4)}
.bar{fill:var(--s1)}.alt{font-size:.85rem}.alt summary{display:list-item;color:var(--soft)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0;
font:.85rem/1.45 ui-monospace,Menlo,Consolas,monospace}
@media(max-width:40rem){summary{grid-template-columns:1fr auto}
summary>span:nth-child(2){grid-column:1/3;grid-row:2}
dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
@media print{details>*{display:block}}
"""


def _time(text: str) -> str:
    """A moment as people read it."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return _text(text)
    return f'<time datetime="{_text(text)}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)


def _badge(state: str) -> str:
    return f'<span class="badge {state}">{SIGNS[state]} {WORDS[state]}</span>'


def _figure(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def _nice(most: float) -> float:
    """A round number that is not below."""
    if most <= 0:
        return 1.0
    step = 1.0
    while step * 10 < most:
        step *= 10
    while step >= most:
        step /= 10
    return next(step * factor for factor in (1, 2, 2.5, 4, 5, 8, 10) if step * factor >= most)


def _day(text: str, bucket: str) -> str:
    return text[11:16] if bucket == "hour" else text[:7] if bucket == "month" else text[5:10]


WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 170, 40, 22, 10


def _frame(most: float, side: Mapping[str, Any]) -> str:
    parts = []
    for share in (0, 0.5, 1):
        y = HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)
        parts.append(f'<line class="axis" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{_figure(most * share)}</text>')
    bucket = str(side.get("bucket", ""))
    first, last = _day(str(side.get("from", "")), bucket), _day(str(side.get("to", "")), bucket)
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">{_text(first)}</text>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT - 6}" text-anchor="end">{_text(last)}</text>')
    return "".join(parts)


def _points(values: Sequence[float], most: float) -> list[tuple[float, float]]:
    step = (WIDTH - LEFT - 6) / max(len(values) - 1, 1)
    return [
        (LEFT + 3 + number * step, HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP))
        for number, value in enumerate(values)
    ]


def line_chart(title: str, unit: str, both: Mapping[str, Any], identifier: str) -> str:
    """Primary as a line, comparison as a dashed one, over the same width."""
    primary, comparison = list(both["primary"]["value"]), list(both["comparison"]["value"])
    most = _nice(max([*primary, *comparison, 0]))
    lines = []
    for name, values in (("c", comparison), ("p", primary)):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(values, most))
        lines.append(f'<polyline class="{name}" points="{path}"/>')
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"><title>{_figure(value)} '
        f"{_text(unit)}</title></circle>"
        for (x, y), value in zip(_points(primary, most), primary, strict=True)
    )
    total, before = sum(primary) / max(len(primary), 1), sum(comparison) / max(len(comparison), 1)
    caption = f"{title}: mean {_figure(total)} {unit} now, {_figure(before)} in the span before."
    rows = "".join(
        f'<tr><td class="n">{number + 1}</td><td class="n">{_figure(now)}</td><td class="n">'
        f"{_figure(comparison[number]) if number < len(comparison) else ''}</td></tr>"
        for number, now in enumerate(primary)
    )
    return (
        f'<figure class="card" style="margin:0"><h3>{_text(title)} '
        f'<span class="soft">({_text(unit)})</span></h3>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{identifier}">'
        f"<title "
        f'id="{identifier}">{_text(caption)}</title>'
        f"{_frame(most, both['primary'])}{''.join(lines)}{dots}</svg>"
        '<div class="legend"><span><i class="i1"></i>this range</span>'
        '<span><i class="i2"></i>the range before</span></div>'
        f'<details class="alt"><summary>Figures</summary><div '
        f'class="scroll"><table><caption>{_text(caption)}</caption>'
        '<thead><tr><th scope="col" class="n">bucket</th><th scope="col" class="n">this range</th>'
        f'<th scope="col" '
        f'class="n">before</th></tr></thead><tbody>{rows}</tbody></table></div></details></figure>'
    )


def stacked_chart(title: str, side: Mapping[str, Any], identifier: str) -> str:
    """Work in progress by status, as stacked bars."""
    count = len(side["inbox"])
    totals = [sum(float(side[key][number]) for key in WIP) for number in range(count)]
    most = _nice(max([*totals, 0]))
    step = (WIDTH - LEFT) / max(count, 1)
    bars = []
    for number in range(count):
        y = float(HEIGHT - BOTTOM)
        for key, label in WIP.items():
            value = float(side[key][number])
            height = value / most * (HEIGHT - BOTTOM - TOP)
            y -= height
            if height > 0:
                bars.append(
                    f'<rect class="{key}" x="{LEFT + number * step + 1:.1f}" y="{y:.1f}" '
                    f'width="{max(step - 2, 1):.1f}" '
                    f'height="{height:.1f}"><title>{label}: {_figure(value)}</title></rect>'
                )
    sums = ", ".join(f"{label} {_figure(sum(map(float, side[key])))}" for key, label in WIP.items())
    caption = f"{title}, by status over the range: {sums}."
    rows = "".join(
        f'<tr><td class="n">{number + 1}</td>'
        + "".join(f'<td class="n">{_figure(float(side[key][number]))}</td>' for key in WIP)
        + "</tr>"
        for number in range(count)
    )
    heads = "".join(f'<th scope="col" class="n">{label}</th>' for label in WIP.values())
    keys = "".join(
        f'<span><i class="sq q{number}"></i>{label}</span>' for number, label in enumerate(WIP.values(), 1)
    )
    return (
        f'<figure class="card" style="margin:0"><h3>{_text(title)} '
        '<span class="soft">(tasks)</span></h3>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{identifier}">'
        f'<title id="{identifier}">{_text(caption)}</title>{_frame(most, side)}{"".join(bars)}</svg>'
        f'<div class="legend">{keys}</div>'
        f'<details class="alt"><summary>Figures</summary><div '
        f'class="scroll"><table><caption>{_text(caption)}</caption>'
        f'<thead><tr><th scope="col" '
        f'class="n">bucket</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</details></figure>"
    )


def _find(view: Mapping[str, Any], check: str) -> Verdict | None:
    return next((verdict for verdict in verdicts_of(view) if verdict.name == check), None)


def _metrics(view: Mapping[str, Any], number: int) -> str:
    verdict = _find(view, "metrics")
    ranges = [part for part in verdict.checks if part.evidence.get("series")] if verdict else []
    if not ranges:
        return ""
    out = ['<section aria-labelledby="metrics"><h2 id="metrics">Metrics</h2>']
    for index, part in enumerate(ranges):
        kpis = "".join(
            f"<div><b>{_figure(float(part.evidence['kpis'][key]))}</b><span "
            f"class='soft'>{_text(label)}</span></div>"
            for key, label in KPIS.items()
            if isinstance(part.evidence["kpis"].get(key), (int, float))
        )
        charts = [
            line_chart(title, unit, part.evidence["series"][key], f"v{number}r{index}{key}")
            for key, (title, unit) in SERIES.items()
        ]
        charts.append(
            stacked_chart(
                "Work in progress", part.evidence["series"]["wip"]["primary"], f"v{number}r{index}w"
            )
        )
        opened = " open" if index == 0 else ""
        title = RANGES.get(part.name, part.name)
        out.append(
            f'<details class="card"{opened}><summary><span class="name">{_text(title)}</span>'
            f"<span>{_text(part.summary)}</span>{_badge(part.state)}</summary>"
            f'<div class="kpis">{kpis}</div><div class="grid">{"".join(charts)}</div></details>'
        )
    return "".join([*out, "</section>"])


def _sessions(view: Mapping[str, Any]) -> str:
    verdict = _find(view, "sessions")
    rows = []
    for target in verdict.checks if verdict else []:
        count = next((part for part in target.checks if part.name == "count"), None)
        for session in (count.evidence.get("sessions") if count else None) or []:
            idle = session.get("idle_seconds")
            last = f"{brief(max(0, idle))} ago" if isinstance(idle, (int, float)) else NONE
            main = " (main)" if session.get("main") else ""
            rows.append(
                f"<tr><td>{_text(session.get('label') or NONE)}{main}</td>"
                f"<td><code>{_text(session.get('key'))}</code></td>"
                f"<td>{_text(session.get('agent') or NONE)}</td>"
                f"<td>{_text(last)}</td>"
                f"<td>{_text(target.name)}</td></tr>"
            )
    if not rows:
        return ""
    return (
        '<section aria-labelledby="sessions"><h2 id="sessions">Sessions</h2><div class="card scroll"><table>'
        "<caption>Sessions of the gateways, as the backend sees them</caption><thead><tr>"
        '<th scope="col">Label</th><th scope="col">Key</th><th scope="col">Agent</th>'
        '<th scope="col">Last activity</th><th scope="col">Gateway of</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _errors(view: Mapping[str, Any]) -> str:
    verdict = _find(view, "log")
    blocks = []
    for unit in verdict.checks if verdict else []:
        worst = unit.evidence.get("worst") or []
        if worst:
            lines = "\n".join(_text(line) for line in worst)
            blocks.append(f'<h3>{_text(unit.name)}</h3><pre tabindex="0">{lines}</pre>')
    if not blocks:
        return ""
    return (
        '<section aria-labelledby="errors"><h2 id="errors">Recent errors</h2>'
        f'<div class="card">{"".join(blocks)}</div></section>'
    )


def _timings(view: Mapping[str, Any], number: int) -> str:
    verdicts = [verdict for verdict in verdicts_of(view) if verdict.state != SKIP]
    if not verdicts:
        return ""
    verdicts.sort(key=lambda verdict: -verdict.duration_ms)
    most = max(verdict.duration_ms for verdict in verdicts) or 1.0
    height = 20 * len(verdicts) + 6
    bars = "".join(
        f'<text x="106" y="{20 * row + 15}" text-anchor="end">{_text(verdict.name)}</text>'
        f'<rect class="bar" x="112" y="{20 * row + 5}" height="12" '
        f'width="{max(verdict.duration_ms / most * 270, 1):.1f}"/>'
        f'<text x="{118 + verdict.duration_ms / most * 270:.1f}" '
        f'y="{20 * row + 15}">{verdict.duration_ms:.0f} ms</text>'
        for row, verdict in enumerate(verdicts)
    )
    caption = f"Time of each check; the slowest is {verdicts[0].name} with {verdicts[0].duration_ms:.0f} ms."
    return (
        f'<section aria-labelledby="t{number}"><h3 id="t{number}">Timings</h3><div class="card" '
        'style="max-width:40rem">'
        f'<svg viewBox="0 0 460 {height}" role="img" aria-label="{_text(caption)}">'
        f"{bars}</svg></div></section>"
    )


def _evidence(verdict: Verdict) -> str:
    shown = {
        key: value
        for key, value in verdict.evidence.items()
        if key not in ("series", "kpis", "sessions", "agents", "worst") and value not in (None, "", [], {})
    }
    if not shown:
        return ""
    items = "".join(
        f"<dt>{_text(key.replace('_', ' '))}</dt><dd>{_value(value)}</dd>" for key, value in shown.items()
    )
    return f"<dl>{items}</dl>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _text(", ".join(f"{key} {item}" for key, item in value.items()))
    if isinstance(value, list):
        if all(isinstance(item, str) and len(item) > 60 for item in value) and value:
            return "<pre>" + "\n".join(_text(item) for item in value) + "</pre>"
        return _text(", ".join(str(item) for item in value))
    return _text(value)


def _parts(verdict: Verdict) -> str:
    if not verdict.checks:
        return _evidence(verdict)
    items = []
    for part in verdict.checks:
        caption = _text(part.summary)
        if part.consequence_of:
            caption += f' <span class="soft">(because of {_text(part.consequence_of)})</span>'
        elif part.cause and not part.checks:
            caption += f"<br><span class='soft'>{_text(part.cause)} {_text(part.remedy)}</span>"
        inner = _parts(part) if part.checks or part.state in (WARN, FAIL, ERROR) else ""
        items.append(f"<li>{_badge(part.state)} <b>{_text(part.name)}</b> {caption}{inner}</li>")
    return f'<ul class="parts">{"".join(items)}</ul>{_evidence(verdict)}'


def _view(view: Mapping[str, Any], number: int) -> str:
    title = VIEWS.get(view["view"], view["view"])
    out = [
        f'<section aria-labelledby="view{number}"><h2 id="view{number}">Seen {_text(title)} '
        f"{_badge(view['state'])}</h2>",
        f'<p class="soft">{view["counts"]["total"]} checks in {float(view["duration_ms"]) / 1000:.1f} s, '
        f"{view['requests']} requests, begun {_time(view['started'])}</p>",
    ]
    kinds = {WARN: " w", ERROR: " e"}
    for cause in view["root_causes"]:
        follow = (
            f"<dt>Brings about</dt><dd>{_text(', '.join(cause['consequences']))}</dd>"
            if cause["consequences"]
            else ""
        )
        out.append(
            f'<article class="card cause{kinds.get(cause["state"], "")}"><h3>{_badge(cause["state"])} '
            f"{_text(cause['check'])}: "
            f"{_text(cause['summary'])}</h3><dl><dt>Cause</dt><dd>{_text(cause['cause'])}</dd>"
            f"<dt>Remedy</dt><dd>{_text(cause['remedy'])}</dd>{follow}</dl></article>"
        )
    rows = []
    for verdict in verdicts_of(view):
        because = f" (because of {verdict.consequence_of})" if verdict.consequence_of else ""
        tried = f", {verdict.attempts} attempts" if verdict.attempts > 1 else ""
        count = len(findings(verdict))
        more = f" ({count} findings)" if count > 1 and not because else ""
        rows.append(
            f'<details><summary><span class="name">{_text(verdict.name)}</span>'
            f"<span>{_text(verdict.summary)}{_text(because)}{more} "
            f'<span class="soft">{verdict.duration_ms:.0f} '
            f"ms{tried}</span></span>{_badge(verdict.state)}</summary>"
            f"{_parts(verdict)}</details>"
        )
    out.append(f'<div class="card">{"".join(rows)}</div>')
    return "".join([*out, _timings(view, number), "</section>"])


def _comparison(comparison: Mapping[str, Any] | None) -> str:
    if not comparison:
        return ""
    state = {"PROCEED": "pass", "REVIEW": "warn", "ROLLBACK": "fail"}[comparison["decision"]]
    entries = [
        *(("new failure", entry) for entry in comparison["new_failures"]),
        *(("worse", entry) for entry in comparison["worse"]),
        *(("fixed", entry) for entry in comparison["fixed"]),
    ]
    rows = "".join(
        f"<tr><td>{kind}</td><td>{_text(entry['check'])}</td><td>{_text(entry['before'] or NONE)}</td>"
        f"<td>{_text(entry['after'])}</td><td>{_text(entry['summary'])}</td></tr>"
        for kind, entry in entries
    )
    table = (
        '<div class="scroll"><table><caption>What changed</caption><thead><tr><th scope="col">Change</th>'
        '<th scope="col">Check</th><th scope="col">Before</th><th scope="col">Now</th><th '
        'scope="col">Summary</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        if rows
        else ""
    )
    return (
        '<section aria-labelledby="compared"><h2 id="compared">Compared with '
        f'{_text(comparison["baseline_started"])}</h2><div class="card"><p><span class="badge {state}">'
        f"{comparison['decision']}</span> {_text(comparison['reason'])}</p>{table}</div></section>"
    )


def render(document: Mapping[str, Any]) -> str:
    """The document as a page."""
    views = document["views"]
    title = f"Mission Control on {document['name']}: {WORDS[document['state']]}"
    body = [
        _comparison(document.get("comparison")),
        *(_view(view, number) for number, view in enumerate(views)),
        *(_metrics(view, number) for number, view in enumerate(views)),
        *(_sessions(view) for view in views),
        *(_errors(view) for view in views),
    ]
    counts = document["counts"]
    caption = ", ".join(
        f"{counts[state]} {WORDS[state]}" for state in reversed(list(WORDS)) if counts.get(state)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'\">"
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><p class="soft">Mission Control verification</p><h1>{_text(document["name"])} '
        f"{_badge(document['state'])}</h1><p>{_text(document['summary'])}</p>"
        f'<p class="soft">{_text(caption)}; begun {_time(document["started"])}</p></header>'
        f"<main>{''.join(body)}</main>"
        '<footer class="soft">Made by the Ansible collection '
        "openclaw.mission_control.</footer></body></html>\n"
    )
