"""The module as Ansible calls it."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import identity
from ansible_collections.openclaw.mission_control.plugins.modules import gateway_identity
from controller import received


def call(capsys: pytest.CaptureFixture[str], **arguments: object) -> dict[str, object]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        gateway_identity.main()
    told: dict[str, object] = json.loads(received(capsys.readouterr().out))
    return told


def test_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shared/identity/device.json"
    old, _made = identity.ensure(path)
    common = {"user": getpass.getuser(), "root": str(tmp_path)}
    prepared = call(capsys, state="prepared", **common)
    assert prepared["changed"] and prepared["former"] == old and "PRIVATE" not in str(prepared)
    assert call(capsys, state="current", **common)["device_id"] == prepared["device_id"]
    assert call(capsys, state="returned", **common)["device_id"] == old
    assert not call(capsys, state="settled", **common)["changed"]


def test_what_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = call(capsys, state="prepared", user=getpass.getuser(), root=str(tmp_path))
    assert told["failed"] and "no identity" in str(told["msg"])
