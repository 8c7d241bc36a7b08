# SPDX-License-Identifier: GPL-3.0-or-later
"""What was changed in a release after it was composed, by hand or by an agent.

A release is never mended in place, as processes run from it: another one of the same is composed beside it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._application import environment as _environment
from .._host import comparing, reading, trees
from . import integrity


def of_backend(release: Path, source: Path, environment_text: str, venv: Path) -> list[str]:
    """What differs of backend and scripts, in words without values; empty where nothing does.

    :param release: directory of the release.
    :param source: the source that it was copied from.
    :param environment_text: what its environment file was written with.
    :param venv: the Python environment that it was linked to.
    """
    backend = release / "backend"
    until = integrity.deadline()
    return [
        *_environment_file(backend / ".env", environment_text),
        *_link(backend / ".venv", venv, "backend/.venv"),
        *(sentence for name in ("backend", "scripts") for sentence in _tree(release, source, name, until)),
        *integrity.owned(integrity.foreign(release, ("backend", "scripts"), until)),
    ]


def of_frontend(release: Path, node: Path) -> list[str]:
    """What is missing of the frontend, was changed in it, or belongs to somebody else.

    :param release: directory of the release.
    :param node: the Node.js that it was linked to.
    """
    frontend = release / "frontend"
    until = integrity.deadline()
    altered, lost = integrity.changes(frontend, until)
    # What every server has, also where an older one of us built it and wrote nothing down.
    lost += [
        name
        for name in ("server.js", ".next/BUILD_ID")
        if name not in lost and not (frontend / name).is_file()
    ]
    return [
        *integrity.told([f"frontend/{name}" for name in altered], [f"frontend/{name}" for name in lost]),
        *_link(frontend / ".node", node, "frontend/.node"),
        *integrity.owned(integrity.foreign(release, ("frontend",), until)),
    ]


def _environment_file(path: Path, wanted: str) -> Iterator[str]:
    try:
        found = reading.read_regular(path)
        mode = stat.S_IMODE(path.lstat().st_mode)
    except OSError as error:
        yield f"backend/.env cannot be read ({error.strerror})"
        return
    if found != wanted:
        yield f"backend/.env was changed{_settings(_environment.parse(found), _environment.parse(wanted))}"
    if mode & 0o077:
        yield f"backend/.env has mode {mode:04o}, others can read it"


def _settings(found: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    return f" ({integrity.some(names)})" if names else ""


def _link(path: Path, target: Path, name: str) -> Iterator[str]:
    try:
        if path.readlink() == target:
            return
    except OSError:
        pass
    yield f"{name} does not lead to {target}"


def _tree(release: Path, source: Path, name: str, until: float) -> Iterator[str]:
    """Files of the source that the release lacks or has otherwise; what it has besides does not count."""
    if not (source / name).is_dir():
        return
    altered: list[str] = []
    lost: list[str] = []
    for place, entry in trees.entries(source / name):
        path = release / name / place
        try:
            same = _same(entry, path, until)
        except OSError:
            lost.append(f"{name}/{place}")
            continue
        if not same:
            altered.append(f"{name}/{place}")
    # What was compiled, too.
    recorded = integrity.changes(release / name, until)
    altered += [place for found in recorded[0] if (place := f"{name}/{found}") not in altered]
    lost += [place for found in recorded[1] if (place := f"{name}/{found}") not in lost]
    yield from integrity.told(altered, lost)


def _same(entry: os.DirEntry[str], path: Path, until: float) -> bool:
    """Whether a file of a release is the one of the source: by size and time, else by content."""
    comparing.in_time(until)
    if entry.is_symlink():
        return path.is_symlink() and path.readlink() == Path(entry.path).readlink()
    one, other = entry.stat(follow_symlinks=False), path.lstat()
    if not stat.S_ISREG(other.st_mode) or (one.st_mode ^ other.st_mode) & (stat.S_IXUSR | stat.S_IRUSR):
        return False
    if one.st_size != other.st_size:
        return False
    # The copy was made with the times of the source.
    return one.st_mtime_ns == other.st_mtime_ns or (
        integrity.comparable(other) and comparing.same_content(Path(entry.path), path, until)
    )
