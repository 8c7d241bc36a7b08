"""The host command verifies what the role verify verifies: their settings must not drift apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _verify_settings

ROLES = Path(__file__).resolve().parents[3] / "roles"


def variables(role: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROLES / role / "vars" / "main.yml").read_text()))


COMMAND = variables("command")
VERIFY = variables("verify")


def test_every_check_is_known() -> None:
    assert sorted(COMMAND["__command_check_settings"]) == sorted(CHECKS)


def test_every_check_has_its_place() -> None:
    """Both roles ask the same filter; no check is missing there (plugin_utils/test_verify_settings.py)."""
    asked = "openclaw.mission_control.host_checks"
    assert asked in COMMAND["__command_verify_checks"] and asked in VERIFY["__verify_here"]
    here = _verify_settings.host_checks(["backend", "frontend"])
    # What users see of the door is seen from elsewhere.
    assert sorted([*here, "front_door"]) == sorted(CHECKS)


def test_checks_get_the_same_settings_of_the_deployment() -> None:
    defaults = COMMAND["__command_check_defaults"]
    given = {
        name.removeprefix("__verify_").removesuffix("_defaults"): set(values)
        for name, values in VERIFY.items()
        if name.endswith("_defaults")
    }
    assert given.pop("front_door") <= set(CHECKS["front_door"])
    assert given and given == {name: set(values) for name, values in defaults.items()}
    for name, options in given.items():
        assert options <= set(CHECKS[name])


def test_no_secret_gets_into_the_configuration() -> None:
    secret = {
        option for options in CHECKS.values() for option, found in options.items() if found.get("no_log")
    }
    assert secret and secret <= set(_verify_settings.SECRET_OPTIONS)
