"""Times as people write them, and which records of a journal are returned."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.journal import JournalEntry
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import MASK, Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import logs
from ansible_collections.openclaw.mission_control.plugins.module_utils._times import moments

NOW = datetime(2026, 6, 15, 12, 30, 0).timestamp()
ACCOUNT = Account("mc", 1000, 1000, "/home/mc")


def local(*parts: int) -> float:
    return datetime(*parts).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("10m", NOW - 600),
        ("-10m", NOW - 600),
        ("2h30m", NOW - 9000),
        ("90s ago", NOW - 90),
        ("10 min ago", NOW - 600),
        ("10 minutes ago", NOW - 600),
        ("2 hours", NOW - 7200),
        ("1 day ago", NOW - 86400),
        ("1 Week Ago", NOW - 604800),
        ("today", local(2026, 6, 15)),
        ("Yesterday", local(2026, 6, 14)),
        ("14:30", local(2026, 6, 15, 14, 30)),
        ("4:05:06", local(2026, 6, 15, 4, 5, 6)),
        ("2026-01-31", local(2026, 1, 31)),
        ("2026-01-31 14:30", local(2026, 1, 31, 14, 30)),
        ("2026-01-31T14:30:00Z", 1769869800.0),
        ("2026-01-31 14:30:00 UTC", 1769869800.0),
        ("2026-01-31T15:30:00+01:00", 1769869800.0),
        ("@1769869800", 1769869800.0),
    ],
)
def test_times(text: str, expected: float) -> None:
    assert moments.moment(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "10",
        "10 parsecs",
        "25:00",
        "10:99",
        "2026-13-01",
        "2026-02-30",
        "@x",
        "m",
        "ago",
        "-",
        "@nan x",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid time: use 10m") as caught:
        moments.moment(text, NOW)
    assert repr(text) in str(caught.value)


def test_pattern_ignores_case_only_without_capitals() -> None:
    assert logs.compiled("error").search("ERROR")
    assert not logs.compiled("Error").search("ERROR")
    with pytest.raises(ValueError, match="is not a valid regular expression"):
        logs.compiled("(")


def entry(time: float, message: str, **more: Any) -> JournalEntry:
    values: dict[str, Any] = {
        "priority": 6,
        "identifier": "mission-control-backend",
        "unit": "mission-control-backend.service",
        "pid": 1,
        "invocation": "",
        "from_manager": False,
    }
    return JournalEntry(time, message, **(values | more))


class Journal:
    """Entries that can be read as often as wanted; what was asked is noted."""

    def __init__(self, *entries: JournalEntry) -> None:
        self.entries = entries
        self.asked: list[dict[str, Any]] = []

    def __call__(self, account: Account, units: list[str], **question: Any) -> Iterator[JournalEntry]:
        self.asked.append({"account": account.name, "units": list(units), **question})
        since, until, lines = question["since"] or 0, question["until"] or 1e12, question["lines"]
        fitting = [item for item in self.entries if since <= item.time <= until and item.unit in units]
        yield from fitting[-lines:] if lines else fitting


def ask(journal: Journal, **question: Any) -> logs.Found:
    values: dict[str, Any] = {"services": ["backend"], **question}
    return logs.collect(ACCOUNT, logs.Question(**values), NOW, read=journal)


def test_the_last_records_oldest_first() -> None:
    journal = Journal(*(entry(NOW - 100 + number, f"INFO:     line {number}") for number in range(50)))
    found = ask(journal, lines=3)
    assert [record.message for record in found.records] == ["line 47", "line 48", "line 49"]
    assert found.more and found.read == 50
    assert not ask(journal, lines=50).more


def test_a_traceback_counts_as_one_record() -> None:
    journal = Journal(
        entry(NOW - 5, "INFO:     before"),
        entry(NOW - 4, "Traceback (most recent call last):"),
        entry(NOW - 4, '  File "x"'),
        entry(NOW - 4, "ValueError: y"),
        entry(NOW - 3, "INFO:     after"),
    )
    found = ask(journal, lines=2)
    assert [record.level for record in found.records] == ["error", "info"]
    assert found.records[0].message.endswith("ValueError: y")


def test_a_level_is_looked_for_ever_further_back() -> None:
    journal = Journal(
        entry(NOW - 3 * 86400, "ERROR:    old"),
        entry(NOW - 7200, "ERROR:    middle"),
        *(entry(NOW - 60 + number, "INFO:     noise") for number in range(50)),
        entry(NOW - 1, "ERROR:    new"),
    )
    found = ask(journal, lines=2, level="error")
    assert [record.message for record in found.records] == ["middle", "new"]
    assert found.more
    assert len(journal.asked) == 3, "an hour, a day, a week: then there was one more than wanted"
    assert [record.message for record in ask(journal, lines=9, level="warning").records] == [
        "old",
        "middle",
        "new",
    ]


def test_times_and_pattern() -> None:
    journal = Journal(
        entry(NOW - 300, "2026-06-15 12:00:00,000 INFO app.a Request one"),
        entry(NOW - 200, "2026-06-15 12:00:00,000 INFO app.b request two"),
        entry(NOW - 100, "2026-06-15 12:00:00,000 INFO app.b request three"),
    )
    found = ask(journal, since=NOW - 250, until=NOW - 150, pattern=logs.compiled("REQUEST".lower()))
    assert [record.message for record in found.records] == ["request two"]
    assert [record.message for record in ask(journal, pattern=logs.compiled(r"app\.a")).records] == [
        "Request one"
    ]
    assert ask(journal, pattern=logs.compiled("nothing")).records == []


def test_the_gateways_journal_is_read_as_its_own_user() -> None:
    journal = Journal(
        entry(NOW - 2, "INFO:     b"),
        entry(NOW - 3, "INFO:     g", unit="openclaw-gateway.service", identifier="openclaw-gateway"),
    )
    question = logs.Question(services=["backend", "gateway"])
    other = Account("gw", 1001, 1001, "/home/gw")
    found = logs.collect(ACCOUNT, question, NOW, read=journal, gateway_account=other)
    assert [(asked["account"], asked["units"]) for asked in journal.asked] == [
        ("mc", ["mission-control-backend.service"]),
        ("gw", ["openclaw-gateway.service"]),
    ]
    assert [record.service for record in found.records] == ["gateway", "backend"]
    together = Journal(*journal.entries)
    logs.collect(ACCOUNT, question, NOW, read=together)
    assert len(together.asked) == 1


def test_secrets_are_taken_out() -> None:
    secret = "a-token-of-the-deployment"
    journal = Journal(entry(NOW, json_line(secret)), entry(NOW, f"INFO:     with {secret}"))
    question = logs.Question(services=["backend"])
    found = logs.collect(ACCOUNT, question, NOW, read=journal, redactor=Redactor([secret]))
    data = [logs.as_data(record) for record in found.records]
    assert secret not in str(data)
    assert data[0]["fields"] == {"url": MASK} and data[1]["message"] == f"with {MASK}"


def json_line(secret: str) -> str:
    return f'{{"level":"INFO","message":"m","url":"{secret}"}}'


def test_plain_data() -> None:
    data = logs.as_data(ask(Journal(entry(1769869800.25, "ERROR:    x"))).records[0])
    assert data["time"] == "2026-01-31T14:30:00.250+00:00"
    assert (data["service"], data["level"], data["message"], data["pid"]) == ("backend", "error", "x", 1)


def test_a_hundred_thousand_lines_take_little_time() -> None:
    def read(account: Account, units: list[str], **question: Any) -> Iterator[JournalEntry]:
        for number in range(100_000):
            yield entry(NOW - 100_000 + number, "2026-06-15 12:00:00,000 INFO app.http request served")

    started = clock.monotonic()
    question = logs.Question(services=["backend"], level="error", since=1.0)
    found = logs.collect(ACCOUNT, question, NOW, read=read)
    assert found.read == 100_000 and found.records == []
    assert clock.monotonic() - started < 20
