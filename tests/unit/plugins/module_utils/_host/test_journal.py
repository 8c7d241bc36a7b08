# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import tracemalloc
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    command_stream,
    journal,
    journal_query,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.command_stream import stream
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.journal_tail import tail

# Printed by `journalctl --output=json` on Debian 13 for a user unit that was started and spoke twice.
RECORDED = (Path(__file__).parents[4] / "fixtures/journal.jsonl").read_bytes().splitlines()
MC = Account("mc", 1000, 1000, "/home/mc")


def opener(
    lines: Sequence[bytes] | Iterator[bytes], error: HostError | None = None
) -> journal_query.StreamOpener:
    @contextlib.contextmanager
    def open_stream(_argv: Sequence[str], **_options: Any) -> Generator[Iterator[bytes]]:
        def produce() -> Iterator[bytes]:
            yield from lines
            if error is not None:
                raise error

        yield produce()

    return open_stream


def test_recorded_entries() -> None:
    entries = list(journal.read_journal(MC, ["demo"], open_stream=opener(RECORDED)))
    assert [(entry.message, entry.identifier, entry.from_manager) for entry in entries] == [
        ("Started demo.service.", "systemd", True),
        ("hello", "sh", False),
        ("err", "sh", False),
    ]
    assert {entry.unit for entry in entries} == {"demo.service"}
    assert {entry.invocation for entry in entries} == {"4b6fa3a88bfe470c89c9c688c91b4156"}
    assert {entry.priority for entry in entries} == {6}
    assert entries[1].pid == 156
    assert entries[0].time == pytest.approx(1795535445.802626)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("text", "text"),
        ([104, 195, 188, 27], "h\u00fc\x1b"),
        ([255, 104], "\ufffdh"),
        # What journalctl leaves out.
        (None, journal.TOO_LARGE),
        (["first", "second"], "second"),
        ("x" * 100, "x" * 10),
    ],
)
def test_messages_in_all_forms_of_journalctl(message: Any, expected: str) -> None:
    line = json.dumps({"__REALTIME_TIMESTAMP": "1000000", "MESSAGE": message}).encode()
    entry = journal.parse_entry(line, max_message=10)
    assert entry is not None
    assert entry.message == expected
    assert entry.time == 1.0
    assert entry.priority is None and entry.pid is None


@pytest.mark.parametrize("line", [b"", b"-- No entries --\n", b"[1]", b"{}", b'{"MESSAGE": "no time"}'])
def test_what_is_no_entry_is_left_out(line: bytes) -> None:
    assert journal.parse_entry(line) is None


def test_command_as_root_matches_unit_identifier_and_manager() -> None:
    query = journal_query.Query(["demo", "other.service"], since=1.5, lines=10)
    argv = journal_query.journal_command(MC, query, as_user=False)
    assert "--user" not in argv
    assert "--since=@1.500000" in argv
    assert "--lines=10" in argv
    assert argv[argv.index("_UID=1000") :] == [
        "_UID=1000",
        "_SYSTEMD_USER_UNIT=demo.service",
        "_SYSTEMD_USER_UNIT=other.service",
        "+",
        "_UID=1000",
        "SYSLOG_IDENTIFIER=demo",
        "SYSLOG_IDENTIFIER=other",
        "+",
        "_UID=1000",
        "USER_UNIT=demo.service",
        "USER_UNIT=other.service",
    ]


def test_command_as_the_user_without_units_matches_all_that_is_his() -> None:
    argv = journal_query.journal_command(MC, journal_query.Query(entries=True), as_user=True)
    assert "--user" in argv and "--output=json" in argv
    assert argv[-1] == "_UID=1000"


HINT = (
    "Hint: You are currently not seeing messages from the system.\n      Pass -q to turn off this notice.\n"
)
DENIED = "No journal files were opened due to insufficient permissions."


@pytest.mark.parametrize(
    ("said", "kept", "uid", "kind", "remedy"),
    [
        ("No journal files were found.", False, 1000, "no_journal", "Storage=persistent"),
        (DENIED, False, 1000, "no_journal", "Storage=persistent"),
        (DENIED, True, 1000, "not_permitted", "systemd-journal"),
        # Lines of system accounts never go to a journal of their own.
        (DENIED, False, 999, "not_permitted", "systemd-journal"),
        ("Failed to open files: Permission denied", True, 1000, "not_permitted", "systemd-journal"),
        ("Failed to parse timestamp: @x", True, 1000, "failed", ""),
    ],
)
def test_why_the_journal_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, said: str, kept: bool, uid: int, kind: str, remedy: str
) -> None:
    monkeypatch.setattr(journal_query, "persistent", lambda: kept)
    account = Account("mc", uid, uid, "/home/mc")
    entries = journal.read_journal(
        account, ["demo"], open_stream=opener([], HostError(HINT + said, kind="failed"))
    )
    with pytest.raises(journal_query.JournalError) as caught:
        list(entries)
    assert caught.value.kind == kind
    assert remedy in caught.value.remedy
    assert said in caught.value.message and "Hint" not in caught.value.message


