"""Maintenance mode: what is refused and predicted. The scenario `operations` has it for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import maintenance_mode
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.modules import maintenance
from users_place import OBSTACLES, SECRET, USER, give, obstruct, users_place

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
    monkeypatch.setattr(maintenance_mode, "find_account", lambda _name: account)
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
        ({"until": "soon", "program": PROGRAM}, "until: 'soon' is not a valid time. Use a duration"),
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


# --- what belongs to the application's user is touched only by a process that is this user ----------

MANAGER = "ansible_collections.openclaw.mission_control.plugins.module_utils._host.systemd.UserManager"


@pytest.fixture
def hostile_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of a real user in maintenance, who is not root, beside a file that only root may read."""
    with users_place() as home:
        units = home / ".config/systemd/user"
        (units / "mission-control-backend.service.d").mkdir(parents=True)
        (units / "mission-control-backend.service").touch()
        (units / "mission-control-backend.service.d/maintenance.conf").write_text("[Service]\n")
        (home / "mission-control/shared/libexec").mkdir(parents=True)
        (home / "mission-control/shared/maintenance.json").write_text('{"reason": "New disks"}')
        give(home)
        account = replace(find_account(USER), home=str(home))
        monkeypatch.setattr(maintenance_mode, "find_account", lambda _name: account)
        monkeypatch.setattr(f"{MANAGER}.running", False)
        yield home


@pytest.mark.parametrize("given", ["", PROGRAM])
def test_a_link_in_place_of_the_program_leads_root_nowhere(
    capsys: pytest.CaptureFixture[str], hostile_home: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    root = hostile_home / "mission-control"
    program = root / "shared/libexec/maintenance.py"
    program.symlink_to(hostile_home.parent / "secret")

    def fail(_manager: Any) -> None:
        # As a drop-in of the user's could: the link goes away, and the service does not start.
        if program.is_symlink():
            program.unlink()
        raise HostError("It does not start.", kind="unit_failed")

    monkeypatch.setattr(f"{MANAGER}.require", fail)
    result = call(capsys, root=str(root), user=USER, state="absent", program=given)
    assert result["failed"] and result["kind"] == "unit_failed"
    assert SECRET.strip() not in json.dumps(result)
    # Maintenance goes on, with the text that the role has given or none.
    assert "ExecStart=/usr/bin/python3" in drop_in_of(hostile_home).read_text()
    assert (program.read_text() if program.exists() else "") == given
    for path in hostile_home.rglob("*"):
        assert not path.is_file() or SECRET not in path.read_text(), path
        assert path.lstat().st_uid == find_account(USER).uid, path
    assert (hostile_home.parent / "secret").read_text() == SECRET


@pytest.mark.parametrize("name", ["libexec/maintenance.py", "maintenance.json"])
@pytest.mark.parametrize("kind", OBSTACLES)
def test_nothing_in_place_of_a_file_holds_root_up(
    capsys: pytest.CaptureFixture[str], hostile_home: Path, name: str, kind: str
) -> None:
    root = hostile_home / "mission-control"
    obstruct(root / "shared" / name, kind)
    result = call(capsys, root=str(root), user=USER, program=PROGRAM, _ansible_check_mode=True)
    assert result["changed"] is True and result["said"].startswith("would be in maintenance since ")
    assert SECRET.strip() not in json.dumps(result)


def drop_in_of(home: Path) -> Path:
    return home / ".config/systemd/user/mission-control-backend.service.d/maintenance.conf"
