# SPDX-License-Identifier: GPL-3.0-or-later
"""What pg_dump has written, as a stream, through pg_restore into psql: no file on the way.

All of it is one transaction, whose last line is written only when the stream has been read to its end and is
what it should be. Whatever ends before that, the server takes everything back.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import IO, NamedTuple, Protocol

from .._host.deployment_errors import DeploymentError
from .._host.pipes import asked_for
from . import target
from .commands import DatabaseCommands

_BLOCK = 1 << 20
# The table of contents stands in front; beyond that it is none.
_LONGEST_LIST = 64 << 20
# What cannot be restored by the application's login, or is made anew here.
_LEFT_OUT = re.compile(r"\d+; \d+ \d+ (SCHEMA|DEFAULT ACL|COMMENT - SCHEMA|ACL - SCHEMA) ")
PSQL = ("psql", "--no-psqlrc", "--no-password", "--quiet", "--set=ON_ERROR_STOP=1")
UNCHANGED = "It is one transaction: the database is as before."


class Readable(Protocol):
    """Where a dump comes from."""

    def read(self, number: int, /) -> bytes: ...


class Transaction(NamedTuple):
    """What is done before the dump and after it, and who says that all of it was read as it was written."""

    before: str
    after: str
    whole: Callable[[], None]


def pour(
    dump: Readable,
    name: str,
    database: target.Target,
    commands: DatabaseCommands,
    transaction: Transaction,
    timeout: float,
) -> None:
    """The schema `public` of a dump into the database, between the two scripts of one transaction."""
    commands.note(f"Listing the backup: pg_restore --list ({name})")
    wanted, head = _listing(dump, commands)
    commands.note(f"Reading the backup: pg_restore --schema=public ({name})")
    reader, writer = os.pipe()
    failures: list[BaseException] = []

    def feed() -> None:
        try:
            with os.fdopen(writer, "wb") as script:
                script.write(f"BEGIN;\n{transaction.before}".encode())
                script.flush()
                _through(_Rest(head, dump), wanted, script, commands)
                transaction.whole()
                script.write(f"{transaction.after}COMMIT;\n".encode())
        except BaseException as error:
            failures.append(error)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    refused: DeploymentError | None = None
    try:
        commands(
            [*PSQL, f"--dbname={database.address}", "--file=-"],
            what="Restoring the backup",
            shown=f"psql ({name})",
            environment=database.environment,
            stdin=reader,
            timeout=timeout,
            remedy=UNCHANGED,
        )
    except DeploymentError as error:
        refused = error
    finally:
        # Whoever still writes learns that nobody reads.
        os.close(reader)
        feeder.join(60)
    # A stream that breaks makes psql complain, and a psql that ends breaks the stream: the first one counts.
    first = next((error for error in failures if not isinstance(error, BrokenPipeError)), refused)
    if first is not None or failures:
        raise first or failures[0]


class _Rest:
    """A stream from its beginning on, of which some has been read."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head, self._rest = head, rest

    def read(self, number: int, /) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        return self._rest.read(number)


def _listing(dump: Readable, commands: DatabaseCommands) -> tuple[list[str], bytes]:
    """What is to be restored of it, and what had to be read to know."""
    head = bytearray()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as complaints:
        with _program(["pg_restore", "--list"], output, complaints, commands) as process:
            restorer = asked_for(process.stdin)
            with contextlib.suppress(BrokenPipeError), restorer:
                while len(head) < _LONGEST_LIST and (block := dump.read(1 << 16)):
                    head += block
                    restorer.write(block)
        _need_success(process, complaints, commands, "Listing the backup", "Nothing was changed.")
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").split("\n")
    return [line for line in lines if line[:1].isdigit() and not _LEFT_OUT.match(line)], bytes(head)


def _through(dump: Readable, wanted: Sequence[str], script: IO[bytes], commands: DatabaseCommands) -> None:
    """pg_restore makes statements of it."""
    with tempfile.TemporaryFile() as entries, tempfile.TemporaryFile() as complaints:
        entries.write("".join(f"{line}\n" for line in wanted).encode())
        entries.flush()
        argv = ["pg_restore", "--no-owner", "--schema=public", "--file=-"]
        argv.append(f"--use-list=/proc/self/fd/{entries.fileno()}")
        with _program(argv, script, complaints, commands, entries) as process:
            restorer = asked_for(process.stdin)
            # What stands behind the last entry that it wants is read by nobody.
            with contextlib.suppress(BrokenPipeError), restorer:
                while block := dump.read(_BLOCK):
                    restorer.write(block)
        if process.returncode == -signal.SIGPIPE:
            raise BrokenPipeError
        _need_success(process, complaints, commands, "Reading the backup", UNCHANGED)


def _program(
    argv: Sequence[str],
    output: IO[bytes],
    complaints: IO[bytes],
    commands: DatabaseCommands,
    entries: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    descriptors = () if entries is None else (entries.fileno(),)
    return subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=complaints,
        env=commands.environment,
        cwd="/",
        pass_fds=descriptors,
    )


def _need_success(
    process: subprocess.Popen[bytes],
    complaints: IO[bytes],
    commands: DatabaseCommands,
    what: str,
    remedy: str,
) -> None:
    if process.returncode == 0:
        return
    complaints.seek(0)
    lines = complaints.read(1 << 16).decode("utf-8", "replace").splitlines()
    for line in lines:
        commands.note(line)
    found = commands.explain(lines)
    reason = found.sentence or (lines[-1] if lines else "")
    raise DeploymentError(
        f"{what} failed: pg_restore ended with status {process.returncode}. {reason}".rstrip(),
        kind="command_failed",
        remedy=f"{remedy} {found.cure}".rstrip(),
        details={"output": lines[-10:], "rc": process.returncode},
    )
