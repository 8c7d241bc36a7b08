# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases a host has, and which of them a rollback would take. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application import release_parts
from .._application.backend_platform import platform_of
from .._application.layout import Layout
from . import choice, outcome, pruning, records, renewal


def choose(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The release to go back to; `parameters` are the options of the module release_info."""
    layout = Layout(Path(parameters["root"]))
    releases, current = records.complete_releases(layout), layout.current_release
    needed = parameters["needed"]
    alike = () if parameters["id"] else renewal.alike(layout, releases)
    identifier = choice.choose(releases, current, parameters["id"], needed, alike)
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
        "gateway_platform": platform_of(layout.release(identifier) / "backend"),
        "renewed_from": record.get("renewed_from", ""),
        "outdated": list(renewal.plan_for_today(layout, identifier).names),
        "lacks": choice.lacking(record, release_parts.COMPONENTS),
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
    current, running = layout.current_release, pruning.running_releases(layout)
    found = records.complete_releases(layout)
    return {
        "changed": False,
        "current": current,
        "fallback": choice.previous_release(
            found, current, parameters["needed"], renewal.alike(layout, found)
        ),
        "releases": [
            {**record, "current": name == current, "running": name in running}
            for name, record in found.items()
        ],
    }
