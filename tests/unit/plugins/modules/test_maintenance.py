"""Maintenance mode: what is refused and predicted. The scenario `operations` has it for real."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import maintenance

PROGRAM = "print('standing in')\n"


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        maintenance.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of an application's user with all its units, whose manager does not run."""
    account = replace(find_account(), home=str(tmp_path))
    monkeypatch.setattr(maintenance, "find_account", lambda _name: account)
    monkeypatch.setattr(
        "ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd.UserManager.running",
        False,
    )
    units = tmp_path / ".config/systemd/user"
    units.mkdir(parents=True)
    for service in ("backend", "worker", "frontend"):
        (units / f"mission-control-{service}.service").touch()
    (tmp_path / "mission-control/shared").mkdir(parents=True)
    return tmp_path


def test_the_beginning_predicted(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    root = str(home / "mission-control")
    before = sorted(home.rglob("*"))
    result = call(
        capsys,
        root=root,
        reason="New disks",
        until="45m",
        program=PROGRAM,
        made_by="ann@desk",
        _ansible_check_mode=True,
        _ansible_diff=True,
    )
    assert result["changed"] is True
    assert result["said"].startswith("would be in maintenance since ")
    assert "(by ann@desk): New disks; expected to end " in result["diff"]["after"]
    assert result["diff"]["before"] == "no maintenance\n"
    assert sorted(home.rglob("*")) == before


def test_the_end_of_what_never_began_changes_nothing(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    result = call(capsys, root=str(home / "mission-control"), state="absent")
    assert result["changed"] is False and result["said"] == "no maintenance" and result["notice"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"until": "soon", "program": PROGRAM}, "until: 'soon' is no time. Use a duration"),
        ({"reason": "x" * 501, "program": PROGRAM}, "reason: 501 characters; a page has room for 500"),
        ({}, "program: empty"),
        ({"services": [], "program": PROGRAM}, "nothing to stand in for. Deploy first."),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str], home: Path, arguments: dict[str, Any], words: str
) -> None:
    before = sorted(home.rglob("*"))
    result = call(capsys, root=str(home / "mission-control"), **arguments)
    assert result["failed"] is True and words in result["msg"]
    assert sorted(home.rglob("*")) == before
