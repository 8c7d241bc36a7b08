# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Single files: digests, copies, removal, and the one way to replace a file at once."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import IO

# Bytes that a settings file or a record may have.
MOST = 1 << 20


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


def read_regular(path: Path, most: int = MOST) -> str:
    """The text of a regular file of at most `most` bytes; whatever else stands there is an OSError.

    For files that somebody else can replace: a pipe is not waited for, a device not read without end. Links
    are followed, so this is called with the rights of whose file it is.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "It is no regular file", str(path))
        data: bytes = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"It is larger than {most} bytes", str(path))
    return data.decode("utf-8", "replace")


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
    doomed = path.with_name(f".{path.name.lstrip('.')}.removed")
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


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is there completely or not at all."""
    for left in path.parent.glob(f".{path.name}.*.new"):
        # Of a process that was killed in between.
        if not Path("/proc", left.name.split(".")[-2]).exists():
            left.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode
    )
    file: IO[str]
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
