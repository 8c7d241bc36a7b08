# SPDX-License-Identifier: GPL-3.0-or-later
"""Work as another user for good: a child process with that user's privileges."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from .._plain_json import parse_json
from . import process_groups
from .accounts import Account, find_account, user_environment
from .deployment_errors import DeploymentError, os_error
from .enclosure import Enclosure, enclosure
from .errors import HostError
from .leaving import become

_PR_SET_PDEATHSIG = 1
# Seconds for which a child is waited for once it has been told to end.
_PATIENCE = 5.0
# Seconds between two looks whether it was stopped, and how many of them in a row say so.
_LOOK = 5.0
# Bytes of the child's answer that are taken; it is the user's.
MOST_HEARD = 32 << 20
_LOOKS = 2
# A sign of life, which before the answer means nothing; in the child, where they go.
SIGN = b" "
signs: list[int] = []
# What every error has; the rest of its result are its details.
_COMMON = ("msg", "kind", "remedy")


class Answers(Protocol):
    """What the child may learn from the process that stays root: the module root_side."""

    def connect(self, connection: socket.socket) -> None:
        """In the child, before it does anything else."""

    def serve(self, account: Account) -> None:
        """In the process that stays root: whom it will answer."""

    def answer(self, connection: socket.socket, seconds: float | None = None) -> bool:
        """In the process that stays root: one question, answered in time; False when the child is gone."""


def unwatched() -> None:
    """Nothing is to be seen."""


def as_user(
    name: str,
    work: Callable[[Account], Any],
    *,
    deadline: float | None = None,
    questions: Answers | None = None,
    keep: Iterable[int] = (),
    enclosed: bool = True,
    watch: Callable[[], None] = unwatched,
) -> Any:
    """Do the work in a child process that has become the user; what it returns must be plain data.

    The work has `deadline` seconds, anew from each sign of life. With root_side for `questions` it may ask
    what is marked there, such as the journal; all else is done as the user, who has `keep` of open files.
    What programs it has started ends with it. Not `enclosed` is what starts none, or some that are to stay.
    `watch` is asked in this process again and again, and ends the work by failing.
    """
    account = find_account(name)
    if os.geteuid() == account.uid:
        return work(account)
    if os.geteuid() != 0:
        raise DeploymentError(
            f"{find_account().name} cannot act for the user {name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {name}.",
        )
    _import_all()
    with enclosure() if enclosed else contextlib.nullcontext() as group:
        return _in_child(account, work, deadline, questions, keep, group, watch)


def _in_child(
    account: Account,
    work: Callable[[Account], Any],
    deadline: float | None,
    questions: Answers | None,
    keep: Iterable[int],
    group: Enclosure | None,
    watch: Callable[[], None],
) -> Any:
    reader, writer = os.pipe()
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _let_go_of_files({writer, theirs.fileno(), *keep})
            _become(account, parent, group)
            signs.append(writer)
            if questions is not None:
                questions.connect(theirs)
            answer = _answer(work, account)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(answer, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    theirs.close()
    ended = False
    if questions is not None:
        questions.serve(account)
    try:
        with ours:
            text = _hear(child, reader, ours, deadline, questions, watch)
        ended = True
    finally:
        os.close(reader)
        _let_go(child, ended)
    if not text:
        raise DeploymentError(
            f"The process that worked for {account.name} was killed before it could answer.", kind="killed"
        )
    return _value(parse_json(text))


def _let_go(child: int, ended: bool) -> None:
    """Have the child end: in order, then at once. It is the user's, who may have stopped it."""
    # A child that hangs in a file system of the user's own does not hear even the last one.
    signals = (signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)
    if not ended:
        _tell(child, signals[0])
    for following in (signals[1], ()):
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0]:
                return
            time.sleep(0.002)
        _tell(child, following)


def _tell(child: int, signals: Iterable[signal.Signals]) -> None:
    for number in signals:
        os.kill(child, number)


