# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the preflight says of ports behind a door on another host: one message for each mistake."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import firewall, model

HOSTS = {"door": "10.0.0.9", "app": "10.0.0.2", "work": "work.example.com", "gw": "10.0.0.5"}
GROUPS = {
    "mission_control": [*HOSTS],
    "mission_control_proxy": ["door"],
    "mission_control_backend": ["app"],
    "mission_control_frontend": ["door"],
    "mission_control_worker": ["work"],
    "mission_control_gateway": ["gw"],
}
URL = {"public_url": "https://mc.example.com"}
GATEWAY = URL | {"gateway_public_url": "https://gw.example.com"}
EXTERNAL = URL | {"front_door": "external"}


def found(variables: dict[str, Any], host: str = "app", refusal: str = "") -> list[str]:
    context = model.Context(
        variables={f"mission_control_{name}": value for name, value in variables.items()},
        hostname=host,
        groups=GROUPS,
        components=("backend",),
        addresses=HOSTS,
        host={"firewall": {"refusal": refusal}},
    )
    return [str(problem) for problem in firewall.firewall(context)]


@pytest.mark.parametrize(
    "variables",
    [
        URL,
        URL | {"firewall": "false"},
        URL | {"firewall_allowed": ["10.0.0.7", "fd00::/64"]},
        URL | {"api_url": "https://mc.example.com"},
        URL | {"api_url": "http://10.0.0.2:8000", "firewall_allowed": "10.0.0.0/24"},
        URL | {"api_url": "http://10.0.0.2:8000", "firewall": False},
        EXTERNAL,
        EXTERNAL | {"firewall_allowed": "192.0.2.7", "api_url": "https://api.example.com"},
        {"public_url": "http://mc.example.com:3000", "firewall": False},
    ],
)
def test_what_is_right_is_no_problem(variables: dict[str, Any]) -> None:
    assert found(variables) == []


@pytest.mark.parametrize(
    ("variables", "says", "remedy"),
    [
        (URL | {"firewall": "perhaps"}, "firewall: perhaps — is neither true nor false", "leave it out"),
        (URL | {"firewall_allowed": ["office"]}, "firewall_allowed: office — is not a list", "192.0.2.0/24"),
        (URL | {"firewall_allowed": "10.0.0.7/24"}, "has host bits set", "192.0.2.7"),
        (
            {"public_url": "http://mc:3000", "firewall_allowed": "10.0.0.7"},
            "firewall_allowed: 10.0.0.7 — has no effect: mission_control_public_url",
            "https://",
        ),
        (
            URL | {"firewall": False, "firewall_allowed": "10.0.0.7"},
            "has no effect: mission_control_firewall is false",
            "take it out",
        ),
        (
            URL | {"api_url": "http://10.0.0.2:8000"},
            "api_url: http://10.0.0.2:8000 — leads to a backend past the front door",
            "mission_control_firewall_allowed",
        ),
        (
            URL | {"api_url": "http://app:8001", "backend_port": "8001"},
            "leads to a backend past the front door",
            "mission_control_public_url",
        ),
    ],
)
def test_each_mistake_has_one_message(variables: dict[str, Any], says: str, remedy: str) -> None:
    (line,) = found(variables)
    assert says in line and remedy in line


def test_a_kernel_that_takes_no_rules_is_told_where_rules_are_needed() -> None:
    why = "Operation not permitted"
    (line,) = found(URL, refusal=why)
    assert "host app — has to drop" in line and why in line
    assert "NET_ADMIN" in line and "mission_control_firewall: false" in line
    assert found(URL | {"firewall": False}, refusal=why) == found(URL, "door", why) == []


def test_a_worker_that_is_known_by_a_name_only_cannot_be_let_through_to_the_gateway() -> None:
    (line,) = found(GATEWAY, "gw")
    assert "host work — is known by a name only (work.example.com)" in line and "ansible_host" in line
    assert found(GATEWAY) == found(URL, "gw") == []
