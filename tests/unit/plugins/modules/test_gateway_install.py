# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import base64
import getpass
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import (
    installation,
    placement_record,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.modules import gateway_install

TOKEN = "0123456789abcdef0123456789abcdef"
Call = Callable[..., dict[str, Any]]


@pytest.fixture(name="call")
def _call(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    def call(**arguments: Any) -> dict[str, Any]:
        defaults = {
            "user": getpass.getuser(),
            "root": str(tmp_path / "root"),
            "state_directory": str(tmp_path / "state"),
        }
        with patch_module_args({**defaults, **arguments}), pytest.raises(SystemExit):
            gateway_install.main()
        result: dict[str, Any] = json.loads(capsys.readouterr().out)
        return result

    return call


@pytest.fixture(name="installed")
def _installed(tmp_path: Path, call: Call) -> Path:
    """A host on which Node and two versions are there already, so that neither npm nor pip is needed."""
    root = tmp_path / "root"
    (root / "runtimes/node-24.19.0/bin").mkdir(parents=True)
    (root / "runtimes/node-24.19.0/bin/node").write_text("")
    for version in ("2026.4.2", "2026.5.7", "2026.3.1"):
        (root / "versions" / version / "node_modules/openclaw").mkdir(parents=True)
        (root / "versions" / version / "node_modules/openclaw/openclaw.mjs").write_text("")
    assert call(token=TOKEN)["changed"] is True
    return root


def test_check_mode_predicts_all_for_a_user_that_is_not_there_yet(call: Call) -> None:
    result = call(user="not-there-yet", devices=["a" * 64], _ansible_check_mode=True)
    assert result["changed"] is True and result["unpaired"] == ["a" * 64]
    assert result["actions"] == ["install Node 24.19.0", "install OpenClaw 2026.4.2"]


def test_a_missing_user_is_an_error_outside_of_check_mode(call: Call) -> None:
    result = call(user="not-there-yet")
    assert result["failed"] is True and "not-there-yet" in result["msg"] and result["remedy"]


def test_check_mode_on_an_empty_host_writes_nothing(tmp_path: Path, call: Call) -> None:
    result = call(_ansible_check_mode=True, _ansible_diff=True)
    assert result["actions"][:2] == ["install Node 24.19.0", "install OpenClaw 2026.4.2"]
    assert 'gateway.bind: "loopback"' in result["diff"][0]["after"]
    assert list(tmp_path.iterdir()) == []


def test_the_second_time_there_is_nothing_to_do(installed: Path, call: Call) -> None:
    result = call(token=TOKEN, _ansible_diff=True)
    assert (result["changed"], result["actions"], result["settings"]) == (False, [], [])
    assert "diff" not in result and "token" not in result


def test_surplus_versions_go_the_one_before_stays(installed: Path, call: Call) -> None:
    assert sorted(path.name for path in (installed / "versions").iterdir()) == ["2026.4.2"]
    (installed / "versions/2026.5.7/node_modules/openclaw").mkdir(parents=True)
    (installed / "versions/2026.5.7/node_modules/openclaw/openclaw.mjs").write_text("")
    result = call(token=TOKEN, version="2026.5.7")
    assert (result["version"], result["previous"], result["removed"]) == ("2026.5.7", "2026.4.2", [])
    assert str((installed / "current").readlink()) == "versions/2026.5.7"


def test_the_token_is_returned_only_where_asked_for(installed: Path, call: Call) -> None:
    assert call(token=TOKEN, return_token=True)["token"] == TOKEN
    kept = call(return_token=True)
    assert (kept["token"], kept["token_origin"], kept["changed"]) == (TOKEN, "kept", False)


def test_settings_show_what_changes_but_no_secret(installed: Path, call: Call) -> None:
    settings = {"models": {"providers": {"x": {"apiKey": "sk-very-secret-value", "baseUrl": "http://x"}}}}
    result = call(token=TOKEN, bind="lan", configuration=settings, _ansible_diff=True)
    shown = {item["path"]: item["after"] for item in result["settings"]}
    assert shown["gateway.bind"] == "lan" and shown["models.providers.x.baseUrl"] == "http://x"
    assert "sk-very-secret-value" not in json.dumps([result["settings"], result["diff"]])
    assert 'gateway.bind: "loopback"' in result["diff"][0]["before"]


def test_dangerous_settings_are_named(installed: Path, call: Call) -> None:
    flags = {"gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": True}}}
    result = call(token=TOKEN, configuration=flags)
    assert "devices need no approval" in result["dangerous"][0]
    assert [warning for warning in result["warnings"] if "dangerouslyDisableDeviceAuth" in str(warning)]


def test_devices_that_are_not_paired_are_named(installed: Path, tmp_path: Path, call: Call) -> None:
    public = b"p" * 32
    device = hashlib.sha256(public).hexdigest()
    scopes = ["operator.read", "operator.admin", "operator.approvals", "operator.pairing"]
    key = base64.urlsafe_b64encode(public).decode().rstrip("=")
    (tmp_path / "state/devices").mkdir()
    entry = {"publicKey": key, "role": "operator", "approvedScopes": scopes}
    (tmp_path / "state/devices/paired.json").write_text(json.dumps({device: entry}))
    assert call(token=TOKEN, devices=[device, "f" * 64])["unpaired"] == ["f" * 64]
    assert call(token=TOKEN, devices=[device], scopes=[*scopes, "operator.more"])["unpaired"] == [device]


