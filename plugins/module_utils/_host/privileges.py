# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Work as another user for good: a child process with that user's privileges."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

from .accounts import Account, find_account, user_environment
from .errors import DeploymentError, HostError, os_error
from .logged_commands import Commands

_PR_SET_PDEATHSIG = 1
# What every error has; the rest of its result are its details.
_COMMON = ("msg", "kind", "remedy")


def as_user(name: str, work: Callable[[Account], Any]) -> Any:
    """Do the work in a child process that has become the user; what it returns must be plain data."""
    account = find_account(name)
    if os.geteuid() == account.uid:
        return work(account)
    if os.geteuid() != 0:
        raise DeploymentError(
            f"{find_account().name} cannot act for the user {name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {name}.",
        )
    reader, writer = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            _become(account, parent)
            answer = _answer(work, account)
            with os.fdopen(writer, "w", encoding="utf-8") as pipe:
                json.dump(answer, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="utf-8") as pipe:
            text = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGTERM)
        raise
    finally:
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


def stop_with(commands: Commands) -> None:
    """End the commands too when this process is told to end."""
    _on_stop.append(commands.cancel)
