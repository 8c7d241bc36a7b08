"""The module backup_restore: what it hands on, and what it shows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import here, restoring
from ansible_collections.openclaw.mission_control.plugins.modules import backup_restore

PLAN = {
    "changed": True,
    "point": {"name": "20261101T020000Z"},
    "rows": [
        {"table": "boards", "now": 3, "then": 3},
        {"table": "tasks", "now": 9, "then": 7},
        {"table": "labels", "now": 1, "then": None},
    ],
}


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here, "open_here", lambda: ("configuration", "restic"))


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        backup_restore.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_rows_that_differ_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def restore(_configuration: str, _restic: str, options: Any, *, check: bool) -> dict[str, Any]:
        asked.append((options["parts"], check))
        return dict(PLAN)

    monkeypatch.setattr(restoring, "restore", restore)
    result = call(capsys, parts=["database"], _ansible_check_mode=True)
    assert asked == [(["database"], True)]
    assert result["diff"]["before"] == "tasks: 9\nlabels: 1\n"
    assert result["diff"]["after"] == "tasks: 7\nlabels: no such table\n"


def test_it_is_taken_back_or_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "give_back", lambda _found: {"changed": True, "returned": ["database"]})
    monkeypatch.setattr(restoring, "keep", lambda _found: {"changed": False, "returned": []})
    assert call(capsys, state="returned")["returned"] == ["database"]
    assert call(capsys, state="kept")["changed"] is False
    assert call(capsys, state="returned", _ansible_check_mode=True)["returned"] == []


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, parts=["everything"])["failed"]
