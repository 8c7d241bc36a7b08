"""The module backup_info: a host without backups is no failure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import configuration, here
from ansible_collections.openclaw.mission_control.plugins.modules import backup_info


def call(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with patch_module_args({}), pytest.raises(SystemExit):
        backup_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path, read = tmp_path / "backup.json", configuration.read
    monkeypatch.setattr(here, "read", lambda: read(path))
    monkeypatch.setattr(here.os, "geteuid", lambda: 0)
    return path


def test_where_none_are_made(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys)
    assert (result["points"], result["repository"], result["changed"]) == ([], "", False)


def test_a_damaged_configuration_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text("{}")
    result = call(capsys)
    assert result["kind"] == "bad_configuration" and str(path) in result["msg"]


def test_only_root_may(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.os, "geteuid", lambda: 1000)
    assert call(capsys)["kind"] == "not_permitted"
