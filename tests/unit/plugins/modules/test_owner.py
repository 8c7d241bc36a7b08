"""The module around the first call; the call itself is tested in test_owner.py of module_utils."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import owner as _owner
from ansible_collections.openclaw.mission_control.plugins.modules import owner
from controller import received

TOKEN = "t" * 64


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with (
        patch_module_args({"token": TOKEN, "url": "http://127.0.0.1:1", **arguments}),
        pytest.raises(SystemExit),
    ):
        owner.main()
    output = received(capsys.readouterr().out)
    assert TOKEN not in output
    result: dict[str, Any] = json.loads(output)
    return result


def test_no_call_is_made_in_check_mode(capsys: pytest.CaptureFixture[str]) -> None:
    # Nothing listens there: a call would fail.
    assert call(capsys, _ansible_check_mode=True)["changed"] is False


def test_a_backend_that_does_not_answer_fails(capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys)
    assert result["failed"] and result["kind"] == "unreachable"


@pytest.mark.parametrize("created", [True, False])
def test_it_changed_something_when_it_created_the_owner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, created: bool
) -> None:
    told = {"role": "owner", "user_id": "u", "organization_id": "o", "created": created}
    monkeypatch.setattr(_owner, "first_call", lambda _ask: told)
    result = call(capsys)
    assert result["changed"] is created
    assert {name: result[name] for name in told} == told
