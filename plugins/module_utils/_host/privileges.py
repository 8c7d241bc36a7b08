# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work as another user for good: a child process with that user's privileges."""

from __future__ import annotations

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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import root_side
from .accounts import Account, find_account, user_environment
from .errors import DeploymentError, HostError, os_error

_PR_SET_PDEATHSIG = 1
# What every error has; the rest of its result are its details.
_COMMON = ("msg", "kind", "remedy")


def as_user(
    name: str, work: Callable[[Account], Any], *, deadline: float | None = None, questions: bool = False
) -> Any:
    """Do the work in a child process that has become the user; what it returns must be plain data.

    The work has `deadline` seconds, else as long as it takes. With `questions` it may ask what is marked in
    root_side, such as the journal; everything else is the user's own business and done with his rights.
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
    reader, writer = os.pipe()
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            ours.close()
            _become(account, parent)
            if questions:
                root_side.connect(theirs)
            answer = _answer(work, account)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(answer, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    theirs.close()
    ended = False
    root_side.serve(account)
    try:
        with ours:
            text = _hear(reader, ours if questions else None, deadline)
        ended = True
    finally:
        if not ended:
            # A child that hangs in a file system of the user's own does not hear SIGTERM.
            os.kill(child, signal.SIGTERM if deadline is None else signal.SIGKILL)
        os.close(reader)
        os.waitpid(child, 0)
    if not text:
        raise DeploymentError(
            f"The process that worked for {name} was killed before it could answer.", kind="killed"
        )
    answer = json.loads(text)
    if "error" in answer:
        error = answer["error"]
        raise DeploymentError(
            error["message"], kind=error["kind"], remedy=error["remedy"], details=error["details"]
        )
    return answer["value"]


def _hear(reader: int, questions: socket.socket | None, deadline: float | None) -> bytes:
    """What the child answers, while its questions are answered."""
    end = None if deadline is None else time.monotonic() + deadline
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        if questions is not None:
            selector.register(questions, selectors.EVENT_READ)
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            ready = [key.fileobj for key, _events in selector.select(left)]
            if not ready and left is not None:
                raise DeploymentError(
                    f"What belongs to the user could not be looked at within {deadline:g} s.",
                    kind="timeout",
                    remedy="See on which file system it lies, and whether the host is overloaded.",
                )
            if questions is not None and questions in ready and not root_side.answer(questions):
                # What asked something else hears no more.
                selector.unregister(questions)
                questions.close()
                questions = None
            if reader in ready:
                part = os.read(reader, 1 << 16)
                if not part:
                    return b"".join(parts)
                parts.append(part)


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


def _become(account: Account, parent: int) -> None:
    # Without root's terminal: what the user's processes can reach may neither read from it nor type into it.
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.setgroups(list(account.groups))
    os.setgid(account.gid)
    os.setuid(account.uid)
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
