"""The key by which gateways know the backend: whole, damaged, not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.user_files import UserFiles
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.device_identity import (
    judge_identity,
)

WHOLE = {"publicKeyPem": "-----BEGIN PUBLIC KEY-----", "privateKeyPem": "-----BEGIN PRIVATE KEY-----"}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (json.dumps(WHOLE), "pass"),
        ("", "fail"),
        (json.dumps(WHOLE)[:40], "fail"),
        (json.dumps(WHOLE | {"privateKeyPem": ""}), "fail"),
        ("[]", "fail"),
        (None, "skip"),
    ],
)
def test_the_identity(tmp_path: Path, text: str | None, state: str) -> None:
    path = tmp_path / "device.json"
    if text is not None:
        path.write_text(text)
    files = UserFiles(find_account())
    verdict = judge_identity({"OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH": str(path)}, files)
    assert verdict.state == state
    assert (verdict.kind == "identity_garbled") == (state == "fail")
    assert state != "fail" or f"mv {path} {path}.damaged" in verdict.remedy
    assert judge_identity({}, files).state == "skip"
