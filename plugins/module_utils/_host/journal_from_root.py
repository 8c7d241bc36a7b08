# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal for a process that has become a user: root runs journalctl, and hands over what it prints."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from .accounts import SEARCH_PATH, Account
from .command_stream import pieces
from .errors import HostError
from .journal_query import Query, RootsReader, journal_command
from .pipes import asked_for
from .root_questions import Opened, answered_by_root, asker, at_hand


def from_root(account: Account) -> RootsReader | None:
    """What reads the lines of this user, who asks; None where there is no root to ask."""
    return _lines_from_root if at_hand() and account.uid == os.geteuid() else None


# What root has running for the child: journalctl by number.
_readers: dict[int, subprocess.Popen[bytes]] = {}


@answered_by_root
def _open_journal(asked: Mapping[str, Any]) -> Any:
    """Root's journalctl over the lines of the user who asks; he gets its output."""
    query = Query(
        units=[str(name) for name in asked["units"]],
        since=None if asked["since"] is None else float(asked["since"]),
        until=None if asked["until"] is None else float(asked["until"]),
        lines=None if asked["lines"] is None else int(asked["lines"]),
        after=str(asked["after"]),
        entries=bool(asked["entries"]),
        short=bool(asked["short"]),
    )
    argv = journal_command(asker(), query, as_user=False)
    child = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": SEARCH_PATH, "LANG": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    _readers[child.pid] = child
    with asked_for(child.stdout) as lines, asked_for(child.stderr) as complaints:
        return Opened(os.dup(lines.fileno()), os.dup(complaints.fileno()), note=child.pid)


@answered_by_root
def _close_journal(number: int) -> int:
    """How that journalctl has ended; it is ended now if it has not."""
    child = _readers.pop(int(number))
    try:
        return child.wait(timeout=1)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


@contextlib.contextmanager
def _lines_from_root(query: Query) -> Generator[Iterator[bytes]]:
    """Like `stream`, but root runs journalctl: a user may not see all lines of his own units."""
    opened: Any = _open_journal(asdict(query))
    output, complaints = (os.fdopen(descriptor, "rb") for descriptor in opened.descriptors)

    def lines() -> Iterator[bytes]:
        yield from pieces(output)
        said = complaints.read(4096).decode("utf-8", "replace").strip()
        status = _close_journal(opened.note)
        ended.append(status)
        if status != 0:
            raise HostError(said or f"exit status {status}", kind="failed")

    ended: list[int] = []
    try:
        yield lines()
    finally:
        output.close()
        complaints.close()
        if not ended:
            _close_journal(opened.note)
