"""The causes as a picture: a line for each row of the table, a column for each check."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanation import (
    ORDER,
    Finding,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS

from .specimens import explained

# The checks in the order of the machine.
CHECKS = tuple(dict.fromkeys(path.partition(".")[0] for path in ORDER))
NAME, COLUMN, LINE, HEAD, EDGE = 165, 46, 26, 105, 16
BLUE, GREY, INK = "#2563eb", "#cbd5e1", "#0f172a"


def _checks(findings: Sequence[Finding], numbers: set[int]) -> set[str]:
    return {item.path.partition(".")[0] for item in findings if item.number in numbers}


def _line(name: str, reason: str, top: float, causes: set[str], effects: set[str]) -> list[str]:
    """One cause: rings where it is found, dots where it explains something, and a line through both."""
    middle = top + LINE / 2
    places = {check: EDGE + NAME + (number + 0.5) * COLUMN for number, check in enumerate(CHECKS)}
    used = [places[check] for check in CHECKS if check in causes | effects]
    parts = [
        f"<g><title>{escape(reason)}</title>",
        f'<text x="{EDGE + NAME - 14}" y="{middle + 4.5:g}" text-anchor="end">{escape(name)}</text>',
        f'<path d="M{min(used):g} {middle:g}H{max(used):g}" stroke="{GREY}" stroke-width="2"/>',
    ]
    for check, x in places.items():
        if check in effects:
            parts.append(f'<circle cx="{x:g}" cy="{middle:g}" r="5" fill="{BLUE}"/>')
        if check in causes:
            fill = "none" if check in effects else "#ffffff"
            parts.append(
                f'<circle cx="{x:g}" cy="{middle:g}" r="8.5" fill="{fill}" '
                f'stroke="{INK}" stroke-width="1.5"/>'
            )
    return [*parts, "</g>"]


def render(findings: Sequence[Finding]) -> str:
    """The picture as SVG."""
    table = explained(findings)
    width = EDGE * 2 + NAME + len(CHECKS) * COLUMN + 40
    height = EDGE * 2 + HEAD + len(ROWS) * LINE + 36
    parts = [
        "<!-- Written by docs/write_docs.py from plugins/module_utils/_verify/explanations. -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="{INK}">',
        "<title>What explains what</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number in range(0, len(ROWS), 2):
        parts.append(
            f'<rect x="{EDGE}" y="{EDGE + HEAD + number * LINE}" fill="#f8fafc" '
            f'width="{NAME + len(CHECKS) * COLUMN}" height="{LINE}"/>'
        )
    for number, check in enumerate(CHECKS):
        x, y = EDGE + NAME + (number + 0.5) * COLUMN, EDGE + HEAD - 8
        parts.append(f'<text x="{x:g}" y="{y:g}" transform="rotate(-50 {x:g} {y:g})">{check}</text>')
    for number, row in enumerate(ROWS):
        causes, effects = (_checks(findings, numbers) for numbers in table[row.name])
        parts += _line(row.name, row.reason, EDGE + HEAD + number * LINE, causes, effects)
    y, x = EDGE + HEAD + len(ROWS) * LINE + 28, EDGE + NAME
    parts += [
        f'<circle cx="{x + 9}" cy="{y - 4}" r="8.5" fill="none" stroke="{INK}" stroke-width="1.5"/>',
        f'<text x="{x + 26}" y="{y}">the cause is found here</text>',
        f'<circle cx="{x + 219}" cy="{y - 4}" r="5" fill="{BLUE}"/>',
        f'<text x="{x + 232}" y="{y}">it explains findings here</text>',
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"
