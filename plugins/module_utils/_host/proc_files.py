# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc says, as far as one file of it goes; whole processes are in processes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .errors import HostError

PROC = Path("/proc")
# The states of a process that a signal stopped, or that a debugger holds (proc_pid_stat(5)).
STOPPED = frozenset("Tt")
TICKS = os.sysconf("SC_CLK_TCK")
# Bytes that are read of a command line and of an environment. A process can have both lead to any part of its
# memory (prctl(2), PR_SET_MM_MAP), of which it may have reserved more than this machine has.
_MOST_WORDS = 1 << 16
MOST_ENVIRONMENT = 8 << 20


def _lines(path: Path) -> list[str]:
    """The lines of a file of the kernel's. Only a line feed ends one: users name what stands in them."""
    return path.read_bytes().decode("utf-8", "replace").split("\n")


def boot_time(proc: Path = PROC) -> float:
    """The time of the boot as epoch seconds, as this kernel tells it."""
    for line in _lines(proc / "stat"):
        if line.startswith("btime "):
            return float(line.split()[1])
    raise HostError(f"{proc}/stat names no boot time.", kind="no_proc", remedy="Mount /proc.")


def stat_fields(pid: int, proc: Path = PROC) -> list[str] | None:
    """What its file `stat` says behind the name, that is from the state on; None when it is gone."""
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the name in parentheses and may hold anything, parentheses included.
    return text[text.rindex(")") + 2 :].split()


def started(fields: list[str], proc: Path = PROC) -> float:
    """When a process began, as epoch seconds, from its fields."""
    return boot_time(proc) + int(fields[19]) / TICKS


def link_of(path: Path) -> str | None:
    """What a link says; None where it may not be read."""
    try:
        return str(path.readlink())
    except OSError:
        return None


def status_of(pid: int, proc: Path = PROC) -> dict[str, str]:
    """What its file `status` says; empty when it is gone."""
    fields: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in _lines(proc / str(pid) / "status"):
            key, _separator, value = line.partition(":")
            fields[key] = value.strip()
    return fields


def unit_of_process(pid: int, proc: Path = PROC) -> str | None:
    """The innermost systemd unit whose control group holds the process."""
    try:
        # A user names the groups below his own as he likes.
        lines = _lines(proc / str(pid) / "cgroup")
    except OSError:
        return None
    for line in filter(None, lines):
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy != "0" and controllers != "name=systemd":
            continue
        for part in reversed(path.split("/")):
            if part.endswith((".service", ".scope", ".socket", ".mount")):
                return _unescape_unit(part)
    return None


def _unescape_unit(name: str) -> str:
    # A control group of a unit whose name could be taken for a kernel file starts with "_".
    return name.removeprefix("_")


def owner_of(pid: int, proc: Path = PROC) -> int | None:
    """The UID of a process; None when it is gone."""
    try:
        return (proc / str(pid)).stat().st_uid
    except OSError:
        return None


def beginning_of(pid: int, name: str, most: int, proc: Path = PROC) -> bytes | None:
    """The first bytes of a file that shows a process's memory; None when it is gone or not ours to read.

    :param name: cmdline or environ.
    """
    try:
        with (proc / str(pid) / name).open("rb") as file:
            return file.read(most)
    except OSError:
        return None


def real_owner_of(pid: int, proc: Path = PROC) -> int | None:
    """The UID of whoever started a process; None when it is gone.

    Its directory is root's where nobody may look into it, and a program may have got more rights.
    """
    try:
        text = (proc / str(pid) / "status").read_bytes()
    except OSError:
        return None
    # All of them are asked: not the whole file. Nobody puts a line feed into the name that stands before it.
    return int(text.partition(b"\nUid:\t")[2].split(None, 1)[0])


def words_of(pid: int, proc: Path = PROC) -> list[str]:
    """The beginning of a command line; empty when the process is gone."""
    text = beginning_of(pid, "cmdline", _MOST_WORDS, proc)
    return [] if text is None else text.rstrip(b"\0").decode("utf-8", "replace").split("\0")


def all_pids(proc: Path = PROC) -> list[int]:
    """All processes that there are."""
    return sorted(int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())


def open_files(pid: int, proc: Path = PROC) -> tuple[int, int] | None:
    """How many files a process has open, and how many it may have; None where it may not be looked at."""
    try:
        used = sum(1 for _file in (proc / str(pid) / "fd").iterdir())
        limits = (proc / str(pid) / "limits").read_text(errors="replace").split("\n")
    except OSError:
        return None
    words = next((line.split() for line in limits if line.startswith("Max open files")), [])
    # Max open files, soft limit, hard limit, unit. Some programs raise the soft one by themselves, later.
    return (used, int(words[3])) if len(words) > 4 and words[3].isdigit() else None
