# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import model, rules

GOOD = model.Gateway(
    version="2026.4.2",
    backend_hosts=("gw",),
    url="ws://127.0.0.1:18789",
    allowed_origins=("https://mc.example.com",),
    registrations=({"name": "main"},),
    boards=({"name": "Operations"},),
)


def found(settings: model.Gateway, *, warnings: bool = False) -> list[str]:
    """The problems of all rules, or the warnings, as lines."""
    context = model.Context(hostname="gw", gateway=settings)
    return [str(problem) for problem in rules.check(context) if problem.warning == warnings]


def test_a_good_inventory_has_no_findings() -> None:
    assert found(GOOD) == [] and found(GOOD, warnings=True) == []


@pytest.mark.parametrize(
    ("changes", "variable", "words"),
    [
        ({"version": "2026.9.6"}, "gateway_version", "2026.2.9 to 2026.5.7"),
        ({"version": "latest"}, "gateway_version", "exact"),
        ({"version": "latest", "policy": "warn"}, "gateway_version", "exact"),
        ({"bind": "everywhere"}, "gateway_bind", "loopback"),
        ({"bind": "custom"}, "gateway_bind_host", "address"),
        ({"port": 0}, "gateway_port", "65535"),
        ({"backend_hosts": ("gw", "app")}, "gateway_bind", "lan"),
        ({"token": "short"}, "gateway_token", "openssl rand"),
        ({"allowed_origins": ("https://mc.example.com/",)}, "gateway_allowed_origins", "slash"),
        ({"allowed_origins": ("mc.example.com",)}, "gateway_allowed_origins", "origin"),
        (
            {"configuration": {"gateway": {"tls": {"enabled": True, "certPath": "/a"}}}},
            "gateway_configuration.gateway.tls.keyPath",
            "names no host",
        ),
        ({"registrations": ({"url": "ws://a:1"},)}, "mission_control_gateways[0]", "name"),
        (
            {"registrations": ({"name": "a", "url": "http://a:1"},)},
            "mission_control_gateways[0].url",
            "ws://",
        ),
        ({"registrations": ({"name": "a"}, {"name": "a"})}, "mission_control_gateways", "twice"),
        (
            {"registrations": ({"name": "a", "version": "2026.9.6", "url": "ws://a:1", "token": "x"},)},
            "mission_control_gateways[0].version",
            "protocol 4",
        ),
        (
            {"registrations": ({"name": "a", "disable_device_pairing": True},)},
            "mission_control_gateways[0].disable_device_pairing",
            "safe way",
        ),
        ({"deployed": False, "here": False}, "mission_control_gateways[0].url", "mission_control_gateway"),
        (
            {"deployed": False, "here": False, "registrations": ({"name": "a", "url": "ws://a:1"},)},
            "mission_control_gateways[0].token",
            "started with",
        ),
        ({"boards": ({"gateway": "main"},)}, "mission_control_boards[0]", "name"),
        (
            {"boards": ({"name": "b"},), "registrations": ({"name": "x"}, {"name": "y"})},
            "mission_control_boards[0].gateway",
            "name the registered gateway",
        ),
    ],
)
def test_each_mistake_is_one_line_with_variable_and_remedy(
    changes: dict[str, Any], variable: str, words: str
) -> None:
    lines = found(replace(GOOD, **changes))
    assert [line for line in lines if line.startswith(variable) and words in line], lines
    assert not [line for line in lines if "\n" in line]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(found(replace(GOOD, version="2026.9.6", port=0, bind="custom"))) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "2026.9.6", "policy": "warn"}, "protocol mismatch"),
        ({"version": "2027.1.1"}, "not known"),
        (
            {"configuration": {"gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": True}}}},
            "full control of the gateway",
        ),
        ({"registrations": ({"name": "a", "url": "wss://a", "token": "x"},)}, "names no port"),
        (
            {"registrations": ({"name": "a", "url": "wss://a:1", "token": "x", "allow_insecure_tls": True},)},
            "read the gateway's token",
        ),
        (
            {
                "registrations": (
                    {"name": "a", "url": "ws://a:1", "token": "x", "disable_device_pairing": True},
                )
            },
            "only thing between",
        ),
        ({"boards": ({"name": "b", "gateway": "other"},)}, "registered already"),
    ],
)
def test_what_may_be_meant_only_warns(changes: dict[str, Any], words: str) -> None:
    settings = replace(GOOD, **changes)
    assert found(settings) == []
    assert [warning for warning in found(settings, warnings=True) if words in warning]


def test_a_tunnel_lets_a_loopback_gateway_serve_another_host() -> None:
    settings = replace(GOOD, backend_hosts=("app",), url="ws://tunnel.example.com:18789")
    assert found(settings) == []


def test_no_secret_is_shown() -> None:
    secret = "s3cr3t with a space"
    settings = replace(GOOD, token=secret, registrations=({"name": "", "token": secret, "url": "nope"},))
    problems = found(settings)
    assert problems and secret not in str([*problems, *found(settings, warnings=True)])


def test_a_registration_that_is_to_go_needs_nothing() -> None:
    settings = replace(
        GOOD, deployed=False, here=False, registrations=({"name": "a", "state": "absent"},), boards=()
    )
    assert found(settings) == [] and found(settings, warnings=True) == []


def test_a_host_without_a_gateway_answers_for_registrations_only() -> None:
    settings = replace(
        GOOD, here=False, version="latest", port=0, registrations=({"name": "a"}, {"name": "a"})
    )
    assert [line.split(" — ")[0] for line in found(settings)] == [
        "mission_control_gateways: a",
        "mission_control_boards[0].gateway",
    ]


def test_what_is_of_another_kind_is_told() -> None:
    settings = replace(GOOD, faults={"gateway_port": "has to be of type int"})
    assert found(settings) == [
        "gateway_port — has to be of type int; see ansible-doc -t role openclaw.mission_control.gateway"
    ]


@pytest.mark.parametrize("url", ["ws://a:99999", "ws://[::1", "ws://a:x"])
def test_what_is_no_url_is_told(url: str) -> None:
    (problem,) = found(replace(GOOD, registrations=({"name": "a", "url": url},)))
    assert (
        problem
        == f"mission_control_gateways[0].url: {url} — is not a valid gateway address; write ws://host:port"
    )
    assert [line for line in found(replace(GOOD, allowed_origins=(url,))) if "is not a valid origin" in line]


def test_a_port_out_of_range_is_told_once() -> None:
    (problem,) = found(replace(GOOD, port=99999, url="ws://127.0.0.1:99999"))
    assert problem == "gateway_port: 99999 — is not a valid port; use 1 to 65535"
