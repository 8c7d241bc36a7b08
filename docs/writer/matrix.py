"""docs/faults.md: what a deployment stands on, how each of it fails, and which of that is tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

PLACE = Path(__file__).resolve().parents[2] / "molecule" / "faults" / "vars"
HEAD = """<!-- Written by docs/write_docs.py (make docs-files) from vars/matrix.yml, vars/faults.yml and
vars/door.yml of molecule/faults: change it there. -->
# Faults: what is broken on purpose

Scenario `faults` breaks a deployed host by real means, one fault after the other. The right check has to
tell each by its cause and remedy, name no other root cause, and be green after the cure. Where a fault says
so, the cure is the remedy itself: what `mission-control repair` does about it, its command, typed by root, or
one more deployment. A front door is deployed for its own faults, in `make test-full` or where `FAULTS` names
one.

In the table: ● there is such a fault, · it cannot be (below it stands why), and nothing where nobody has
tried yet.
"""
FAULTS = """
## What each is told as
| fault | verdict | done by | cured |
| --- | --- | --- | --- |
"""


def load() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The matrix, and the faults that it names."""
    matrix = yaml.safe_load((PLACE / "matrix.yml").read_text(encoding="utf-8"))
    faults = yaml.safe_load((PLACE / "faults.yml").read_text(encoding="utf-8"))["faults"]
    doors = yaml.safe_load((PLACE / "door.yml").read_text(encoding="utf-8"))["door_faults"]
    return matrix, faults + doors


def _mark(row: Mapping[str, Any], column: str) -> str:
    if column in row.get("faults", {}):
        return "●"
    return "·" if column in row.get("cannot", {}) else ""


def _cured(fault: Mapping[str, Any]) -> str:
    if fault.get("repaired"):
        return "by `repair`"
    if fault.get("deployed"):
        return "by deploying"
    return "as its remedy is typed" if "follow" in fault else "otherwise"


def render() -> str:
    """The whole page."""
    matrix, faults = load()
    columns, rows = matrix["matrix_columns"], matrix["matrix_rows"]
    cells = len(rows) * len(columns)
    tried = sum(len(row.get("faults", {})) for row in rows)
    not_there = sum(len(row.get("cannot", {})) for row in rows)
    text = f"{HEAD}\nOf {cells} cells {tried} are tried, by {len(faults)} faults; {not_there} cannot be, and "
    text += f"{cells - tried - not_there} are open.\n\n"
    text += "| | " + " | ".join(column["title"] for column in columns) + " |\n"
    text += "| --- " * (len(columns) + 1) + "|\n"
    for row in rows:
        text += f"| {row['name']} | " + " | ".join(_mark(row, column["name"]) for column in columns) + " |\n"
    titles = {column["name"]: column["title"] for column in columns}
    for row in rows:
        text += f"\n## {row['name'][0].upper()}{row['name'][1:]}\n"
        for name, given in row.get("faults", {}).items():
            text += f"- **{titles[name]}**: {'; '.join(given)}\n"
        for name, why in row.get("cannot", {}).items():
            text += f"- {titles[name]}: cannot be. {why[0].upper()}{why[1:]}.\n"
    text += FAULTS
    for fault in faults:
        kind, by = fault["kind"], fault.get("by", "person")
        text += f"| {fault['name']} | [`{kind}`](verdicts.md#{kind}) | {by} | {_cured(fault)} |\n"
    return text
