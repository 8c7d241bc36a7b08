# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a release: noted in its record."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._adoption import record as _record
from .._application import migrations
from .._application.layout import Layout
from .._host import files, reading
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from .records import complete_releases, document, now


def note(layout: Layout, identifier: str, **values: Any) -> bool:
    """Write something into a release's description; says whether it was not there already."""
    path = layout.release(identifier)
    answer = document(path)
    if answer is None:
        raise DeploymentError(f"There is no complete release {identifier}.", kind="no_release")
    if all(answer.get(name) == value for name, value in values.items()):
        return False
    files.write_atomically(path / "release.json", json.dumps({**answer, **values}, indent=1) + "\n")
    return True


def mark(layout: Layout, identifier: str, state: str, by: str, reason: str) -> bool:
    """Record what became of a release."""
    answer = document(layout.release(identifier)) or {}
    before = answer.get("outcome") or {}
    if before.get("state") == state and before.get("reason", "") == reason:
        return False
    if (before.get("state"), state) == ("failed", "left"):
        return False
    return note(layout, identifier, outcome={"state": state, "at": now(), "by": by, "reason": reason})


def supersede(layout: Layout, identifier: str, by: str) -> bool:
    """Nothing goes back to those of the same content that were changed by hand: this one has their place."""
    releases = complete_releases(layout)
    record = releases.get(identifier, {})
    reason = f"it was changed after it was deployed: {'; '.join(record.get('drift', ()))}"
    changed = False
    for name, other in releases.items():
        if name != identifier and record.get("generation") and other.get("base", name) == record.get("base"):
            # One that belongs to somebody else now cannot be described any more.
            with contextlib.suppress(OSError):
                changed |= mark(layout, name, "failed", by, reason)
    return changed


def knowing(layout: Layout, revisions: Iterable[str]) -> tuple[str | None, migrations.Graph | None]:
    """The newest release whose code knows these revisions of the database, the current one before others."""
    wanted, current = set(revisions), layout.current_release
    names = sorted(complete_releases(layout), key=lambda name: name == current)
    for name in reversed(names):
        backend = layout.release(name) / "backend"
        graph = migrations.read_graph(migrations.directory_of(backend))
        if wanted and wanted <= set(graph.revisions) and (backend / ".env").exists():
            return name, graph
    return None, None


def complete_adoption(layout: Layout) -> bool:
    """A release has passed its gate: from now on a failure leads to a release, not to what was before."""
    record = _record.read_record(layout)
    if record is None or record.phase != "taken":
        return False
    # The old processes are not started again any more.
    record.phase, record.environments = "done", {}
    files.write_atomically(_record.record_path(layout), record.text(), 0o600)
    return True


def record_units(layout: Layout, identifier: str, units: Sequence[Mapping[str, Any]]) -> bool:
    """Keep the units that a release was verified with: going back to it brings them back."""
    path = layout.release(identifier) / "units.json"
    text = json.dumps(list(units), indent=1) + "\n"
    try:
        if reading.read_regular(path) == text:
            return False
    except OSError:
        pass
    files.write_atomically(path, text)
    return True


def recorded_units(layout: Layout, identifier: str) -> list[dict[str, Any]]:
    """The units of a verified release; none when they were not recorded."""
    try:
        units = parse_json(reading.read_regular(layout.release(identifier) / "units.json"))
    except (OSError, ValueError):
        return []
    return units if isinstance(units, list) else []
