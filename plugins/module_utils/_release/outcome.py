# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of a release: noted in its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._adoption import record as _record
from .._application import migrations
from .._application.layout import Layout
from .._host import files
from .._host.errors import DeploymentError
from .records import complete_releases, current_release, document, now


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


def knowing(layout: Layout, revisions: Iterable[str]) -> tuple[str | None, migrations.Graph | None]:
    """The newest release whose code knows these revisions of the database, the current one before others."""
    wanted, current = set(revisions), current_release(layout)
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
        if path.read_text(encoding="utf-8") == text:
            return False
    except OSError:
        pass
    files.write_atomically(path, text)
    return True


def recorded_units(layout: Layout, identifier: str) -> list[dict[str, Any]]:
    """The units of a verified release; none when they were not recorded."""
    try:
        units = json.loads((layout.release(identifier) / "units.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return units if isinstance(units, list) else []
