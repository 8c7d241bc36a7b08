"""Setting backups up: only what opens the repository takes the place of what was there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import (
    restic,
    setting_up,
    trying,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.modules import backup_setup
from restic_program import install

PASSWORD = "first-0123456789"
UNITS = {"mission-control-backup.timer": "[Timer]\n", "mission-control-backup.service": "[Service]\n"}


class Systemctl:
    """Remembers what was called; timers are on once they were enabled."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __call__(self, argv: Sequence[str], **_more: Any) -> Completed:
        words = " ".join(argv[1:])
        self.called.append(words)
        on = any(call.startswith("enable") for call in self.called)
        return Completed(tuple(argv), 0 if on or not words.startswith("is-") else 1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(tmp_path / "bin")
    monkeypatch.setattr(restic, "SEARCH_PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(trying, "SEARCH_PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    systemctl, units = Systemctl(), tmp_path / "units"
    units.mkdir()
    whole = setting_up.set_up
    monkeypatch.setattr(
        backup_setup,
        "set_up",
        lambda options, check: whole(options, check=check, runner=systemctl, units=units),
    )
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], place: Path, **changes: Any) -> dict[str, Any]:
    configuration = {
        "repository": str(place / "repository"),
        "host": "mc1",
        "environment": "test",
        "user": find_account().name,
        "root": str(place / "root"),
        "parts": ["settings"],
        "directory": str(place / "state"),
        **changes.pop("configuration", {}),
    }
    arguments = {
        "configuration": configuration,
        "password": PASSWORD,
        "credentials": {"AWS_SECRET_ACCESS_KEY": "s3cret-key-1"},
        "units": UNITS,
        "timers": ["mission-control-backup.timer"],
        "path": str(place / "backup.json"),
        **changes,
    }
    with patch_module_args(arguments), pytest.raises(SystemExit):
        backup_setup.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert "s3cret-key-1" not in json.dumps(result.get("actions", "")) + str(result.get("msg", ""))
    return result


def test_it_is_set_up_once(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = call(capsys, world)
    assert first["changed"] and first["repository_made"] and not first["leaves_the_host"]
    assert f"write {world}/backup.json" in first["actions"] and (world / "repository/config").exists()
    for name in ("backup.json", "state/password", "state/credentials.json"):
        assert (world / name).stat().st_mode & 0o777 == 0o600
    assert not (world / "state/trial").exists()
    before = (world / "called").read_text()
    second = call(capsys, world)
    assert not second["changed"] and second["actions"] == []
    # Nobody was asked.
    assert (world / "called").read_text() == before


def test_check_mode_writes_nothing(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, world, _ansible_check_mode=True)["changed"]
    assert sorted(path.name for path in world.iterdir()) == ["bin", "units"]


def test_a_password_that_does_not_open_it_changes_nothing(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, world)
    told = call(capsys, world, password="second-0123456789")
    assert told["failed"] and told["kind"] == "wrong_password" and "goes on with the one" in told["msg"]
    assert (world / "state/password").read_text() == f"{PASSWORD}\n"
    assert not (world / "state/trial").exists()


def test_a_lost_repository_is_told(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, world)
    (world / "repository").rename(world / "elsewhere")
    told = call(capsys, world, configuration={"environment": "another"})
    assert told["kind"] == "repository_gone"
    assert json.loads((world / "backup.json").read_text())["environment"] == "test"


def test_without_a_password_there_is_nothing(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, world, password="")["kind"] == "no_password"


@pytest.mark.parametrize("name", ["a,b", "", "-x"])
def test_a_name_that_restic_would_part_is_refused(
    world: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert call(capsys, world, configuration={"host": name})["kind"] == "bad_configuration"


def test_it_is_taken_away_and_what_was_saved_stays(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, world)
    gone = call(capsys, world, state="absent")
    assert gone["changed"] and not (world / "backup.json").exists() and not list((world / "units").iterdir())
    assert (world / "repository/config").exists() and (world / "state/password").exists()
    assert not call(capsys, world, state="absent")["changed"]


def tried(capsys: pytest.CaptureFixture[str], place: Path, **changes: Any) -> dict[str, Any]:
    return call(capsys, place, state="tried", **changes)


def test_it_is_tried_without_a_trace(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tried(capsys, world)
    assert told["differs"] and not told["changed"]
    assert sorted(path.name for path in world.iterdir() if path.name != "called") == ["bin", "units"]
    call(capsys, world)
    before = (world / "called").read_text()
    assert not tried(capsys, world)["differs"] and (world / "called").read_text() == before


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"password": "another-0123456789"}, "wrong_password"),
        ({"password": "", "configuration": {"directory": "/nonexistent/state"}}, "wrong_password"),
        ({"restore": "latest", "configuration": {"environment": "another"}}, "no_restore_point"),
        ({"restore": "latest", "configuration": {"repository": "/nonexistent/repository"}}, "no_repository"),
        ({"configuration": {"repository": "/usr"}}, "no_repository"),
        ({"configuration": {"repository": "rest:http://127.0.0.1:1/x"}}, "unreachable"),
    ],
)
def test_what_would_fail_later_is_told(
    world: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], kind: str
) -> None:
    call(capsys, world)
    point(world)
    before = {path: path.read_bytes() for path in (world / "state").rglob("*") if path.is_file()}
    told = tried(capsys, world, **changes)
    assert told.get("failed") and told["kind"] == kind, told
    assert before == {path: path.read_bytes() for path in (world / "state").rglob("*") if path.is_file()}


def test_a_repository_that_a_user_can_lead_elsewhere_is_refused(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (world / "users").mkdir()
    os.chown(world / "users", 65534, 65534)
    told = tried(capsys, world, configuration={"repository": str(world / "users/repository")})
    assert told["failed"] and told["kind"] == "not_permitted" and "namei -l" in told["remedy"]
    assert not (world / "users/repository").exists()


def point(world: Path) -> None:
    """A restore point of another host's environment, as its manifest."""
    tags = ["mission-control", "environment:theirs", "point:p", "part:manifest", "complete", "parts:"]
    document = {
        "id": "c" * 64,
        "time": "2026-01-01T00:00:00Z",
        "hostname": "mc9",
        "tags": tags,
        "paths": ["/m"],
    }
    (world / "repository" / f"{'c' * 64}.json").write_text(json.dumps(document))


def test_whose_points_there_are_is_told(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, world)
    point(world)
    told = tried(capsys, world, restore="latest")
    assert "There are those of mc9 in the environment theirs." in told["msg"]


def test_a_lost_repository_is_told_before(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, world)
    (world / "repository").rename(world / "elsewhere")
    told = tried(capsys, world, configuration={"environment": "another"})
    assert told["kind"] == "repository_gone"
