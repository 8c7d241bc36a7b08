# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the preflight says of the gateway's own address at the front door."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import (
    front_door,
    gateway_door,
    model,
    rules,
)
from issued_certificates import Issued

URL = "https://mc.example.com"
OWN = "https://gw.example.com"
ONE = {"mission_control": ["h"], "mission_control_gateway": ["h"]}
APART = {
    "mission_control": ["h", "door", "gw"],
    "mission_control_backend": ["h"],
    "mission_control_frontend": ["h"],
    "mission_control_proxy": ["door"],
    "mission_control_gateway": ["gw"],
}
ADDRESSES = {"h": "10.0.0.1", "door": "10.0.0.2", "gw": "10.0.0.3"}
TELLING = {"gateway_door", "door_ports", "door_apart", "acme", "certificate", "whose_door", "variable_names"}


def context(variables: dict[str, Any], **changes: Any) -> model.Context:
    given = {"public_url": URL, "gateway_public_url": OWN} | variables
    options: dict[str, Any] = {
        "variables": {f"mission_control_{name}": value for name, value in given.items()},
        "names": tuple(f"mission_control_{name}" for name in given),
        "hostname": "h",
        "groups": ONE,
        "components": ("backend", "frontend", "gateway"),
        "addresses": ADDRESSES,
    } | changes
    return model.Context(**options)


def found(variables: dict[str, Any], **changes: Any) -> list[str]:
    problems = rules.check(context(variables, **changes))
    return [str(problem) for problem in problems if problem.rule in TELLING and not problem.warning]


ROOT = Issued("root", days=(-10, 900))
BETWEEN = Issued("between", ROOT, days=(-10, 900))
ACME = {"acme_contact": "ops@example.com"}


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"gateway_public_url": ""},
        {"gateway_public_url": f"{URL}:8443"},
        {"gateway_public_url": "https://[fd00::2]:8443"},
        {"gateway_public_url": f"{OWN}:8443"},
        ACME,
        {**ACME, "gateway_public_url": f"{URL}:8443"},
        {"gateway_configuration": {"gateway": {"tls": {"enabled": False}}}},
        {"gateway_configuration": {"gateway": {"controlUi": {"allowedOrigins": [OWN]}}}},
    ],
)
def test_what_is_right_is_no_problem(variables: dict[str, Any]) -> None:
    assert found(variables) == []


@pytest.mark.parametrize(
    ("variables", "says", "remedy"),
    [
        ({"gateway_public_url": "http://gw.example.com"}, "has no TLS", "begin it with https://"),
        ({"gateway_public_url": "wss://gw.example.com"}, "is not absolute", "scheme, name"),
        ({"gateway_public_url": "gw.example.com"}, "is not absolute", "scheme, name"),
        ({"gateway_public_url": f"{OWN}/control"}, "has the path /control", "scheme, name"),
        ({"gateway_public_url": f"{OWN}/"}, "ends with a slash", "scheme, name"),
        ({"gateway_public_url": f"{OWN}?token=x"}, "has a query", "scheme, name"),
        ({"gateway_public_url": "https://u:secret@gw"}, "a user name or a password", "scheme, name"),
        ({"gateway_public_url": f"{OWN}:443"}, "default port 443", "scheme, name"),
        (
            {"gateway_public_url": URL},
            f"gateway_public_url: {URL} — is the address of Mission",
            "another port",
        ),
        (
            {
                "gateway_public_url": "https://mc.example.com:8000",
                "public_url": "https://mc.example.com:8000",
            },
            "is the address of Mission Control itself",
            "another name",
        ),
        ({"public_url": "http://mc.example.com:3000"}, "needs the front door", "https://"),
        ({"front_door": "external"}, "your own proxy serves the gateway", "gateway_trusted_proxies"),
        (
            {"gateway_configuration": {"gateway": {"tls": {"enabled": True}}}},
            "gateway_configuration.gateway.tls.enabled: true — has the gateway speak TLS itself",
            "the door has TLS",
        ),
        (
            {"gateway_configuration": {"gateway": {"controlUi": {"allowedOrigins": [URL]}}}},
            f"allowedOrigins: {URL} — lacks {OWN}",
            "add mission_control_gateway_public_url",
        ),
        (
            {**ACME, "gateway_public_url": "https://10.0.0.1:8443"},
            "names 10.0.0.1, for which no ACME",
            "full",
        ),
        ({**ACME, "gateway_public_url": "https://gw"}, "names gw, for which no ACME", "full name"),
        ({"gateway_public_url": f"{URL}:18789"}, "names port 18789, which is the gateway's own", "8443"),
        ({"gateway_public_url": f"{URL}:9000", "gateway_port": 9000}, "port 9000, which is the gateway", ""),
        ({"gateway_public_url": f"{URL}:5432"}, "names port 5432, which is PostgreSQL's", "8443"),
        ({"gateway_public_url": f"{URL}:80"}, "names port 80, which is where the front door sends", "8443"),
        ({"gateway_publc_url": OWN}, "is not a variable of this collection", "gateway_public_url"),
    ],
)
def test_each_mistake_has_one_message(variables: dict[str, Any], says: str, remedy: str) -> None:
    if "gateway_publc_url" in variables:
        lines = [
            str(problem)
            for problem in rules.check(model.Context(names=["mission_control_gateway_publc_url"]))
        ]
    else:
        lines = found(variables)
    assert len(lines) == 1, lines
    assert says in lines[0]
    assert remedy in lines[0]
    assert "secret" not in lines[0]


