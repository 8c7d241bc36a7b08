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


def of_user(name: str, *, warnings: bool = False, **gateway: Any) -> list[str]:
    """What is told of the gateway's user on a host whose application runs as mission-control (UID 1000)."""
    seen = {"user": name, "holder": "", "former": "", "by_hand": False, "occupied": False, "account": {}}
    host = {
        "user": {"name": "mission-control", "uid": 1000},
        "gateway": seen | gateway,
        "os": {"id": "debian", "version": "13", "init": "systemd"},
        "python": [],
        "listeners": [],
        "disk": {},
        "memory": {"total_bytes": 1, "swap_bytes": 0},
    }
    context = model.Context(hostname="gw", host=host, gateway=replace(GOOD, user=name))
    lines = [str(problem) for problem in rules.check(context) if problem.warning == warnings]
    return [line for line in lines if line.startswith("mission_control_gateway_user")]


def test_a_user_of_its_own_is_nothing_to_tell() -> None:
    assert of_user("openclaw") == [] == of_user("openclaw", warnings=True)
    account = {"exists": True, "uid": 1001, "home": "/home/openclaw"}
    assert of_user("openclaw", account=account) == [] == of_user("openclaw", account=account, warnings=True)


@pytest.mark.parametrize(
    ("name", "gateway", "words"),
    [
        ("root", {}, "superuser"),
        ("toor", {"account": {"uid": 0}}, "superuser"),
        ("Open Claw", {}, "not a valid user name"),
        ("twin", {"account": {"uid": 1000}}, "has the UID of mission-control"),
        ("openclaw", {"former": "mission-control", "occupied": True}, "has a gateway already"),
    ],
)
def test_whom_the_gateway_cannot_have(name: str, gateway: dict[str, Any], words: str) -> None:
    (line,) = of_user(name, **gateway)
    assert words in line and of_user(name, **gateway, warnings=True) == []


@pytest.mark.parametrize(
    ("name", "gateway", "words"),
    [
        ("mission-control", {}, "agents can read the application's token"),
        ("mission-control", {"by_hand": True}, "was set up by hand"),
        ("openclaw", {"former": "mission-control"}, "gets the gateway of mission-control"),
    ],
)
def test_what_an_operator_is_to_know_of_the_user(name: str, gateway: dict[str, Any], words: str) -> None:
    (line,) = of_user(name, **gateway, warnings=True)
    assert words in line and of_user(name, **gateway) == []


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


GREETED = {"protocols": [3, 3], "version_from_greeting": True}


def of_source(settings: model.Gateway, support: dict[str, Any]) -> list[model.Problem]:
    context = model.Context(hostname="gw", gateway=settings, gateway_support=support)
    return rules.check(context, rules.RULES_OF_THE_SOURCE)


def test_a_source_that_fits_says_nothing() -> None:
    assert of_source(GOOD, GREETED) == []
    # What the variables said was told before.
    assert of_source(replace(GOOD, version="2026.9.6"), GREETED) == []
    assert of_source(replace(GOOD, version="2026.9.6"), GREETED | {"protocols": [3, 4]}) == []


def test_a_source_that_speaks_otherwise_than_the_variables_say() -> None:
    (problem,) = of_source(GOOD, GREETED | {"protocols": [4, 4]})
    assert problem.variable == "mission_control_gateway_version" and not problem.warning
    assert "speaks gateway protocol 3" in problem.message and "the backend speaks 4" in problem.message
    # No variable is stronger than the source.
    assert "gateway_backend_protocol" not in problem.remedy and "another revision" in problem.remedy
    (warning,) = of_source(replace(GOOD, policy="warn"), GREETED | {"protocols": [4, 4]})
    assert warning.warning


def test_a_revision_that_can_register_no_gateway() -> None:
    old = GREETED | {"version_from_greeting": False}
    (problem,) = of_source(GOOD, old)
    assert problem.variable == "mission_control_gateways" and "2026-02-22" in problem.message
    assert "mission_control_revision" in problem.remedy and not problem.warning
    for registrations in ((), ({"name": "main", "state": "absent"},)):
        assert of_source(replace(GOOD, registrations=registrations), old) == []
