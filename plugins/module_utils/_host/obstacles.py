# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a command failed, as the kernel tells it through any program. What builds say is in build_obstacles.

The rows of a table are tried from the top, each on the whole output.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from .deployment_errors import MAKE_ROOM

MEMORY = (
    "The kernel kills processes when memory runs out: give the host more memory or swap (a build of the"
    " frontend needs about 1.2 GB)."
)
EXECUTABLE = (
    "Mount that file system without noexec (findmnt -T shows it), or set mission_control_root or"
    " mission_control_user to what lies on another one."
)
RIGHTS = (
    "See to whom that path belongs (namei -l): all below the application's root has to be that of the"
    " application's user."
)


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way.

    says: the sentence before what the command says; empty where its own words are enough.
    cure: the remedy; empty where the caller may know a better one.
    otherwise: the remedy where the caller knows none.
    codes: those of npm that mean this.
    """

    name: str
    pattern: re.Pattern[str]
    _: KW_ONLY
    says: str = ""
    cure: str = ""
    otherwise: str = ""
    codes: tuple[str, ...] = ()


def any_of(*alternatives: str) -> re.Pattern[str]:
    return re.compile("(?i)" + "|".join(alternatives))


SYSTEM: tuple[Obstacle, ...] = (
    Obstacle(
        "disk_full",
        any_of(
            r"No space left on device|\bENOSPC\b|os error 28\b|Disk quota exceeded|\bEDQUOT\b|os error 122\b"
        ),
        says="The disk is full.",
        cure=MAKE_ROOM,
        codes=("ENOSPC", "EDQUOT"),
    ),
    Obstacle(
        "memory",
        any_of(
            r"Cannot allocate memory|\bENOMEM\b|os error 12\b|JavaScript heap out of memory|^MemoryError\b",
            r"signal:? SIGKILL|out of memory:",
        ),
        says="Memory ran out",
        cure=MEMORY,
        codes=("ENOMEM",),
    ),
    Obstacle(
        "read_only",
        any_of(r"Read-only file system|\bEROFS\b|os error 30\b"),
        says="The file system cannot be written to",
        cure="Mount it writable; one that became read-only by itself has errors (dmesg).",
        codes=("EROFS",),
    ),
    Obstacle(
        "denied",
        # With a capital letter: PostgreSQL, which has rights of its own, says it otherwise.
        re.compile(
            r"\bEACCES\b|Permission denied|os error 13\b|\bEPERM\b|Operation not permitted|os error 1\b"
        ),
        says="The system denied it",
        cure=RIGHTS,
        codes=("EACCES", "EPERM"),
    ),
    Obstacle(
        "files",
        any_of(r"Too many open files|\bEMFILE\b|\bENFILE\b|os error 24\b"),
        says="Too many files are open",
        cure="Raise the application's user's limit of open files (LimitNOFILE=, limits.conf).",
        codes=("EMFILE", "ENFILE"),
    ),
)
# Of a traceback the line after the frames.
_EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|Interrupt): \S|^[\w.]+\.errors\.\w+: ")
# npm's own word.
NPM_REASON = re.compile(r"^npm (?:error|ERR!) (?!code |errno |syscall |path |A complete log)\S")
_PATH = re.compile(r"[`'\"( ](/[^`'\"():\s]+)")


@dataclass(frozen=True)
class Reason:
    """What stopped a command: a sentence, a remedy where one is known, and the line that told it.

    `otherwise` is the remedy where the caller knows none.
    """

    sentence: str = ""
    cure: str = ""
    line: int | None = None
    otherwise: str = ""


def mounted_noexec(path: str) -> bool:
    """Whether programs below the path may not be run. Of one that is not there, its nearest parent counts."""
    where = Path(path)
    try:
        while not os.path.lexists(where) and where != where.parent:
            where = where.parent
        return bool(os.statvfs(where).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


def explain(
    output: Iterable[str],
    table: Sequence[Obstacle] = SYSTEM,
    noexec: Callable[[str], bool] = mounted_noexec,
) -> Reason:
    """Why a command failed whose whole output this is: the first row that fits, else its own words."""
    lines = [line.rstrip() for line in output]
    for row in table:
        found = [at for at, line in enumerate(lines) if row.pattern.search(line)]
        if found:
            return reason_of(row, lines[found[-1]], found[-1], noexec)
    return own_words(lines)


def own_words(lines: Sequence[str]) -> Reason:
    """What the command itself calls the reason, as far as that can be told from the rest."""
    # Git's own word for what ended it; more of them follow from the first.
    for at, line in enumerate(lines):
        if line.startswith("fatal: "):
            return Reason(_sentence("", line), line=at)
    # Of a traceback the line after the frames; npm's, uv's and pip's own word.
    for at in range(len(lines) - 1, -1, -1):
        if _EXCEPTION.match(lines[at]):
            return Reason(_sentence("", lines[at]), line=at)
    for at, line in enumerate(lines):
        if line.startswith(("ERROR: ", "error: ")) or NPM_REASON.match(line):
            return Reason(_sentence("", line), line=at)
    return Reason()


def reason_of(row: Obstacle, said: str, at: int, noexec: Callable[[str], bool]) -> Reason:
    """The reason that a line gives.

    :param said: what of the line is for people.
    :param at: its number.
    """
    if row.name == "denied":
        for path in _PATH.findall(said):
            if noexec(path):
                return Reason(not_executable(path), EXECUTABLE, at)
    if row.says.endswith("."):
        return Reason(row.says, row.cure, at)
    return Reason(_sentence(row.says, said), row.cure, at, row.otherwise)


def not_executable(path: str) -> str:
    """The sentence for a program that lies where none may be run."""
    return f"{path} lies on a file system that is mounted noexec, where no program may be run."


def _sentence(says: str, said: str) -> str:
    return f"{says}: {said.strip().rstrip('.')}." if says else f"{said.strip().rstrip('.')}."


def explain_signal(number: int) -> str:
    """The remedy for a program that a signal has ended."""
    if number == signal.SIGKILL:
        return MEMORY
    if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE):
        return (
            "The program itself crashed: see dmesg; it may have been built for another processor, or the"
            " memory is faulty."
        )
    if number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        return "Somebody ended it, or the host went down: run it again."
    if number == signal.SIGXFSZ:
        return "A limit on the size of files (ulimit -f) was reached: raise it for the application's user."
    return ""
