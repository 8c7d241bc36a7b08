# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of another user, kept away from the terminal of whoever called them.

A process that has root's terminal may read what is typed there, and on many kernels type into it, as root.
So what runs as the application's user gets a session without a terminal, or, to talk with it, one of its own.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import IO, Any, Protocol, TextIO

from .._host import process_groups
from .._host.accounts import Account
from .._host.acting import process_identity
from .._host.commands import AFTERWARDS, end, stopped
from .._host.errors import HostError
from .._host.pipes import asked_for
from .._terminal import clean
from .screen import Screen

# Bytes of a line that are handed on.
LONGEST = 1 << 18
# Seconds between two looks whether a program has ended.
LOOK_SECONDS = 0.1


def relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    account: Account | None = None,
    tidy: Callable[[str], str] = clean,
    seconds: float | None = None,
) -> int:
    """Run a program in a session of its own and print what it says, line by line, fit for a terminal.

    :param seconds: for all of it; HostError (kind "timeout", or "stopped" by a signal) where it takes longer.
    """
    with process_identity(account) as identity:
        return _relay(argv, environment, identity, tidy, seconds)


def _relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    identity: Mapping[str, Any],
    tidy: Callable[[str], str],
    seconds: float | None,
) -> int:
    until = None if seconds is None else time.monotonic() + seconds
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
        **identity,
    )
    lines = asked_for(child.stdout)
    complaints = threading.Thread(target=_hand_on_all, args=(asked_for(child.stderr),), daemon=True)
    complaints.start()
    try:
        _hand_on(lines if until is None else _Until(lines, until), sys.stdout, tidy)
        status = child.wait(None if until is None else max(AFTERWARDS, until - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        limit = seconds or 0.0
        error = HostError(f"{argv[0]} did not answer within {limit:g} s.", kind="timeout")
        raise (stopped(argv[0], limit) if process_groups.stopped(child.pid) else error) from None
    finally:
        # The user may have stopped it: it would hear nothing else.
        end(child)
        child.wait()
        lines.close()
        # Whoever is the user may hold its end of the pipe open for good.
        complaints.join(None if until is None else AFTERWARDS)
    return status


class _Until:
    """A pipe that is read up to a moment, whoever else has its other end. Raises TimeoutError."""

    def __init__(self, source: IO[bytes], until: float) -> None:
        self._source, self._until = source.fileno(), until
        self._lines: list[bytes] = []
        self._rest = b""

    def readline(self, most: int) -> bytes:
        while not self._lines:
            left = self._until - time.monotonic()
            if left <= 0 or not select.select([self._source], [], [], left)[0]:
                raise TimeoutError
            piece = os.read(self._source, 1 << 16)
            *self._lines, self._rest = (self._rest + piece).splitlines(keepends=True) or [b""]
            if not piece or self._rest.endswith(b"\n") or len(self._rest) >= most:
                self._lines.append(self._rest)
                self._rest = b""
        return self._lines.pop(0)


class _Readable(Protocol):
    def readline(self, most: int, /) -> bytes: ...


def _hand_on_all(complaints: IO[bytes]) -> None:
    with complaints:
        _hand_on(complaints, sys.stderr, clean)


def _hand_on(source: _Readable, target: TextIO, tidy: Callable[[str], str]) -> None:
    left_out = 0
    beginning = True
    while line := source.readline(LONGEST):
        ended = line.endswith(b"\n")
        if beginning:
            target.write(tidy(line.decode("utf-8", "replace")))
        else:
            # Whoever writes to the journal may write without end.
            left_out += len(line)
        if left_out and ended:
            target.write(f" ... ({left_out} bytes left out)\n")
            left_out = 0
        beginning = ended
        target.flush()


def converse(argv: Sequence[str], environment: Mapping[str, str], account: Account) -> int:
    """Run a program for people as the account; where it would have got our terminal it gets its own.

    Files and pipes it gets as they are, for data; but what it complains of is for people in any case.
    """
    with process_identity(account) as identity:
        return _converse(argv, environment, identity)


def _converse(argv: Sequence[str], environment: Mapping[str, str], identity: Mapping[str, Any]) -> int:
    ours = [descriptor for descriptor in range(3) if os.isatty(descriptor)]
    if not ours:
        done = subprocess.Popen(
            list(argv),
            stderr=subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            # A session of its own has no terminal.
            start_new_session=True,
            **identity,
        )
        with _complaints(done):
            try:
                return done.wait()
            except BaseException:
                done.kill()
                raise
    # It stays ours, so that nobody opens it by its name; the program has it open.
    master, slave = os.openpty()
    _copy_size(ours[0], master)
    become = identity.get("preexec_fn", lambda: None)

    def prepare() -> None:
        become()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        list(argv),
        stdin=slave if 0 in ours else None,
        stdout=slave if 1 in ours else None,
        stderr=slave if 2 in ours else subprocess.PIPE,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
        # Runs between fork and exec; this process has no other threads.
        preexec_fn=prepare,
    )
    os.close(slave)
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: _copy_size(ours[0], master))
    with _complaints(child):
        try:
            with _raw(0 if 0 in ours else None):
                target = next(one for one in (1, 2, 0) if one in ours)
                _carry(master, 0 if 0 in ours else None, target, lambda: child.poll() is not None)
        finally:
            signal.signal(signal.SIGWINCH, before)
            os.close(master)
            # Without its terminal it is told to hang up.
            status = child.wait()
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def _complaints(child: subprocess.Popen[bytes]) -> Generator[None]:
    """What it says on a pipe of ours, fit for a terminal: where that leads to we do not know."""
    if child.stderr is None:
        yield
        return
    carrier = threading.Thread(target=_hand_on_all, args=(child.stderr,), daemon=True)
    carrier.start()
    try:
        yield
    finally:
        # Whoever is the user may hold its end of the pipe open for good.
        carrier.join(AFTERWARDS)


def _carry(master: int, source: int | None, target: int, is_over: Callable[[], bool]) -> None:
    """What is typed goes there, what is said comes here, until the program has ended.

    Others who are its user may have its terminal, too: what they say afterwards is not shown, and what is
    typed then is not for them.
    """
    watched = [master] if source is None else [master, source]
    # Whoever is the user can write to the program's terminal, and may want ours to type something.
    screen = Screen()
    rest = None
    while True:
        ready, _, _ = select.select(watched, [], [], LOOK_SECONDS if rest is None else 0)
        if rest is None and is_over():
            # What it said last is still to be read.
            rest, watched, source = time.monotonic() + AFTERWARDS, [master], None
            continue
        if rest is not None and (not ready or time.monotonic() > rest):
            return
        if master in ready:
            try:
                data = os.read(master, 1 << 16)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                data = b""
            if not data:
                return
            _write(target, screen(data))
        if source is not None and source in ready:
            data = os.read(source, 1 << 12)
            if data:
                _write(master, data)
            else:
                watched.remove(source)
                source = None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _raw(descriptor: int | None) -> Generator[None]:
    """Keys go on as they are: the program's own terminal makes a signal of Ctrl-C."""
    if descriptor is None:
        yield
        return
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _copy_size(source: int, target: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8)))
