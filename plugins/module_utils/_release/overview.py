# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which releases a host has, and which of them a rollback would take. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application import components
from .._application.layout import Layout
from . import choice, outcome, pruning, records


def choose(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The release to go back to; `parameters` are the options of the module release_info."""
    layout = Layout(Path(parameters["root"]))
    releases, current = records.complete_releases(layout), records.current_release(layout)
    needed = parameters["needed"]
    identifier = choice.choose(releases, current, parameters["id"], needed)
    record = releases[identifier]
    fallback = choice.fallback_from(releases, identifier, current, needed)
    units = outcome.recorded_units(layout, identifier)
    return {
        "changed": False,
        "id": identifier,
        "path": str(layout.release(identifier)),
        "current": current,
        "outcome": records.outcome(record),
        "components": record.get("components", []),
        "fingerprints": record.get("fingerprints", {}),
        "described": record.get("described", ""),
        "lacks": choice.lacking(record, components.COMPONENTS),
        "fallback": fallback,
        "units": units,
        "units_known": bool(units and (not fallback or outcome.recorded_units(layout, fallback))),
        "known": choice.known(releases, current, needed),
    }


def nothing() -> dict[str, Any]:
    """The answer on a host that has nothing yet."""
    return {"changed": False, "current": None, "fallback": None, "releases": []}


def listed(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All releases; `parameters` are the options of the module release_info."""
    layout = Layout(Path(parameters["root"]))
    current, running = records.current_release(layout), pruning.running_releases(layout)
    found = records.complete_releases(layout)
    return {
        "changed": False,
        "current": current,
        "fallback": choice.previous_release(found, current, parameters["needed"]),
        "releases": [
            {**record, "current": name == current, "running": name in running}
            for name, record in found.items()
        ],
    }
