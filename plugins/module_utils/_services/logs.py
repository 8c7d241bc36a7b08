# SPDX-License-Identifier: GPL-3.0-or-later
"""The last records of the services' journal that fit a question, and the times people write."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._application.components import service_unit
from .._application.log_format import Assembler, LogRecord, at_least
from .._host.accounts import Account
from .._host.journal import JournalEntry, read_journal
from .._redaction import Redactor
from .._times.moments import moment
from .._times.stamps import fine_stamp

# A filter without a time looks back ever further until there is enough.
_WINDOWS = (3600.0, 86400.0, 7 * 86400.0, None)
# What is asked for at one time.
MOST_LINES = 100000


def compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression; without capitals it ignores case, like journalctl's. Raises ValueError."""
    try:
        return re.compile(pattern, 0 if any(letter.isupper() for letter in pattern) else re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a valid regular expression: {error}") from None


@dataclass(frozen=True)
class Question:
    """Which records are wanted."""

    services: Sequence[str]
    lines: int = 100
    since: float | None = None
    until: float | None = None
    level: str = ""
    pattern: re.Pattern[str] | None = None

    @property
    def filtered(self) -> bool:
        return bool(self.level or self.pattern)

    def wants(self, record: LogRecord) -> bool:
        if self.level and not at_least(record.level, self.level):
            return False
        return self.pattern is None or bool(
            self.pattern.search(record.message) or self.pattern.search(record.logger)
        )


def question_of(options: Mapping[str, Any], now: float) -> Question:
    """What the options of service_logs ask for. Raises ValueError with all that is wrong in them."""
    times: dict[str, float | None] = {"since": None, "until": None}
    problems = []
    for name in times:
        if options[name]:
            try:
                times[name] = moment(options[name], now)
            except ValueError as error:
                problems.append(f"{name}: {error}")
    since, until = times["since"], times["until"]
    if since is not None and until is not None and since > until:
        problems.append(f"since: {options['since']!r} lies after until ({options['until']!r})")
    if not 1 <= options["lines"] <= MOST_LINES:
        problems.append(f"lines: {options['lines']} is not between 1 and {MOST_LINES}")
    pattern = None
    if options["pattern"]:
        try:
            pattern = compiled(options["pattern"])
        except ValueError as error:
            problems.append(f"pattern: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return Question(
        services=options["services"],
        lines=options["lines"],
        since=since,
        until=until,
        level=options["level"],
        pattern=pattern,
    )


@dataclass
class Found:
    """The last records that fit, oldest first."""

    records: list[LogRecord]
    read: int
    more: bool


def assemble(entries: Iterable[JournalEntry]) -> Iterator[tuple[int, LogRecord]]:
    """Records with the number of entries read so far."""
    assembler, read = Assembler(), 0
    for entry in entries:
        read += 1
        for record in assembler.feed(entry):
            yield read, record
    for record in assembler.flush():
        yield read, record


Reader = Callable[..., Iterator[JournalEntry]]


def collect(
    account: Account,
    question: Question,
    now: float,
    read: Reader = read_journal,
    redactor: Redactor | None = None,
    gateway_account: Account | None = None,
) -> Found:
    """Ask the journal. Memory is bounded by the number of lines wanted."""
    # The gateway may run as a user of its own, whose journal is read apart.
    readings: dict[str, tuple[Account, list[str]]] = {}
    for name in question.services:
        owner = (gateway_account or account) if name == "gateway" else account
        readings.setdefault(owner.name, (owner, []))[1].append(service_unit(name))
    windows: Sequence[float | None] = (None,)
    if question.filtered and question.since is None:
        windows = _WINDOWS
    gathered: list[LogRecord] = []
    total = 0
    for window in windows:
        since = question.since if window is None else (question.until or now) - window
        # A traceback is one record of many lines, so more lines are read than records are wanted.
        lines = None if question.filtered or question.since is not None else question.lines * 2 + 300
        gathered = []
        for owner, units in readings.values():
            kept: deque[LogRecord] = deque(maxlen=question.lines + 1)
            counted = 0
            entries = read(owner, units, since=since, until=question.until, lines=lines)
            for number, record in assemble(entries):
                counted = number
                if question.wants(record):
                    kept.append(record)
            total += counted
            gathered += kept
        if len(gathered) > question.lines:
            break
    # Records of several processes end in another order than they begin.
    records = sorted(gathered, key=lambda record: record.time)
    more = len(records) > question.lines
    records = records[-question.lines :]
    if redactor is not None:
        for record in records:
            record.message = redactor.text(record.message)
            record.fields = redactor.data(record.fields)
    return Found(records, total, more)


def as_data(record: LogRecord) -> dict[str, Any]:
    """A record as plain data."""
    return {
        "time": fine_stamp(record.time),
        "epoch": round(record.time, 6),
        "service": record.service,
        "unit": record.unit,
        "pid": record.pid,
        "level": record.level,
        "logger": record.logger,
        "message": record.message,
        "source": record.source,
        "fields": record.fields,
    }
