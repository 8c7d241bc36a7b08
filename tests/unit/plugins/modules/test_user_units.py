# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import unit_changes
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._shown_settings import without_settings
from ansible_collections.openclaw.mission_control.plugins.modules import user_units

CONTENT = "[Service]\nExecStart=/bin/sleep 1\n"


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        user_units.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_check_mode_predicts_all_for_a_user_that_is_not_there_yet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = call(
        capsys,
        user="not-there-yet",
        units=[{"name": "app", "content": CONTENT, "enabled": True}],
        _ansible_check_mode=True,
        _ansible_diff=True,
    )
    assert result["changed"] is True
    assert [action["action"] for action in result["actions"]] == ["install", "enable", "start"]
    assert result["restarted"] == ["app.service"]
    assert result["diff"][0]["after_header"] == "/home/not-there-yet/.config/systemd/user/app.service"
    assert CONTENT in result["diff"][0]["after"]
    assert "start app.service: it is inactive" in result["diff"][1]["prepared"]
    assert "units" not in result


def test_a_missing_user_is_an_error_outside_of_check_mode(capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, user="not-there-yet", units=[{"name": "app", "content": CONTENT}])
    assert result["failed"] is True
    assert result["kind"] == "no_such_user"
    assert "not-there-yet" in result["msg"] and "Create it" in result["msg"]


def test_without_a_manager_the_cause_and_the_remedy_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account = replace(find_account(), name="lonely", uid=find_account().uid, home=str(tmp_path))
    monkeypatch.setattr(unit_changes, "find_account", lambda _name: account)
    monkeypatch.setattr(
        "ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd.UserManager.running",
        False,
    )
    result = call(capsys, user="lonely", units=[{"name": "app", "content": CONTENT}])
    assert result["failed"] is True
    assert result["kind"] == "no_linger"
    assert result["remedy"] == "loginctl enable-linger lonely"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ([{"name": "app"}, {"name": "app.service"}], "app.service stands there more than once"),
        ([{"name": "app", "state": "running"}], "value of state must be one of"),
        ([{"content": "x"}], "missing required arguments: name"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], units: list[dict[str, str]], words: str) -> None:
    result = call(capsys, user="root", units=units)
    assert result["failed"] is True
    assert words in result["msg"]


def test_secrets_of_a_unit_that_was_written_by_hand_do_not_show() -> None:
    text = (
        '[Service]\nEnvironment="LOCAL_AUTH_TOKEN=sesame open" LOG_LEVEL=DEBUG\nPrivateTmp=yes\n'
        "Environment=DATABASE_URL=postgresql://app:sesame@localhost/x\nExecStart=/bin/x --api-token sesame\n"
    )
    shown = without_settings(text)
    assert "sesame" not in shown and "LOCAL_AUTH_TOKEN=" in shown and "PrivateTmp=yes" in shown
    assert "app:********@localhost/x" in shown and "--api-token ********" in shown