def test_a_port_of_a_service_and_one_that_somebody_holds() -> None:
    ports = (model.Port(8000, "mission_control_backend_port"),)
    (line,) = found({"gateway_public_url": f"{URL}:8000"}, ports=ports)
    assert "names port 8000, which is that of mission_control_backend_port" in line
    listener = {"port": 8443, "command": "java", "pid": 7, "uid": 0, "user": "root", "unit": "x.service"}
    variables = {"gateway_public_url": f"{URL}:8443"}

    def told(one: dict[str, Any], **changes: Any) -> list[str]:
        there = context(variables, host={"listeners": [one]}, **changes)
        return [str(problem) for problem in gateway_door.gateway_door(there)]

    (line,) = told(listener)
    assert "needs port 8443, which is held by java (PID 7, user root) of x.service" in line
    assert "choose another port" in line and "external" not in line
    assert told(listener | {"unit": front_door.UNIT}) == []
    # On another host than the door's it bothers nobody.
    assert told(listener, groups=APART) == []


@pytest.mark.parametrize(("hosts", "says"), [([], "has no host"), (["h", "i"], "has 2 hosts (h, i)")])
def test_no_gateway_and_several(hosts: list[str], says: str) -> None:
    groups = {"mission_control": ["h", "i"], "mission_control_gateway": hosts, "mission_control_proxy": ["h"]}
    groups |= {"mission_control_backend": ["h"], "mission_control_frontend": ["h"]}
    (line,) = [str(problem) for problem in gateway_door.gateway_door(context({}, groups=groups))]
    assert says in line and "mission_control_gateway" in line


def test_a_door_on_another_host_needs_a_network_of_its_own_and_a_gateway_that_listens() -> None:
    together = APART | {"mission_control_frontend": ["door"], "mission_control_backend": ["door"]}
    alone = {"hostname": "gw", "components": ("gateway",), "groups": together}
    (line,) = found({}, **alone)
    assert "private_network — is not known to hold" in line and "asks door, gw without TLS" in line
    assert "run door, backend, frontend and gateway on one host" in line
    assert found({"gateway_public_url": ""}, **alone) == []
    private = {"private_network": ["10.0.0.0/24"]}
    assert found(private, **alone) == []
    (line,) = found({**private, "gateway_bind": "loopback"}, **alone)
    assert "gateway_bind: loopback — has the gateway on gw listen for its own host alone" in line
    assert found({**private, "gateway_bind": "lan"}, **alone) == []


def test_a_backend_behind_the_same_address_as_the_door_is_refused_by_newer_gateways() -> None:
    together = APART | {"mission_control_frontend": ["door"], "mission_control_backend": ["door"]}
    settings = model.Gateway(
        version="2026.9.6", backend_hosts=("door",), bind="lan", url="ws://10.0.0.3:18789"
    )

    def told(gateway: model.Gateway) -> list[str]:
        there = context({}, hostname="gw", groups=together, gateway=gateway)
        return [str(problem) for problem in gateway_door.gateway_door(there)]

    (line,) = told(settings)
    assert "makes door the gateway's proxy" in line
    assert "mission_control_gateway_url: wss://gw.example.com:443 " in line
    other = {"backend_hosts": ("h",)}
    assert told(model.Gateway(**{**vars(settings), **other})) == []
    assert told(model.Gateway(**{**vars(settings), "version": "2026.4.2"})) == []
    assert told(model.Gateway(**{**vars(settings), "url": "wss://gw.example.com:443"})) == []


def test_a_given_certificate_has_both_names() -> None:
    leaf = Issued("mc.example.com", BETWEEN)
    both = Issued("mc.example.com", BETWEEN, names=("mc.example.com", "gw.example.com"))

    def given(one: Issued) -> dict[str, Any]:
        return {"certificate": one.pem + BETWEEN.pem, "certificate_key": one.key_pem}

    (line,) = found(given(leaf))
    assert "is made out for mc.example.com, not for gw.example.com" in line
    assert "right name in mission_control_gateway_public_url" in line
    assert found(given(both)) == []
    assert found({**given(leaf), "gateway_public_url": f"{URL}:8443"}) == []


def test_an_acme_authority_has_to_find_both_names() -> None:
    (line,) = found(ACME, resolved=("10.0.0.1",), gateway_resolved=())
    assert f"gateway_public_url: {OWN} — names gw.example.com, which cannot be resolved" in line
    assert found(ACME, resolved=("10.0.0.1",), gateway_resolved=("10.0.0.1",)) == []
