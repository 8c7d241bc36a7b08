from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import (
    archive,
    common,
    installation,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import host_command
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _command_sources


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(installation, "COMMAND_CONFIGURATION", str(tmp_path / "etc" / "command.json"))
    monkeypatch.setattr(common, "NEVER", frozenset())
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], place: Path, **arguments: Any) -> dict[str, Any]:
    files = _command_sources.sources(_command_sources.ENTRIES)
    packed = place / "sources.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(files).encode()))
    values = {
        "completion": _command_sources.completion(["backend"], ["health"], ["table"]),
        "sources_digest": archive.identity(files),
        "sources": str(packed),
        "user": find_account().name,
        "path": str(place / "bin" / "mission-control"),
        "completion_path": str(place / "completion" / "mission-control"),
        **arguments,
    }
    with patch_module_args(values), pytest.raises(SystemExit) as ended:
        host_command.main()
    packed.unlink()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


ALL = {"bin/mission-control", "etc/command.json", "completion/mission-control"}


def test_installed_once_and_removed(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    predicted = call(capsys, place, _ansible_check_mode=True, _ansible_diff=True)
    assert predicted["changed"] and files(place) == set()
    assert '"user"' in predicted["diff"]["after"]
    first = call(capsys, place)
    assert first["actions"] == predicted["actions"]
    assert files(place) == ALL
    assert stat.S_IMODE((place / "bin/mission-control").stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "etc/command.json").stat().st_mode) == 0o640
    assert call(capsys, place)["changed"] is False
    (place / "bin/mission-control").write_text("tampered")
    (place / "etc/command.json").chmod(0o644)
    again = call(capsys, place)
    assert {action["reason"] for action in again["actions"]} == {"content", "mode"}
    removed = call(capsys, place, state="absent")
    assert len(removed["actions"]) == 3 and files(place) == set() and not (place / "etc").exists()
    assert call(capsys, place, state="absent")["changed"] is False


def test_configuration_is_what_the_command_reads(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    call(
        capsys,
        place,
        services=["frontend", "backend"],
        root="~/app",
        verify={"checks": ["health"], "options": {"timeout": 3}},
    )
    read = common.load_configuration(str(place / "etc/command.json"))
    assert read.services == ("backend", "frontend")
    assert read.root == f"{find_account().home}/app"
    assert read.verify["checks"] == ["health"]
    assert "health" in (place / "completion/mission-control").read_text()


def test_a_user_that_is_missing(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert "no user nobody-at-all" in call(capsys, place, user="nobody-at-all")["msg"]


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation.shutil, "which", lambda name: None)
    monkeypatch.setattr(installation.Path, "exists", lambda self: False)
    assert installation.missing_packages(["backend"]) == ["postgresql-client", "bash-completion"]
    assert installation.missing_packages(["frontend"]) == ["bash-completion"]


def test_check_mode_waits_for_no_user_of_the_gateway(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert call(capsys, place, gateway_user="nosuchuser", _ansible_check_mode=True)["changed"]
    assert "nosuchuser" in call(capsys, place, gateway_user="nosuchuser")["msg"]


def test_modes_do_not_depend_on_the_umask(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    before = os.umask(0o077)
    try:
        call(capsys, place)
        made = place / "etc"
        assert made.stat().st_mode & 0o777 == 0o755
        # Before, it was made as the umask wanted it.
        made.chmod(0o700)
        again = call(capsys, place)
        assert (again["changed"], made.stat().st_mode & 0o777) == (True, 0o755)
        assert not call(capsys, place)["changed"]
        for path in files(place):
            above = [made for made in (place / path).parents if place in made.parents]
            assert [made for made in above if made.stat().st_mode & 0o055 != 0o055] == []
    finally:
        os.umask(before)
