# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of user units, entry by entry in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .accounts import Account
from .commands import stream
from .journal_query import StreamOpener, open_journal

# How many entries one journalctl reads: what it has read of the files, some 70 MB then, stays in its memory.
SLICE = 200_000


@dataclass(frozen=True)
class JournalEntry:
    time: float
    message: str
    priority: int | None
    identifier: str
    unit: str
    pid: int | None
    invocation: str
    from_manager: bool


def _text(value: Any, limit: int) -> str:
    """A field as journalctl prints it in JSON: text, bytes as numbers, or several of them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value[:limit]).decode("utf-8", "replace")
        return _text(value[-1], limit)
    return str(value)[:limit]


def _integer(value: Any) -> int | None:
    try:
        return int(_text(value, 32))
    except ValueError:
        return None


def parse_entry(line: bytes, max_message: int = 8192) -> JournalEntry | None:
    """One line of `journalctl --output=json`; None for what is not an entry."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    stamp = _integer(fields.get("__REALTIME_TIMESTAMP"))
    if stamp is None:
        return None
    subject = _text(fields.get("USER_UNIT"), 256)
    return JournalEntry(
        time=stamp / 1e6,
        message=_text(fields.get("MESSAGE"), max_message),
        priority=_integer(fields.get("PRIORITY")),
        identifier=_text(fields.get("SYSLOG_IDENTIFIER"), 256),
        unit=subject or _text(fields.get("_SYSTEMD_USER_UNIT"), 256),
        pid=_integer(fields.get("_PID")),
        invocation=_text(fields.get("USER_INVOCATION_ID") or fields.get("_SYSTEMD_INVOCATION_ID"), 64),
        from_manager=bool(subject),
    )


def _cursor(line: bytes) -> str:
    """The place of an entry in the journal, as journalctl prints it; nothing for what is not an entry."""
    try:
        fields = json.loads(line)
    except ValueError:
        return ""
    return _text(fields.get("__CURSOR"), 1024) if isinstance(fields, dict) else ""


def read_journal(
    account: Account,
    units: Sequence[str] = (),
    *,
    identifiers: Sequence[str] | None = None,
    since: float | None = None,
    until: float | None = None,
    invocation: str | None = None,
    lines: int | None = None,
    manager: bool = True,
    max_message: int = 8192,
    as_user: bool | None = None,
    open_stream: StreamOpener = stream,
) -> Iterator[JournalEntry]:
    """The entries of a user's units in order of time, one in memory at a time."""
    after = ""
    while True:
        with open_journal(
            account,
            units,
            identifiers,
            since=since,
            until=until,
            invocation=invocation,
            lines=lines,
            manager=manager,
            as_user=as_user,
            after=after,
            entries=True,
            open_stream=open_stream,
        ) as output:
            after = ""
            for number, line in enumerate(output, 1):
                entry = parse_entry(line, max_message)
                if entry is not None:
                    yield entry
                if number >= SLICE and lines is None:
                    after = _cursor(line)
                    if after:
                        break
        if not after:
            return
