# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The last lines of user units, as text; without what reads the journal entry by entry."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence

from .accounts import Account
from .commands import stream
from .journal_query import StreamOpener, open_journal

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
    invocation: str | None = None,
    open_stream: StreamOpener = stream,
) -> list[str]:
    """The last lines of a unit, oldest first. Raises JournalError where the journal cannot be read."""
    kept: deque[str] = deque(maxlen=lines)
    with open_journal(
        account, units, since=since, invocation=invocation, lines=lines, open_stream=open_stream
    ) as output:
        for line in output:
            text = line.rstrip(b"\n")
            if not _REMARK.fullmatch(text):
                kept.append(text[:LONGEST].decode("utf-8", "replace"))
    return list(kept)
