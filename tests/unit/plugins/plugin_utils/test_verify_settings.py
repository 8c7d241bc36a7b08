# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which checks belong on which host, and what they are told of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _verify_settings as settings

LISTENING = {
    "backend_bind": "",
    "backend_port": "8000",
    "frontend_bind": "0.0.0.0",
    "frontend_port": 3000,
    "alone": True,
    "database_url": "",
    "redis_url": "",
}


def test_every_check_has_its_place() -> None:
    # What users see of the front door is seen from the controller.
    assert set(settings.host_checks(["backend", "frontend"])) == set(CHECKS) - {"front_door"}


def test_what_asks_the_api_is_checked_where_the_backend_runs() -> None:
    everywhere = ["service", "log", "host", "backup"]
    assert settings.host_checks([]) == everywhere
    assert settings.host_checks(["worker", "postgresql"]) == everywhere
    assert settings.host_checks(["frontend"]) == ["frontend", *everywhere]
    found = settings.host_checks(["backend"])
    assert found[0] == "health" and "frontend" not in found and found[-4:] == everywhere


def test_the_ports_of_a_host() -> None:
    assert settings.listening_ports(LISTENING, ["backend", "frontend"]) == [
        {"port": 8000, "bind": "", "unit": "mission-control-backend"},
        {"port": 3000, "bind": "0.0.0.0", "unit": "mission-control-frontend"},
        {"port": 5432, "bind": "loopback", "unit": "", "users": ["postgres"]},
        {"port": 6379, "bind": "loopback", "unit": "", "users": ["redis", "valkey"]},
    ]


@pytest.mark.parametrize(
    ("changes", "components", "ports"),
    [
        ({"alone": False}, ["backend"], [8000]),
        ({"database_url": "postgresql://x/y"}, ["frontend"], [3000, 6379]),
        ({"redis_url": "redis://x"}, [], [5432]),
    ],
)
def test_only_what_belongs_to_the_host_is_looked_for(
    changes: dict[str, Any], components: list[str], ports: list[int]
) -> None:
    found = settings.listening_ports({**LISTENING, **changes}, components)
    assert [port["port"] for port in found] == ports


def test_an_address_of_its_own_stays_as_it_is() -> None:
    found = settings.listening_ports({**LISTENING, "backend_bind": "192.0.2.1", "alone": False}, ["backend"])
    assert found[0]["bind"] == "192.0.2.1"


def test_the_operators_options_go_above_and_no_secret_comes_along() -> None:
    defaults = {"service": {"units": ["a"]}, "log": {"units": ["a"]}, "host": {}}
    own = {"service": {"units": ["b"]}, "health": {"token": "s", "retries": 3}, "queue": {"redis_url": "r"}}
    assert settings.check_options(defaults, own, ["service", "health", "queue", "host"]) == {
        "service": {"units": ["b"]},
        "health": {"retries": 3},
    }
