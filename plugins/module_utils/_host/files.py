# SPDX-License-Identifier: GPL-3.0-or-later
"""Single files: digests, copies, removal, and the one way to replace a file at once."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
from pathlib import Path
from typing import IO


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stream_digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Copy a file, or a link as a link."""
    shutil.copy2(source, target, follow_symlinks=False)


def remove(path: Path) -> None:
    """Remove a file, a link or a tree; a missing one is fine."""
    try:
        if path.is_dir() and not path.is_symlink():
            _remove_tree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        pass


def _remove_tree(path: Path) -> None:
    # First out of the way in one step: an interrupted removal must not look like the thing itself.
    doomed = path.with_name(f".{path.name.lstrip('.').removesuffix('.removed')}.removed")
    if doomed != path:
        shutil.rmtree(doomed, ignore_errors=True)
        try:
            path.rename(doomed)
        except OSError as error:
            # An overlay file system cannot rename a directory of its lower layer.
            if error.errno != errno.EXDEV:
                raise
            (path / "release.json").unlink(missing_ok=True)
            doomed = path
    shutil.rmtree(doomed)


def stage(path: Path, content: str | bytes, mode: int = 0o644, owner: tuple[int, int] | None = None) -> Path:
    """Write what is to stand at a path into a file beside it, from where one `replace` puts it in its place.

    For several files of which all or none are to be replaced. From the beginning nobody has more rights to it
    than `mode` gives.

    :param owner: user and group by number; None leaves those of the process.
    """
    _clear(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode & 0o700
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _clear(path: Path) -> None:
    """Remove what a process that was killed in between left beside a path."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        # Where there is no /proc nobody knows.
        if Path("/proc/self").exists() and not Path("/proc", left.name.split(".")[-2]).exists():
            left.unlink(missing_ok=True)


def write_atomically(
    path: Path, content: str | bytes, mode: int = 0o644, owner: tuple[int, int] | None = None
) -> None:
    """Write a file so that it is there completely or not at all; see stage."""
    temporary = stage(path, content, mode, owner)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def point_link(link: Path, target: str) -> None:
    """Make a link, or point it elsewhere, in one step: who follows it meanwhile finds the old or the new."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
