"""mission-control backup and backups: what they say of what was done."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import listing, work
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import backups
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.common import (
    CommandError,
    Configuration,
)

CONFIGURATION = Configuration(user="mc", root="~/mission-control", services=("backend",))
POINT = {
    "name": "20261101T020000Z",
    "time": "2026-11-01 02:00:00",
    "size": 1 << 20,
    "parts": ["database"],
    "purpose": "asked-for",
    "complete": True,
}


def options(**given: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"drill": False, "scheduled": False, "json": False, **given})


def test_a_restore_point(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def do(given: Any, *, check: bool) -> dict[str, Any]:
        asked.append((given["state"], given["purpose"], check))
        return {"name": "p", "size": 2048, "seconds": 3.0, "warning": "Locked."}

    monkeypatch.setattr(work, "do", do)
    assert backups.command_backup(CONFIGURATION, options(scheduled=True)) == 0
    assert asked == [("made", "scheduled", False)]
    told = capsys.readouterr().out
    assert "Made the restore point p: 2.0 KiB in 3.0 s." in told and "Warning: Locked." in told


def test_a_drill(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"point": POINT, "parts": [{"part": "database", "how": "restored", "seconds": 2.0}]}
    monkeypatch.setattr(work, "do", lambda given, check: answer)
    assert backups.command_backup(CONFIGURATION, options(drill=True)) == 0
    assert "20261101T020000Z can be restored: database restored in 2.0 s." in capsys.readouterr().out


def test_the_list(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {
        "points": [POINT, {**POINT, "name": "q", "complete": False}],
        "repository": "/var/backups/x",
        "leaves_the_host": False,
    }
    monkeypatch.setattr(listing, "tell", lambda: found)
    assert backups.command_backups(CONFIGURATION, options()) == 0
    told = capsys.readouterr().out
    assert "asked for" in told and "unfinished" in told and "does not outlive the host" in told
    assert backups.command_backups(CONFIGURATION, options(json=True)) == 0
    assert json.loads(capsys.readouterr().out)["points"][0]["name"] == POINT["name"]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"repository": ""}, "not set up on this host"),
        ({"repository": "/x", "points": [], "leaves_the_host": True}, "Make one: mission-control backup"),
    ],
)
def test_nothing_to_list(found: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "tell", lambda: found)
    with pytest.raises(CommandError, match=says):
        backups.command_backups(CONFIGURATION, options())
