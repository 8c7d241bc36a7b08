"""The history as it is told; test_deployment has what is recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import history
from ansible_collections.openclaw.mission_control.plugins.modules import deployment_info


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        deployment_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_the_last_records_are_told_oldest_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "DIRECTORY", tmp_path / "lib")
    layout = Layout(tmp_path / "root")
    layout.shared.mkdir(parents=True)
    for run in "123":
        history.record(layout, {"run": run, "started": run})
    told = call(capsys, root=str(layout.root), user=find_account().name, lines=2)
    assert told["changed"] is False and "running" not in told
    assert [line["run"] for line in told["history"]] == ["2", "3"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["root"]


def test_a_user_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = call(capsys, root="/nowhere", user="nosuchuser")
    assert told["failed"] and told["kind"] == "no_such_user"
