# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands run as an account, with a deadline; line by line they are in command_stream."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from . import process_groups
from .accounts import SEARCH_PATH, Account, user_environment
from .acting import process_identity
from .errors import HostError

# Bytes that a command may say.
MOST = 16 << 20
# Seconds between two looks whether it has ended, and for which its output is read after that.
LOOK = 0.5
AFTERWARDS = 0.2


@dataclass(frozen=True)
class Completed:
    argv: tuple[str, ...]
    returncode: int
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    @property
    def complaint(self) -> str:
        """What the command said about its failure, in one line."""
        text = self.stderr.strip() or self.stdout.strip() or f"exit status {self.returncode}"
        return " ".join(text.split())


class Runner(Protocol):
    def __call__(
        self,
        argv: Sequence[str],
        *,
        account: Account | None = None,
        timeout: float = 60.0,
        input: str | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Completed: ...


def child_environment(account: Account | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    """The environment of a command: the account's own and what is added, nothing that is inherited."""
    if account is None:
        environment = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/"}
        environment["HOME"] = os.environ.get("HOME", "/")
    else:
        environment = user_environment(account)
    environment.update(extra or {})
    return environment


def not_installed(program: str) -> HostError:
    """What is said of a program that is not there."""
    return HostError(
        f"The command {program} is not installed on this host.",
        kind="no_such_command",
        remedy=f"Install the package that brings {program}.",
    )


def stopped(program: str, seconds: float) -> HostError:
    """What is said of a program that somebody keeps from going on."""
    return HostError(
        f"{program} did not finish within {seconds:g} s: a signal had stopped it.",
        kind="stopped",
        remedy="See which process of the same user does that (its own, or its agents'), end it, and run this "
        "again.",
    )


def run(
    argv: Sequence[str],
    *,
    account: Account | None = None,
    timeout: float = 60.0,
    input: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: str | None = None,
    enclosed: bool = True,
) -> Completed:
    """Run a command in a clean environment, as the account where one is given.

    What it has started ends with it, where root runs it as another user, unless it is not `enclosed`.
    Whoever owns the program, or may stop or trace it, gets no more than `timeout` seconds and MOST bytes.
    """
    with process_identity(account, enclosed) as identity:
        process = _started(argv, identity, input is not None, child_environment(account, environment), cwd)
        with process:
            try:
                stdout, stderr = _exchange(process, (input or "").encode(), time.monotonic() + timeout)
            except TimeoutError:
                if process_groups.stopped(process.pid):
                    raise stopped(argv[0], timeout) from None
                raise HostError(
                    f"{argv[0]} did not finish within {timeout:g} s.",
                    kind="timeout",
                    remedy="See whether the host is overloaded, or allow more time.",
                ) from None
            except OverflowError:
                raise HostError(
                    f"{argv[0]} said more than {MOST >> 20} MB, and was ended.",
                    kind="too_much_output",
                    remedy="See who can change that program, or what it reads.",
                ) from None
            finally:
                end(process)
    return Completed(tuple(argv), process.returncode, *(_text(data) for data in (stdout, stderr)))


def _started(
    argv: Sequence[str],
    identity: Mapping[str, Any],
    told: bool,
    environment: dict[str, str],
    cwd: str | None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE if told else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd or "/",
            # A session of its own has no terminal: what runs as another user cannot type into root's.
            start_new_session=True,
            **identity,
        )
    except FileNotFoundError:
        raise not_installed(argv[0]) from None


def _text(data: bytes) -> str:
    # A lone carriage return ends no line: it may stand in what a user has named.
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _exchange(process: subprocess.Popen[bytes], given: bytes, end_at: float) -> tuple[bytes, bytes]:
    """What a command says, while it is told what it is given. Raises TimeoutError, OverflowError."""
    said: dict[Any, list[bytes]] = {process.stdout: [], process.stderr: []}
    size = 0
    with selectors.DefaultSelector() as selector:
        for stream in said:
            selector.register(stream, selectors.EVENT_READ)
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        while any(stream in selector.get_map() for stream in said):
            left = end_at - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # Whoever it has left behind may hold its output open for good.
            ended = process.poll() is not None
            ready = selector.select(AFTERWARDS if ended else min(left, LOOK))
            if ended and not ready:
                break
            for key, _events in ready:
                if key.fileobj is process.stdin:
                    given = _tell(process.stdin, given)
                    if not given:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                piece = os.read(key.fd, 1 << 16)
                if not piece:
                    selector.unregister(key.fileobj)
                said[key.fileobj].append(piece)
                size += len(piece)
                if size > MOST:
                    raise OverflowError
        if not _ended(process, end_at):
            raise TimeoutError
    stdout, stderr = (b"".join(pieces) for pieces in said.values())
    return stdout, stderr


def _tell(stream: IO[bytes], given: bytes) -> bytes:
    """What is left to be told; nothing where nobody listens."""
    try:
        return given[os.write(stream.fileno(), given[: 1 << 16]) :] if given else b""
    except BrokenPipeError:
        return b""


def _ended(process: subprocess.Popen[bytes], end_at: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(0.0, end_at - time.monotonic()))
    return process.returncode is not None


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command that still runs, with all that it has started and not sent away."""
    if process.poll() is None:
        process_groups.kill(process)
