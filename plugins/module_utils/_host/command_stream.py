# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of a command, run as an account, line by line while it comes."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import IO, Any

from .accounts import Account
from .acting import process_identity
from .commands import child_environment, not_installed
from .errors import HostError

# Bytes that come as one line: what is longer comes in pieces, of which only the last one ends it.
MOST_LINE = 1 << 18


@contextlib.contextmanager
def stream(argv: Sequence[str], *, account: Account | None = None) -> Generator[Iterator[bytes]]:
    """Lines of a command's output, one at a time; the command ends with the block.

    A line of more than MOST_LINE bytes comes in pieces.

    A command that fails after its output raises HostError (kind "failed") with what it said.
    """
    with process_identity(account) as identity, _running(argv, account, identity) as lines:
        yield lines


@contextlib.contextmanager
def _running(
    argv: Sequence[str], account: Account | None, identity: Mapping[str, Any]
) -> Generator[Iterator[bytes]]:
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment(account, None),
            cwd="/",
            start_new_session=True,
            **identity,
        )
    except FileNotFoundError:
        raise not_installed(argv[0]) from None
    output, complaints = child.stdout, child.stderr
    if output is None or complaints is None:
        raise RuntimeError("a pipe is missing")
    try:
        yield _lines_then_status(child, output, complaints)
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        output.close()
        complaints.close()


def pieces(output: IO[bytes]) -> Iterator[bytes]:
    """The lines of a pipe, or pieces of them: whoever writes it may send a line without end."""
    return iter(partial(output.readline, MOST_LINE), b"")


def _lines_then_status(
    child: subprocess.Popen[bytes], output: IO[bytes], complaints: IO[bytes]
) -> Iterator[bytes]:
    yield from pieces(output)
    said = complaints.read(4096).decode("utf-8", "replace").strip()
    if child.wait() != 0:
        raise HostError(said or f"exit status {child.returncode}", kind="failed")