def test_a_broken_configuration_is_kept_aside(installed: Path, tmp_path: Path, call: Call) -> None:
    """An agent may have written it: that keeps nothing from being deployed."""
    broken = tmp_path / "state/openclaw.json"
    broken.write_text("[]")
    foretold = call(token=TOKEN, _ansible_check_mode=True)
    assert foretold["changed"] and broken.read_text() == "[]"
    result = call(token=TOKEN)
    assert f"{broken} was put aside as openclaw.json.unreadable" in str(result["warnings"])
    assert broken.with_name("openclaw.json.unreadable").read_text() == "[]"
    assert json.loads(broken.read_text())["gateway"]["mode"] == "local"
    assert call(token=TOKEN)["changed"] is False


def test_a_version_that_is_none_is_refused(call: Call) -> None:
    result = call(version="latest")
    assert result["failed"] is True and "'latest'" in result["msg"]


def test_it_is_removed_once_and_its_data_stays(installed: Path, tmp_path: Path, call: Call) -> None:
    predicted = call(state="absent", _ansible_check_mode=True)
    assert predicted["changed"] is True and (installed / "versions").exists()
    assert call(state="absent")["removed"] == predicted["removed"]
    assert (tmp_path / "state/openclaw.json").exists() and not (installed / "versions").exists()
    assert call(state="absent")["changed"] is False
    assert call(user="not-there-yet", state="absent")["changed"] is False
    call(state="absent", purge=True)
    assert not installed.exists() and not (tmp_path / "state").exists()


def test_a_unit_that_is_not_there_is_not_right(installed: Path, call: Call) -> None:
    for unit in ("", "[Service]\nExecStart=/bin/true\n"):
        result = call(token=TOKEN, unit=unit)
        assert installed.is_dir() and result["changed"] is False and result["unit_right"] is False


@pytest.fixture(name="moves")
def _moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be done to move the gateway, which another user has; the steps themselves: test_move.py."""
    done: list[str] = []
    monkeypatch.setattr(placement_record, "STATE_DIRECTORY", tmp_path / "register")
    (tmp_path / "register").mkdir()
    (tmp_path / "register/gateway.json").write_text('{"user": "games"}')

    def step(name: str, answer: Any) -> Callable[..., Any]:
        def call(*_arguments: Any) -> Any:
            done.append(name)
            return answer

        return call

    for name, answer in {
        "check": None,
        "carry": ["moved 3 files, 4 KB", "not moved: pipe"],
        "undo": None,
    }.items():
        monkeypatch.setattr(installation._move, name, step(name, answer))
    monkeypatch.setattr(installation._move, "finish", step("finish", ["its data is kept in /x"]))
    return done


def test_a_gateway_of_another_user_is_moved(installed: Path, call: Call, moves: list[str]) -> None:
    predicted = call(token=TOKEN, application_user="nobody", _ansible_check_mode=True)
    assert predicted["actions"] == [f"move the gateway from the user games to {getpass.getuser()}"]
    assert predicted["moved"] and moves == [], "check mode moves nothing"
    result = call(token=TOKEN, application_user="nobody")
    assert result["changed"] and result["actions"] == predicted["actions"]
    assert (result["moved"], result["former_user"]) == (True, "games")
    assert moves == ["check", "carry"]
    assert "not moved: pipe" in str(result["warnings"])


def test_what_a_moved_gateway_has_left_is_cleared_once_it_runs(
    installed: Path, call: Call, moves: list[str], tmp_path: Path
) -> None:
    record = {"user": getpass.getuser(), "leaving": "games"}
    (tmp_path / "register/gateway.json").write_text(json.dumps(record))
    result = call(token=TOKEN, application_user="nobody")
    assert (result["moved"], result["former_user"], moves) == (False, "games", [])
    assert call(state="moved", former_user="games")["actions"][1] == "its data is kept in /x"
    assert call(state="returned", former_user="games")["changed"]
    assert moves == ["finish", "undo"]
    assert call(state="moved")["failed"], "from whom has to be said"


def test_where_it_cannot_be_installed_the_other_user_has_it_again(
    installed: Path, call: Call, moves: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: Any, **_named: Any) -> None:
        raise HostError("no room", kind="space")

    monkeypatch.setattr(installation, "_installed", fails)
    assert "no room" in call(token=TOKEN, application_user="nobody")["msg"]
    assert moves == ["check", "carry", "undo"]


def test_who_runs_it_is_written_down(installed: Path, call: Call, moves: list[str], tmp_path: Path) -> None:
    if getpass.getuser() != "root":
        pytest.skip("root's record is written by root alone")
    (tmp_path / "register/gateway.json").unlink()
    assert call(token=TOKEN, application_user="nobody")["changed"] is False
    assert placement_record.read_record() == placement_record.Record("root")
    assert call(state="absent", purge=True, application_user="nobody")["changed"]
    assert placement_record.read_record() is None
