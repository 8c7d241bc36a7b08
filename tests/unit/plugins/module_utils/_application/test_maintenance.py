"""What maintenance mode writes and tells."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import maintenance
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.notice import (
    Notice,
    notice_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.notice_file import (
    path_of,
    read_notice,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", ""),
        ("45m", "2026-11-24T18:45:00Z"),
        ("1h30m", "2026-11-24T19:30:00Z"),
        (" 2d ", "2026-11-26T18:00:00Z"),
        ("2026-11-24T20:30:00+01:00", "2026-11-24T19:30:00Z"),
        ("2026-11-24 20:30:00Z", "2026-11-24T20:30:00Z"),
    ],
)
def test_the_expected_end_is_a_moment(given: str, told: str) -> None:
    assert maintenance.end_of(given, NOW) == told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("soon", "'soon' is not a valid time"),
        ("2026-11-24T20:30:00", "has no time zone"),
        ("45", "not a valid time"),
    ],
)
def test_an_end_that_is_not_understood_is_refused(given: str, words: str) -> None:
    with pytest.raises(HostError, match=words) as error:
        maintenance.end_of(given, NOW)
    assert "45m" in error.value.remedy


def test_what_is_told_survives_the_file(tmp_path: Path) -> None:
    assert read_notice(tmp_path) is None
    (tmp_path / "shared").mkdir()
    notice = Notice("2026-11-24T18:00:00Z", "New disks.", "2026-11-24T18:45:00Z", "ann@desk")
    path_of(tmp_path).write_text(maintenance.text_of(notice))
    assert read_notice(tmp_path) == notice
    assert notice.sentence == (
        "in maintenance since 2026-11-24T18:00:00Z (by ann@desk): New disks; "
        "expected to end 2026-11-24T18:45:00Z"
    )


@pytest.mark.parametrize("text", ["", "{half", "[]", '{"reason": "x"}'])
def test_a_damaged_file_still_means_maintenance(tmp_path: Path, text: str) -> None:
    (tmp_path / "shared").mkdir()
    path_of(tmp_path).write_text(text)
    notice = read_notice(tmp_path)
    assert notice is not None and "since an unknown time" in notice.sentence


def test_an_answer_of_anybody_else_tells_nothing() -> None:
    assert notice_of("") is None
    assert notice_of("1") == Notice("an unknown time")


def test_only_services_with_a_unit_get_a_stand_in(tmp_path: Path) -> None:
    for name in ("backend", "frontend"):
        (tmp_path / f"mission-control-{name}.service").touch()
    assert maintenance.deployed(tmp_path, ["backend", "worker", "frontend"]) == ["frontend", "backend"]
    assert maintenance.deployed(tmp_path, ["worker"]) == []


def test_the_drop_in_needs_neither_release_nor_secrets() -> None:
    text = maintenance.drop_in("backend", Path("/srv/mc"))
    assert (
        "ExecStartPre=\nExecStart=\nExecStart=/usr/bin/python3 -I /srv/mc/shared/libexec/maintenance.py api"
        in text
    )
    assert "\nEnvironmentFile=\n" in text and "/current" not in text
