"""The module configuration_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
ORIGIN = "http://72.62.201.147"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


SETTINGS = f"""
LOCAL_AUTH_TOKEN={TOKEN}
CORS_ORIGINS={ORIGIN}
BASE_URL=http://h:8000
"""


def test_settings_that_fit(run_module: Run, recorded_api: Api, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.touch(mode=0o600)
    file.write_text(SETTINGS)
    result = run_module(
        "configuration_check",
        url=recorded_api(TOKEN),
        env_file=str(file),
        public_url=ORIGIN,
        expected_api_url="http://h:8000",
        gateway_version="2026.4.2",
        environment_units=[],
    )
    assert result["state"] == "pass", result["msg"]
    assert TOKEN not in str(result)


def test_settings_that_do_not_fit(run_module: Run, recorded_api: Api, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.touch(mode=0o644)
    file.write_text(SETTINGS.replace("CORS_ORIGINS=", "CORS_ORIGIN=") + "SECURITY_HEADER_X_FRAME_OPTIONS=\n")
    result = run_module(
        "configuration_check",
        url=recorded_api(TOKEN),
        env_file=str(file),
        public_url=ORIGIN,
        gateway_version="2026.9.6",
        environment_units=[],
    )
    kinds = {cause["kind"] for cause in result["root_causes"]}
    assert kinds == {
        "cors_misconfigured",
        "env_file_readable",
        "gateway_version",
        "header_blanked",
        "setting_misspelt",
    }


@pytest.mark.parametrize(("version", "state"), [("2026.9.6", "pass"), ("2026.4.2", "fail")])
def test_what_the_source_of_the_release_says_counts(
    run_module: Run, recorded_api: Api, tmp_path: Path, version: str, state: str
) -> None:
    """A revision of the product that speaks another protocol than the ones that were tried."""
    file = tmp_path / ".env"
    file.touch(mode=0o600)
    file.write_text(SETTINGS)
    program = tmp_path / "app/services/openclaw/gateway_rpc.py"
    program.parent.mkdir(parents=True)
    program.write_text('PROTOCOL = 4\nparams = {"minProtocol": PROTOCOL, "maxProtocol": PROTOCOL}\n')
    result = run_module(
        "configuration_check",
        url=recorded_api(TOKEN),
        env_file=str(file),
        public_url=ORIGIN,
        gateway_version=version,
        environment_units=[],
    )
    assert result["state"] == state
    for cause in result["root_causes"]:
        assert cause["kind"] == "gateway_version" and "gateway_backend_protocol" not in cause["remedy"]
        assert "for example 2026.4.2" not in cause["remedy"]


def test_no_settings(run_module: Run, tmp_path: Path) -> None:
    result = run_module("configuration_check", env_file=str(tmp_path / "none"))
    assert result["state"] == "error" and result["verdict"]["kind"] == "env_file_missing"
