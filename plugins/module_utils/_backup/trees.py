# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that go into a restore point, as an archive that their owner's own process writes."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from .._application.components import service_unit
from .._application.layout import Layout
from .._host import reading
from .._host.accounts import Account
from .owners import alive
from .streams import Digesting

_SQLITE = b"SQLite format 3\0"
# What SQLite keeps beside a database; its own copy needs none of it.
_BESIDE = ("-wal", "-shm", "-journal")
# Small files are read at one go, so that what is rewritten meanwhile is the old or the new.
_SMALL = 8 << 20
# Bytes in a block of st_blocks.
_SECTOR = 512
# Seconds without a page more of it after which SQLite does not come to an end with a file.
_PATIENCE = 30.0
# Paths that are told.
_TOLD = 200
# Bytes of a path. Where it is restored, and where a drill looks at it, it lies below a longer one.
_LONGEST = 3500
# Of what is somebody else's to change meanwhile: vanished, forbidden, no file any more, not to be named.
_GONE = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ENXIO, errno.EACCES, errno.EPERM),
    *(errno.ELOOP, errno.ENAMETOOLONG),
)
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
        return {**out.facts(), "files": number, "unread": unread.paths, "plain": unread.plain}


class Unread:
    """What is left out, and told: what its owner may not read, and what takes hours to read for nothing.

    That is what files have in length and not on the disk: terabytes that nobody has written. As much of it is
    read as the disk could hold, which compressed files may have. `plain` are names in the archive of what
    begins like SQLite and was copied as it lies there, as SQLite itself could not.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.plain: list[str] = []
        self._holes: dict[int, int] = {}

    def closed(self, error: OSError) -> None:
        if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG):
            self.add(error.filename)

    def add(self, path: object) -> None:
        if len(self.paths) < _TOLD:
            self.paths.append(str(path))

    def too_long(self, path: Path, found: os.stat_result) -> bool:
        hole = found.st_size - found.st_blocks * _SECTOR
        if hole <= _SMALL:
            return False
        disk = os.statvfs(path)
        holes = self._holes.get(found.st_dev, 0) + hole
        if holes > disk.f_blocks * disk.f_frsize:
            self.add(path)
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
    if len(os.fsencode(path)) > _LONGEST:
        unread.add(path)
        return 0
    base = name.rpartition("-")[0]
    if name.endswith(_BESIDE) and base not in unread.plain and _is_sqlite(Path(str(path).rpartition("-")[0])):
        return 0
    try:
        found = path.lstat()
        if stat.S_ISREG(found.st_mode):
            return _add_file(archive, path, name, temporary, unread, found)
        if stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode):
            info = archive.gettarinfo(str(path), name)
            if info is not None and (info.isdir() or info.issym()):
                archive.addfile(info)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        unread.closed(error)
    return 0


def _add_file(
    archive: tarfile.TarFile, path: Path, name: str, temporary: Path, unread: Unread, found: os.stat_result
) -> int:
    if unread.too_long(path, found):
        return 0
    if _is_sqlite(path):
        if _add_sqlite(archive, path, name, temporary):
            return 1
        if len(unread.plain) < _TOLD:
            unread.plain.append(name)
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
            whole = _Whole(file)
            archive.addfile(info, whole)  # type: ignore[arg-type]
            if whole.shrank:
                unread.add(path)
    return 1


class _Whole:
    """A file that has its length to the end: what is cut off it meanwhile is zeros."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.shrank = file, False

    def read(self, number: int) -> bytes:
        data = self._file.read(number)
        self.shrank = self.shrank or len(data) < number
        return data.ljust(number, b"\0")


def _is_sqlite(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with reading.open_regular(path) as file:
            return bool(file.read(len(_SQLITE)) == _SQLITE)
    except OSError:
        return False


def _add_sqlite(archive: tarfile.TarFile, path: Path, name: str, temporary: Path) -> bool:
    """A copy by SQLite itself, as of one moment, whoever writes meanwhile; False where it makes none."""
    with contextlib.ExitStack() as stack:
        try:
            temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=temporary))
            copy = Path(directory) / "copy"
            _copy_sqlite(path, copy)
            file = stack.enter_context(copy.open("rb"))
        except (sqlite3.Error, OSError):
            return False
        info = archive.gettarinfo(str(path), name)
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = os.fstat(file.fileno()).st_size
        archive.addfile(info, file)
    return True


def _copy_sqlite(path: Path, copy: Path) -> None:
    for ending in _BESIDE:
        # SQLite would wait for a pipe.
        beside = path.with_name(path.name + ending)
        if os.path.lexists(beside) and not beside.is_file():
            raise sqlite3.OperationalError(f"{beside.name} is not a regular file")
    # Who writes has it begin anew, who holds the file has it wait: both without end.
    least, since = -1, time.monotonic()

    def goes_on(_status: int, remaining: int, _total: int) -> None:
        nonlocal least, since
        alive()
        if least < 0 or remaining < least:
            least, since = remaining, time.monotonic()
        elif time.monotonic() - since > _PATIENCE:
            raise sqlite3.OperationalError("no end of it")

    # A name may hold what means something in an address.
    with (
        contextlib.closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_PATIENCE)
        ) as source,
        contextlib.closing(sqlite3.connect(copy)) as aim,
    ):
        source.backup(aim, pages=4096, progress=goes_on)
