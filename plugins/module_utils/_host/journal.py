# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of user units, entry by entry in bounded memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._plain_json import parse_json
from .accounts import Account
from .command_stream import MOST_LINE, stream
from .journal_query import ENTRY_FIELDS, Query, RootsReader, StreamOpener, open_journal

# What stands in the place of a message that is not read.
TOO_LARGE = "(a message that is too large to be shown)"
# How many entries one journalctl reads: what it has read of the files, some 70 MB then, stays in its memory.
SLICE = 200_000
# How many entries that are longer than any line are met before journalctl is told to leave out long messages.
LARGE_ENTRIES = 10
_FIELD = rb'(?<!\\)"%s" ?: ?"([^"\\]{1,1024})"'


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
        fields = parse_json(line)
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
        message=TOO_LARGE
        if "MESSAGE" in fields and fields["MESSAGE"] is None
        else _text(fields.get("MESSAGE"), max_message),
        priority=_integer(fields.get("PRIORITY")),
        identifier=_text(fields.get("SYSLOG_IDENTIFIER"), 256),
        unit=subject or _text(fields.get("_SYSTEMD_USER_UNIT"), 256),
        pid=_integer(fields.get("_PID")),
        invocation=_text(fields.get("USER_INVOCATION_ID") or fields.get("_SYSTEMD_INVOCATION_ID"), 64),
        from_manager=bool(subject),
    )


def _beginning(line: bytes) -> bytes:
    """An entry that is too large to be read, as one that says so."""
    kept = {}
    for name in (*ENTRY_FIELDS, "__CURSOR", "__REALTIME_TIMESTAMP"):
        if found := re.search(_FIELD % name.encode(), line):
            kept[name] = found[1].decode("utf-8", "replace")
    kept["MESSAGE"] = TOO_LARGE
    return json.dumps(kept).encode()


def _cursor(line: bytes) -> str:
    """The place of an entry in the journal, as journalctl prints it; nothing for what is not an entry."""
    try:
        fields = parse_json(line)
    except ValueError:
        return ""
    return _text(fields.get("__CURSOR"), 1024) if isinstance(fields, dict) else ""


def read_journal(
    account: Account,
    units: Sequence[str] = (),
    *,
    since: float | None = None,
    until: float | None = None,
    lines: int | None = None,
    open_stream: StreamOpener = stream,
    from_root: RootsReader | None = None,
) -> Iterator[JournalEntry]:
    """The entries of a user's units in order of time, one in memory at a time."""
    query = Query(list(units), since, until, lines, entries=True)
    large = 0
    while True:
        after, left = "", lines
        with open_journal(account, query, open_stream=open_stream, from_root=from_root) as output:
            for number, line in enumerate(output, 1):
                too_large = len(line) >= MOST_LINE and not line.endswith(b"\n")
                if too_large:
                    line = _beginning(line)
                entry = parse_entry(line)
                if entry is not None:
                    yield entry
                if too_large or (number >= SLICE and lines is None):
                    # The rest of it is not waited for.
                    large += too_large
                    after = _cursor(line)
                    left = None if query.lines is None else query.lines - number
                    if after or too_large:
                        break
        if not after or left == 0:
            return
        query = replace(query, after=after, lines=left, short=large >= LARGE_ENTRIES)
