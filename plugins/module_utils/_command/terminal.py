# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
import tty
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import IO, Any, TextIO

from .._host.accounts import Account
from .._terminal import clean


def identity(account: Account) -> dict[str, Any]:
    """The arguments of Popen that make root's child somebody else."""
    if os.geteuid() != 0 or account.uid == 0:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}


def relay(
    argv: Sequence[str],
    environment: Mapping[str, str],
    account: Account | None = None,
    tidy: Callable[[str], str] = clean,
) -> int:
    """Run a program in a session of its own and print what it says, line by line, fit for a terminal."""
    with subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
        **(identity(account) if account is not None else {}),
    ) as child:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101 - both are pipes
        complaints = threading.Thread(target=_hand_on, args=(child.stderr, sys.stderr, clean), daemon=True)
        complaints.start()
        try:
            _hand_on(child.stdout, sys.stdout, tidy)
        except BaseException:
            child.terminate()
            raise
        complaints.join()
    return child.returncode


def _hand_on(source: IO[bytes], target: TextIO, tidy: Callable[[str], str]) -> None:
    while line := source.readline(1 << 20):
        target.write(tidy(line.decode("utf-8", "replace")))
        target.flush()


def converse(argv: Sequence[str], environment: Mapping[str, str], account: Account) -> int:
    """Run a program for people as the account; where it would have got our terminal it gets its own."""
    ours = [descriptor for descriptor in range(3) if os.isatty(descriptor)]
    if not ours:
        # Files and pipes are handed on; a session of its own has no terminal.
        done = subprocess.run(
            list(argv),
            env=dict(environment),
            cwd="/",
            check=False,
            start_new_session=True,
            **identity(account),
        )
        return done.returncode
    master, slave = os.openpty()
    os.fchown(slave, account.uid, -1)
    _copy_size(ours[0], master)
    child = subprocess.Popen(
        list(argv),
        stdin=slave if 0 in ours else None,
        stdout=slave if 1 in ours else None,
        stderr=slave if 2 in ours else None,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
        # Runs between fork and exec; this process has no other threads.
        preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        **identity(account),
    )
    os.close(slave)
    before = signal.signal(signal.SIGWINCH, lambda _number, _frame: _copy_size(ours[0], master))
    try:
        with _raw(0 if 0 in ours else None):
            _carry(master, 0 if 0 in ours else None, next(one for one in (1, 2, 0) if one in ours))
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(master)
        # Without its terminal it is told to hang up.
        status = child.wait()
    return status if status >= 0 else 128 - status


def _carry(master: int, source: int | None, target: int) -> None:
    """What is typed goes there, what is said comes here, until the program closes its terminal."""
    watched = [master] if source is None else [master, source]
    while True:
        ready, _, _ = select.select(watched, [], [])
        if master in ready:
            try:
                data = os.read(master, 1 << 16)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                data = b""
            if not data:
                return
            _write(target, data)
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
