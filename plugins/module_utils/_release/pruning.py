# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases and other leftovers may go, and removing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from .._adoption import record
from .._application.layout import Layout
from .._application.release_parts import LINKS
from .._host import files
from . import source
from .choice import last_verified
from .records import complete_releases, outcome


def running_releases(layout: Layout, proc: Path = Path("/proc")) -> set[str]:
    """Releases that a process works in."""
    base = str(layout.releases.resolve()) + "/"
    found = set()
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if place.startswith(base):
                found.add(place[len(base) :].split("/", 1)[0])
    return found


def prune_plan(layout: Layout, keep: int, running: Iterable[str], protect: Iterable[str] = ()) -> list[str]:
    """Releases to remove: all but the newest, and none that is current, protected or worked in.

    Failed ones do not count, and only the last of them is left for a look at it.
    """
    releases = complete_releases(layout)
    safe = {layout.current_release, last_verified(releases), *running, *protect}
    failed = [name for name, answer in releases.items() if outcome(answer) == "failed"]
    good = [name for name in releases if name not in failed]
    newest = {*good[-max(keep, 1) :], *failed[-1:]}
    return [identifier for identifier in releases if identifier not in safe and identifier not in newest]


def prune(layout: Layout, keep: int, running: Iterable[str], protect: Iterable[str] = ()) -> list[str]:
    """Remove old releases, and what only they needed; what belongs to somebody else stays (see stuck)."""
    removed = prune_plan(layout, keep, running, protect)
    for identifier in removed:
        _remove(layout.release(identifier))
    if layout.releases.is_dir():
        for path in layout.releases.iterdir():
            if path.name.startswith("."):
                _remove(path)
    kept = complete_releases(layout)
    environments = {str((answer.get("python") or {}).get("environment")) for answer in kept.values()}
    builds = {(answer.get("frontend") or {}).get("build") for answer in kept.values()}
    nodes = {f"node-{answer.get('node')}" for answer in kept.values() if answer.get("node")}
    for path in _children(layout.shared / "runtimes"):
        if path.name.startswith((".", "node-")) and path.name not in nodes:
            _remove(path)
            removed.append(f"shared/runtimes/{path.name}")
    for path in _children(layout.shared / "python"):
        if str(path) not in environments:
            _remove(path)
            removed.append(f"shared/python/{path.name}")
    for path in _children(layout.shared / "frontend-build"):
        if path.name not in builds:
            _remove(path)
            removed.append(f"shared/frontend-build/{path.name}")
    removed += [
        f"shared/source/{name}"
        for name in source.prune(source.SourceStore(layout.root), {t["revision"] for t in kept.values()})
    ]
    return removed


def _remove(path: Path) -> None:
    with contextlib.suppress(PermissionError):
        files.remove(path)


def stuck(layout: Layout) -> list[str]:
    """What prune could only put aside, as something in it belongs to somebody else."""
    return [str(path) for path in _children(layout.releases) if path.name.endswith(".removed")]


def everything(layout: Layout, data: bool) -> list[Path]:
    """What an uninstallation removes; identity, backups and history only when told so."""
    links = [layout.root / name for name in LINKS if (layout.root / name).is_symlink()]
    kept = () if data else (layout.identity.parent, layout.backups, record.record_path(layout))
    history = f"{layout.history.name}*"
    shared = [
        path
        for path in _children(layout.shared)
        if path not in kept and path != layout.lock and (data or not path.match(history))
    ]
    found = [layout.current] if layout.current.is_symlink() else []
    releases = [layout.releases] if layout.releases.is_dir() else []
    return [*links, *found, *releases, *shared]


def _children(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else []
