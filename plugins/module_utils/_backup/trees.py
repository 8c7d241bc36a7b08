# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that go into a restore point, as an archive that their owner's own process writes."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._application.layout import Layout
from .._host import reading
from .._host.accounts import Account
from .._host.deployment_errors import DeploymentError
from .owners import alive
from .streams import Digesting

_SQLITE = b"SQLite format 3\0"
# What SQLite keeps beside a database; its own copy needs none of it.
_BESIDE = ("-wal", "-shm", "-journal")
# Small files are read at one go, so that what is rewritten meanwhile is the old or the new.
_SMALL = 8 << 20
# Bytes in a block of st_blocks.
_SECTOR = 512
_UNITS = ".config/systemd/user"


@dataclass
class Tree:
    """Files that go into an archive: where they lie, and below which name they stand there."""

    place: Path
    name: str
    left_out: frozenset[str] = field(default_factory=frozenset)


def settings_trees(root: Path, account: Account) -> list[Tree]:
    """What a deployment cannot make anew of the application: settings, identity, history, units."""
    layout = Layout(root)
    release = layout.current_release or "-"
    trees = [
        Tree(layout.release(release) / "release.json", f"root/releases/{release}/release.json"),
        Tree(layout.release(release) / "backend" / ".env", f"root/releases/{release}/backend/.env"),
        Tree(layout.identity.parent, "root/shared/identity"),
        Tree(layout.history, "root/shared/history.jsonl"),
    ]
    return trees + _units(account, "mission-control")


def gateway_trees(state: Path, root: Path, account: Account) -> list[Tree]:
    """Configuration, pairings, sessions, workspaces; what is logged or cached is made anew."""
    return [
        Tree(state, "state", frozenset({"logs", "cache", ".cache", "tmp"})),
        Tree(root / "gateway.env", "root/gateway.env"),
        *_units(account, service_unit("gateway").removesuffix(".service")),
    ]


def _units(account: Account, beginning: str) -> list[Tree]:
    place = Path(account.home) / _UNITS
    try:
        names = sorted(name for name in os.listdir(place) if name.startswith(beginning))  # noqa: PTH208
    except OSError:
        names = []
    return [Tree(place / name, f"units/{name}") for name in names]


def write_trees(trees: Sequence[Tree], descriptor: int, temporary: Path) -> dict[str, Any]:
    """A tar archive of the trees into the descriptor. SQLite files are copied by SQLite."""
    number = 0
    unread = Unread()
    with os.fdopen(descriptor, "wb", closefd=False) as pipe:
        out = Digesting(pipe)
        with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
            for tree in trees:
                for path, name in _walk(tree, unread):
                    number += _add(archive, path, name, temporary, unread)
        return {**out.facts(), "files": number, "unread": unread.paths}


class Unread:
    """What is left out, and told: what its owner may not read, and what takes hours to read for nothing.

    That is what files have in length and not on the disk: terabytes that nobody has written. As much of it is
    read as the disk could hold, which compressed files may have.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._holes: dict[int, int] = {}

    def closed(self, error: OSError) -> None:
        if isinstance(error, PermissionError):
            self.paths.append(str(error.filename))

    def too_long(self, path: Path, found: os.stat_result) -> bool:
        hole = found.st_size - found.st_blocks * _SECTOR
        if hole <= _SMALL:
            return False
        disk = os.statvfs(path)
        holes = self._holes.get(found.st_dev, 0) + hole
        if holes > disk.f_blocks * disk.f_frsize:
            self.paths.append(str(path))
            return True
        self._holes[found.st_dev] = holes
        return False


def _walk(tree: Tree, unread: Unread) -> Iterator[tuple[Path, str]]:
    """Everything of a tree, in one order; what vanishes meanwhile is not there."""
    if not os.path.lexists(tree.place):
        return
    yield tree.place, tree.name
    if tree.place.is_symlink() or not tree.place.is_dir():
        return
    for directory, names, files in os.walk(tree.place, onerror=unread.closed):
        here = Path(directory)
        inside = here.relative_to(tree.place)
        if here == tree.place:
            names[:] = [name for name in names if name not in tree.left_out]
        names.sort()
        for name in sorted((*names, *files)):
            yield here / name, str(Path(tree.name) / inside / name)


def _add(archive: tarfile.TarFile, path: Path, name: str, temporary: Path, unread: Unread) -> int:
    """One entry; 1 if it is a file. Sockets, pipes and devices are nobody's data."""
    alive()
    if name.endswith(_BESIDE) and _is_sqlite(Path(str(path).rsplit("-", 1)[0])):
        return 0
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return 0
    if not stat.S_ISREG(found.st_mode):
        info = archive.gettarinfo(str(path), name)
        archive.addfile(info)
        return 0
    if unread.too_long(path, found):
        return 0
    if _is_sqlite(path):
        _add_sqlite(archive, path, name, temporary)
        return 1
    try:
        with reading.open_regular(path) as file:
            info = archive.gettarinfo(arcname=name, fileobj=file)
            # A second name of a file is a file of its own, whose content stands where it is restored.
            info.type, info.linkname = tarfile.REGTYPE, ""
            info.size = os.fstat(file.fileno()).st_size
            if info.size <= _SMALL:
                data = file.read(info.size)
                info.size = len(data)
                archive.addfile(info, BytesIO(data))
            else:
                archive.addfile(info, file)
    except OSError as error:
        # It has vanished, is nothing to be read any more, or may not be.
        if error.errno not in (errno.ENOENT, errno.EINVAL, errno.EACCES):
            raise
        unread.closed(error)
        return 0
    return 1


def _is_sqlite(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with reading.open_regular(path) as file:
            return bool(file.read(len(_SQLITE)) == _SQLITE)
    except OSError:
        return False


def _add_sqlite(archive: tarfile.TarFile, path: Path, name: str, temporary: Path) -> None:
    """A copy by SQLite itself, which is as of one moment, whoever writes meanwhile."""
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=temporary) as directory:
        copy = Path(directory) / "copy"
        # A name may hold what means something in an address.
        source = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            aim = sqlite3.connect(copy)
            try:
                source.backup(aim, pages=4096, progress=lambda *_: alive())
            finally:
                aim.close()
        except sqlite3.Error as error:
            raise DeploymentError(
                f"SQLite cannot copy {path}: {error}.",
                kind="sqlite",
                remedy="See whether it is damaged: PRAGMA integrity_check.",
            ) from None
        finally:
            source.close()
        info = archive.gettarinfo(str(path), name)
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = copy.stat().st_size
        with copy.open("rb") as file:
            archive.addfile(info, file)
