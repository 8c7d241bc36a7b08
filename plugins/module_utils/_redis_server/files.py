# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis' files as root's: the server reads them and writes none, so nobody in it changes who may enter.

CONFIG REWRITE writes all users of the running server into redis.conf, wherever its directory is the server's
own, as Debian has it.
"""

from __future__ import annotations

import grp
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .._host.errors import HostError
from .._host.files import write_atomically
from .._verify.redis_users import shown
from .configuration import cleaned

GROUP = "redis"
FILE_MODE = 0o640
DIRECTORY_MODE = 0o750
# Of redis.conf; the distribution's has a tenth of it.
MOST = 1 << 20

# Status, output and complaint of a command.
Runner = Callable[[Sequence[str]], tuple[int, str, str]]


class Files(NamedTuple):
    """redis.conf, and our own file that it includes."""

    main: Path
    own: Path


def _group() -> int:
    try:
        return grp.getgrnam(GROUP).gr_gid
    except KeyError:
        raise HostError(
            f"This host has no group {GROUP}.", kind="no_group", remedy="Install the package redis-server."
        ) from None


def _read(path: Path) -> tuple[str, os.stat_result] | None:
    """A file and whose it is; None where there is none. No link is followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _strange(path) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST:
            raise _strange(path)
        return file.read(MOST).decode("utf-8", "surrogateescape"), status


def _strange(path: Path) -> HostError:
    return HostError(
        f"{path} is not an ordinary file of at most {MOST >> 20} MB.",
        kind="bad_file",
        remedy="See who has put it there, remove it, and run this again.",
    )


def read(path: Path) -> str:
    """What a file says; nothing where there is none."""
    found = _read(path)
    return found[0] if found else ""


def _right(status: os.stat_result, group: int, mode: int) -> bool:
    return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, group, mode)


def overrides(directory: Path, main: Path, listed: str) -> list[list[str]]:
    """What dpkg is told so that an upgrade leaves the rights; nothing where it has no entry for redis.conf.

    :param listed: the output of dpkg-statoverride --list.
    """
    entries = {words[3]: words[:3] for line in listed.split("\n") if len(words := line.split(None, 3)) == 4}
    if str(main) not in entries:
        return []
    wanted = {directory: DIRECTORY_MODE, main: FILE_MODE}
    return [
        ["dpkg-statoverride", "--force-statoverride-add", "--add", *entry, str(path)]
        for path, mode in wanted.items()
        if entries.get(str(path)) != (entry := ["root", GROUP, f"{mode:o}"])
    ]


def _open_directory(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(
            f"{path} cannot be opened as a directory: {error.strerror}.",
            kind="bad_file",
            remedy="Install the package redis-server, which makes it.",
        ) from error


def arrange(files: Files, content: str | None, run: Runner, check: bool = False) -> dict[str, Any]:
    """Have the files as they shall be.

    :param content: of our own file; None leaves it as it is.
    :param check: change nothing.
    """
    group, changed = _group(), []
    descriptor = _open_directory(files.main.parent)
    try:
        # First of all: from here on nobody else puts anything there.
        if not _right(os.fstat(descriptor), group, DIRECTORY_MODE):
            changed.append(str(files.main.parent))
            if not check:
                os.fchown(descriptor, 0, group)
                os.fchmod(descriptor, DIRECTORY_MODE)
    finally:
        os.close(descriptor)
    for command in overrides(files.main.parent, files.main, run(["dpkg-statoverride", "--list"])[1]):
        changed.append(command[-1])
        if not check:
            status, said, complaint = run(command)
            if status != 0:
                raise HostError(
                    f"dpkg does not note whose {command[-1]} is: {(complaint or said).strip()}",
                    kind="statoverride",
                )
    there = _read(files.own)
    wanted = content if content is not None else there[0] if there else None
    found = _read(files.main)
    if found is None:
        raise HostError(
            f"{files.main} is not there.",
            kind="bad_file",
            remedy="Bring it back: apt-get install --reinstall -o Dpkg::Options::=--force-confmiss "
            "redis-server",
        )
    text, removed = cleaned(found[0], str(files.own) if wanted is not None else "")
    # In this order: a server that is started in between finds what it includes.
    for path, before, after in ((files.own, there, wanted), (files.main, found, text)):
        if after is None or (before and before[0] == after and _right(before[1], group, FILE_MODE)):
            continue
        changed.append(str(path))
        if not check:
            data = after.encode("utf-8", "surrogateescape")
            write_atomically(path, data, mode=FILE_MODE, owner=(0, group))
    return {"changed": bool(changed), **_shown(files.main, sorted(set(changed)), removed)}


def _shown(main: Path, changed: Sequence[str], removed: Sequence[str]) -> Mapping[str, Any]:
    """What was changed, for a reader; of lines about users, who is named and no password."""
    removed = list(map(shown, removed))
    if not changed:
        return {"removed": []}
    diff = {
        "before_header": str(main.parent),
        "after_header": str(main.parent),
        "before": "".join(f"{main}: {subject} ...\n" for subject in removed),
        "after": "".join(f"{path}: root {GROUP}\n" for path in changed),
    }
    words = (
        f"{main}: lines about users were taken out, which stand in our own file alone: {', '.join(removed)}."
        " Whoever you want to let in belongs into redis_settings."
    )
    return {"removed": removed, "diff": [diff], "warnings": [words] if removed else []}