def test_tail_keeps_the_last_lines() -> None:
    lines = [b"%d\n" % number if line == 0 else b"more\n" for number in range(10) for line in range(2)]
    assert tail(MC, ["demo"], 3, open_stream=opener(lines)) == ["more", "9", "more"]


def test_tail_tells_nothing_of_journalctl_itself() -> None:
    lines = [
        b"-- No entries --\n",
        b"-- Boot 4b6fa3a88bfe470c89c9c688c91b4156 --\n",
        b"-- mine --\n",
        b"h\xff",
    ]
    assert tail(MC, ["demo"], 9, open_stream=opener(lines)) == ["-- mine --", "h\ufffd"]


def test_a_million_bytes_of_journal_stay_out_of_memory() -> None:
    line = json.dumps({"__REALTIME_TIMESTAMP": "1", "MESSAGE": "x" * 500}).encode() + b"\n"
    tracemalloc.start()
    try:
        source = opener(itertools.repeat(line, 20_000))
        count = sum(1 for _entry in journal.read_journal(MC, ["demo"], open_stream=source))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_000_000


@pytest.mark.parametrize(("total", "commands"), [(0, 1), (3, 1), (4, 2), (9, 3)])
def test_long_journals_are_read_in_slices(total: int, commands: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SLICE", 4)
    asked: list[list[str]] = []

    @contextlib.contextmanager
    def journalctl(argv: Sequence[str], **_options: Any) -> Generator[Iterator[bytes]]:
        asked.append(list(argv))
        after = [word.removeprefix("--after-cursor=") for word in argv if word.startswith("--after-cursor=")]
        first = int(after[0].removeprefix("s=")) + 1 if after else 0
        yield (
            json.dumps(
                {"__CURSOR": f"s={index}", "__REALTIME_TIMESTAMP": "1", "MESSAGE": str(index)}
            ).encode()
            for index in range(first, total)
        )

    entries = journal.read_journal(MC, ["demo"], since=5.0, open_stream=journalctl)
    assert [entry.message for entry in entries] == [str(index) for index in range(total)]
    assert len(asked) == commands
    assert "--since=@5.000000" in asked[0]
    assert not any(word.startswith("--since") for argv in asked[1:] for word in argv)


def test_reading_ends_the_command_when_it_is_left() -> None:
    def endless(_argv: Sequence[str], **_options: Any) -> Any:
        return stream(["yes", RECORDED[1].decode()])

    entries = journal.read_journal(MC, ["demo"], open_stream=endless)
    assert next(entries).message == "hello"
    entries.close()
    assert list(entries) == []


@pytest.mark.parametrize(("made", "expected"), [([], False), (["a"], True)])
def test_whether_the_journal_is_kept(tmp_path: Path, made: list[str], expected: bool) -> None:
    assert journal_query.persistent(tmp_path) is False
    (tmp_path / "var/log/journal").mkdir(parents=True)
    for name in made:
        (tmp_path / "var/log/journal" / name).mkdir()
    assert journal_query.persistent(tmp_path) is expected


def test_entries_without_end_are_told_and_cost_little() -> None:
    asked: list[Sequence[str]] = []
    entries = [
        json.dumps(
            {
                "__CURSOR": f"at={number}",
                "__REALTIME_TIMESTAMP": str(number * 1_000_000),
                "SYSLOG_IDENTIFIER": "mission-control-backend",
                "MESSAGE": f'"PRIORITY":"1" {number}' + ("x" * (300_000 if number % 2 else 10)),
                "PRIORITY": "6",
            }
        ).encode()
        + b"\n"
        for number in range(1, 41)
    ]

    @contextlib.contextmanager
    def opened(argv: Sequence[str], **_more: Any) -> Iterator[Iterator[bytes]]:
        asked.append(argv)
        after = next((word.partition("at=")[2] for word in argv if word.startswith("--after-cursor")), "0")
        text = b"".join(entries[int(after) :])
        if "--all" not in argv:
            text = re.sub(rb'"MESSAGE": "[^\n]{5000,}?xx", "P', b'"MESSAGE": null, "P', text)
        yield command_stream.pieces(io.BytesIO(text))

    found = list(journal.read_journal(find_account("root"), ["mission-control-backend"], open_stream=opened))
    assert [entry.time for entry in found] == list(range(1, 41))
    assert [entry.message == journal.TOO_LARGE for entry in found] == [True, False] * 20
    # A message tells nothing of the entry that it is in.
    assert {entry.priority for entry in found} == {6, None}
    assert {entry.identifier for entry in found} == {"mission-control-backend"}
    assert ["--all" in argv for argv in asked] == [True] * journal.LARGE_ENTRIES + [False]
