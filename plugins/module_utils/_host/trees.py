# SPDX-License-Identifier: GPL-3.0-or-later
"""Directory trees as content: what belongs to a source, its fingerprint, packing, unpacking, copying.

The same code runs on the controller and on the host, so that both name a tree alike.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn, cast

from .deployment_errors import DeploymentError
from .files import file_digest

# What a working copy holds beside its source, at any depth.
EXCLUDED = (
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    ".venv",
    "venv",
    ".next",
    "__pycache__",
    "*.pyc",
    "*.pyo",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".coverage",
    ".idea",
    ".vscode",
    ".worktrees",
    ".DS_Store",
    "*.tsbuildinfo",
    # Settings and secrets of the working copy's owner; a release gets its own.
    ".env",
    ".env.local",
    ".env.*.local",
)

SUFFIXES = (".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tar", ".zip")


def is_archive(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def excluded(name: str, patterns: Iterable[str] = EXCLUDED) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def entries(root: Path, patterns: Sequence[str] = EXCLUDED) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files and links below the root in a fixed order, as (relative path, entry)."""

    def walk(directory: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with os.scandir(directory) as found:
            for entry in sorted(found, key=lambda item: item.name):
                if excluded(entry.name, patterns):
                    continue
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from walk(entry.path, name + "/")
                elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    yield name, entry

    yield from walk(str(root), "")


def fingerprint(root: Path, patterns: Sequence[str] = EXCLUDED) -> str:
    """SHA-256 over names, contents, execute bits and link targets; times and owners do not count."""
    total = hashlib.sha256()
    for name, entry in entries(root, patterns):
        if entry.is_symlink():
            kind, content = "link", hashlib.sha256(os.fsencode(Path(entry.path).readlink())).hexdigest()
        else:
            executable = entry.stat(follow_symlinks=False).st_mode & stat.S_IXUSR
            kind, content = ("program" if executable else "file"), file_digest(Path(entry.path))
        total.update(f"{kind} {content} {name}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def pack(root: Path, target: Path, patterns: Sequence[str] = EXCLUDED, *, level: int = 3) -> None:
    """One archive of the tree, compressed unless the level is 0."""
    with contextlib.ExitStack() as stack:
        out: IO[bytes] = stack.enter_context(target.open("wb"))
        if level:
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=level)
            out = cast(IO[bytes], packed)
            stack.callback(packed.close)
        archive = stack.enter_context(tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT))
        for name, entry in entries(root, patterns):
            member = archive.gettarinfo(entry.path, arcname=name)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.mode & stat.S_IXUSR else 0o644
            if member.islnk():
                # A second hard link to a file is another file to us.
                member.type, member.linkname = tarfile.REGTYPE, ""
                member.size = entry.stat(follow_symlinks=False).st_size
            if member.isreg():
                with Path(entry.path).open("rb") as file:
                    archive.addfile(member, file)
            else:
                archive.addfile(member)


def unpack(archive: IO[bytes], name: str, target: Path) -> None:
    """Unpack a tar or zip archive; what would leave the target is refused."""
    try:
        # A tar archive first: one that ends with a zip file, a wheel say, looks like that.
        archive.seek(0)
        if not tarfile.is_tarfile(archive) and zipfile.is_zipfile(archive):
            _unpack_zip(archive, name, target)
        else:
            archive.seek(0)
            with tarfile.open(fileobj=archive, mode="r:*") as file:
                unpack_tar(file, target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, gzip.BadGzipFile) as error:
        raise DeploymentError(
            f"The archive {name} cannot be unpacked: {error}.",
            kind="bad_archive",
            remedy="See that it is complete and a .tar.gz, .tar.xz or .zip.",
        ) from None


def unpack_tar(file: tarfile.TarFile, target: Path) -> None:
    file.extractall(target, filter="data")


def _unpack_zip(archive: IO[bytes], name: str, target: Path) -> None:
    links: set[PurePosixPath] = set()
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            path = PurePosixPath(member.filename)
            # What lies behind a link is somewhere else, however its name reads.
            if path.is_absolute() or ".." in path.parts or not links.isdisjoint((path, *path.parents)):
                _refuse(name, member.filename)
            mode = member.external_attr >> 16
            where = target / path
            if member.is_dir():
                where.mkdir(parents=True, exist_ok=True)
                continue
            where.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(mode):
                link = file.read(member).decode()
                inside = os.path.normpath(path.parent / link)
                if PurePosixPath(link).is_absolute() or inside.startswith(".."):
                    _refuse(name, member.filename)
                where.symlink_to(link)
                links.add(path)
                continue
            with file.open(member) as content, where.open("wb") as out:
                shutil.copyfileobj(content, out)
            where.chmod(0o755 if mode & stat.S_IXUSR else 0o644)


def _refuse(archive: str, name: str) -> NoReturn:
    raise DeploymentError(
        f"The archive {archive} holds {name}, which would leave the target.", kind="bad_archive"
    )


def strip_single_directory(root: Path, wanted: str) -> Path:
    """The directory that holds `wanted`: the root, or its only directory (as in archives of Git hosts)."""
    if (root / wanted).exists():
        return root
    inside = [path for path in root.iterdir() if path.name != "pax_global_header"]
    if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink():
        return inside[0]
    return root


def copy(source: Path, target: Path, *, link: bool = False, patterns: Sequence[str] = ()) -> None:
    """Copy a tree; with link, files become hard links and need no further room."""
    target.mkdir(parents=True)
    with os.scandir(source) as found:
        for entry in found:
            if excluded(entry.name, patterns):
                continue
            where = target / entry.name
            if entry.is_symlink():
                where.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                copy(Path(entry.path), where, link=link, patterns=patterns)
            elif not (link and _linked(entry, where)):
                shutil.copy2(entry.path, where)


def _linked(entry: os.DirEntry[str], target: Path) -> bool:
    """Whether a hard link was made: not of others' files."""
    try:
        if entry.stat().st_uid == os.geteuid():
            os.link(entry.path, target)
            return True
    except PermissionError:
        pass
    return False
