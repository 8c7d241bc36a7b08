# SPDX-License-Identifier: GPL-3.0-or-later
"""The last lines of user units, as text; without what reads the journal entry by entry."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from .accounts import Account
from .command_stream import stream
from .journal_query import Query, RootsReader, StreamOpener, open_journal

# What is longer is no line for people.
LONGEST = 8192
# What journalctl itself says between the lines.
_REMARK = re.compile(rb"-- (?:No entries|Boot [0-9a-f]{32}) --")


def tail(
    account: Account,
    units: Sequence[str],
    lines: int = 40,
    *,
    since: float | None = None,
    open_stream: StreamOpener = stream,
    from_root: RootsReader | None = None,
) -> list[str]:
    """The last lines of a unit, oldest first. Raises JournalError where the journal cannot be read."""
    kept: deque[str] = deque(maxlen=lines)
    query = Query(list(units), since=since, lines=lines)
    with open_journal(account, query, open_stream=open_stream, from_root=from_root) as output:
        ended = True
        for line in output:
            beginning, ended = ended, line.endswith(b"\n")
            if not beginning:
                continue
            text = line.rstrip(b"\n")
            if not _REMARK.fullmatch(text):
                kept.append(text[:LONGEST].decode("utf-8", "replace"))
    return list(kept)