def _value(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        error = answer["error"]
        raise DeploymentError(
            error["message"], kind=error["kind"], remedy=error["remedy"], details=error["details"]
        )
    return answer["value"]


def _hear(
    child: int,
    reader: int,
    line: socket.socket,
    deadline: float | None,
    questions: Answers | None,
    watch: Callable[[], None],
) -> bytes:
    """What the child answers, while its questions are answered."""
    end = None if deadline is None else time.monotonic() + deadline
    parts: list[bytes] = []
    stopped = heard = 0
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        if questions is not None:
            selector.register(line, selectors.EVENT_READ)
        while True:
            left = _LOOK if end is None else min(_LOOK, max(0.0, end - time.monotonic()))
            ready = [key.fileobj for key, _events in selector.select(left)]
            watch()
            # Not at the first look: a debugger of an administrator's stops it for a moment, too.
            stopped = stopped + 1 if not ready and process_groups.stopped(child) else 0
            if stopped > _LOOKS:
                raise DeploymentError(
                    "The process that works for the user was stopped by a signal.",
                    kind="stopped",
                    remedy="See which process of the user's does that, end it, and run this again.",
                )
            # It may have answered just now; but neither questions nor a part of an answer give it more time.
            if end is not None and time.monotonic() >= end and (reader not in ready or parts):
                raise DeploymentError(
                    f"What belongs to the user could not be looked at within {deadline:g} s.",
                    kind="timeout",
                    remedy="See on which file system it lies, and whether the host is overloaded.",
                )
            if (
                questions is not None
                and line in ready
                and not questions.answer(line, None if end is None else end - time.monotonic())
            ):
                # What asked something else hears no more.
                selector.unregister(line)
                line.close()
                questions = None
            if reader in ready:
                part = os.read(reader, 1 << 16)
                if not part:
                    return b"".join(parts)
                # Blanks in the answer are its own.
                if not parts and not part.strip(SIGN):
                    end = None if deadline is None else time.monotonic() + deadline
                    continue
                parts.append(part)
                heard += len(part)
                if heard > MOST_HEARD:
                    raise DeploymentError(
                        f"What belongs to the user is more than {MOST_HEARD >> 20} MB to tell.",
                        kind="too_large",
                        remedy="See what lies below the application's root, and what made so much of it.",
                    )


def _import_all() -> None:
    """Import what the archive holds that this runs from, if only root may read it.

    Ansible packs a module into a directory that nobody else can enter: the child would find no more there.
    """
    archive = getattr(globals().get("__loader__"), "archive", "")
    package = __name__.rsplit(".", 2)[0]
    if not archive or _open_to_all(Path(archive)):
        return
    beginning = package.replace(".", "/") + "/"
    with zipfile.ZipFile(archive) as found:
        names = [name for name in found.namelist() if name.startswith(beginning) and name.endswith(".py")]
    for name in names:
        module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if module not in sys.modules:
            __import__(module)


def _open_to_all(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & 0o004) and all(
            parent.stat().st_mode & 0o001 for parent in path.parents
        )
    except OSError:
        return False


def _answer(work: Callable[[Account], Any], account: Account) -> dict[str, Any]:
    told: HostError
    try:
        return {"value": work(account)}
    except HostError as error:
        told = error
    except OSError as error:
        told = os_error(error)
    except Exception as error:
        told = DeploymentError(
            f"Unexpected {type(error).__name__}: {error}",
            kind="bug",
            details={"exception": traceback.format_exc()},
        )
    return {
        "error": {
            "message": told.message,
            "kind": told.kind,
            "remedy": told.remedy,
            "details": {name: value for name, value in told.result().items() if name not in _COMMON},
        }
    }


def _let_go_of_files(kept: set[int]) -> None:
    """Neither a lock nor the terminal is the user's. Each is /dev/null now, so that no number is free."""
    null = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) not in {null, *kept}:
            os.dup2(null, int(name), inheritable=int(name) < 3)


def _become(account: Account, parent: int, group: Enclosure | None) -> None:
    # Without root's terminal: the user's processes may neither read from it nor type into it.
    os.setsid()
    become(account, group)
    os.umask(0o022)
    os.chdir("/")
    os.environ.clear()
    os.environ.update(user_environment(account))
    signal.signal(signal.SIGTERM, _stop)
    # A killed module takes this process along; the commands it started are let go by _stop.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)


_on_stop: list[Callable[[], None]] = []


def _stop(_number: int, _frame: Any) -> None:
    for action in _on_stop:
        action()
    os._exit(143)


def stop_with(cancel: Callable[[], None]) -> None:
    """Have this called, to end what was started, when this process is told to end."""
    _on_stop.append(cancel)
