# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from an https public URL."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.front_door import (
    FrontDoor,
    GatewayEntry,
    Server,
    front_door,
    is_wanted,
)

ONE = {"mission_control": ["mc"]}
APART = {
    "mission_control": ["door", "app", "ui"],
    "mission_control_proxy": ["door"],
    "mission_control_backend": ["app"],
    "mission_control_frontend": ["ui"],
}
REACHED = {"mc": "10.0.0.1", "door": "10.0.0.9", "app": "10.0.0.2", "ui": "10.0.0.3"}
HTTPS = {"public_url": "https://mc.example.com"}


@pytest.mark.parametrize(
    ("public", "choice", "wanted"),
    [
        ("https://mc.example.com", "", True),
        ("https://mc.example.com", "auto", True),
        ("https://mc.example.com", "external", False),
        ("http://mc.example.com:3000", "auto", False),
        ("", "", False),
        (None, None, False),
    ],
)
def test_who_asks_for_a_door(public: Any, choice: Any, wanted: bool) -> None:
    assert is_wanted(public, choice) is wanted


def test_without_one_nothing_changes() -> None:
    found = front_door({"public_url": "http://mc:3000"}, ONE, "mc", REACHED)
    assert found == FrontDoor()
    assert (found.enabled, found.here, found.bind, found.trusted) == (False, False, "", "")


def test_on_one_host_only_the_door_is_reached() -> None:
    found = front_door(HTTPS, ONE, "mc", REACHED)
    assert (found.enabled, found.here, found.name, found.port) == (True, True, "mc.example.com", 443)
    assert (found.bind, found.trusted) == ("127.0.0.1", "127.0.0.1,::1")
    assert found.backends == (Server("mc", "127.0.0.1", 8000),)
    assert found.frontends == (Server("mc", "127.0.0.1", 3000),)
    assert found.certificates == "authority"
    assert found.hosts == ("10.0.0.2", "10.0.0.9", "10.0.0.1", "10.0.0.3")


def test_a_role_in_somebody_elses_playbook_has_its_door_on_its_host() -> None:
    assert front_door(HTTPS, {"servers": ["a", "b"]}, "b", {}).here is True


def test_ports_and_names_are_those_that_the_operator_set() -> None:
    settings = {"public_url": "https://[fd00::2]:8443", "backend_port": "8001", "frontend_port": 3001}
    found = front_door(settings, ONE, "mc", REACHED)
    assert (found.name, found.port) == ("fd00::2", 8443)
    assert [server.port for server in (*found.backends, *found.frontends)] == [8001, 3001]


def test_a_door_on_a_host_of_its_own() -> None:
    door = front_door(HTTPS, APART, "door", REACHED)
    assert door.here and door.backends == (Server("app", "10.0.0.2", 8000),)
    assert door.frontends == (Server("ui", "10.0.0.3", 3000),)
    app = front_door(HTTPS, APART, "app", REACHED)
    assert (app.here, app.bind, app.trusted) == (False, "10.0.0.2", "10.0.0.9")
    # Where the inventory knows a name only.
    assert front_door(HTTPS, APART, "app", {"app": "app.example.com"}).bind == "0.0.0.0"


@pytest.mark.parametrize(
    ("given", "certificates"),
    [
        ({}, "authority"),
        ({"certificate": "-----BEGIN"}, "files"),
        ({"acme_contact": "ops@example.com"}, "acme"),
        ({"acme_directory": "https://ca.example.com/dir", "certificate": "x"}, "acme"),
    ],
)
def test_where_the_certificate_comes_from(given: dict[str, str], certificates: str) -> None:
    assert front_door(HTTPS | given, ONE, "mc", REACHED).certificates == certificates


def test_yaml_gets_plain_data() -> None:
    found = front_door(HTTPS, ONE, "mc", REACHED).as_dict()
    assert found["backends"] == [{"name": "mc", "address": "127.0.0.1", "port": 8000}]
    assert found["enabled"] is True and found["certificates"] == "authority"


# --- the gateway's own address ---

GATEWAY = ONE | {"mission_control_gateway": ["mc"]}
NAMED = HTTPS | {"gateway_public_url": "https://gw.example.com"}


def test_without_an_address_of_its_own_or_without_a_gateway_there_is_none() -> None:
    assert front_door(HTTPS, GATEWAY, "mc", REACHED).gateway is None
    assert front_door(NAMED, ONE, "mc", REACHED).gateway is None
    found = front_door(HTTPS, GATEWAY, "mc", REACHED)
    assert found.names == ("mc.example.com",) and found.as_dict()["gateway"] == {}


def test_a_gateway_by_name_on_the_doors_host_is_asked_on_loopback() -> None:
    found = front_door(NAMED, GATEWAY, "mc", REACHED)
    assert found.gateway == GatewayEntry(
        name="gw.example.com",
        port=443,
        origin="https://gw.example.com",
        own_port=False,
        server=Server("mc", "127.0.0.1", 18789),
        apart=False,
        trusted=("127.0.0.1", "::1"),
    )
    assert found.names == ("mc.example.com", "gw.example.com")
    told = found.as_dict()
    assert told["names"] == ["mc.example.com", "gw.example.com"]
    assert told["gateway"]["trusted"] == ["127.0.0.1", "::1"] and told["gateway"]["server"]["port"] == 18789


def test_a_gateway_by_a_port_of_its_own_has_the_doors_name() -> None:
    settings = HTTPS | {"gateway_public_url": "https://mc.example.com:8443", "gateway_port": "9000"}
    found = front_door(settings, GATEWAY, "mc", REACHED)
    assert found.gateway and (found.gateway.port, found.gateway.own_port) == (8443, True)
    assert found.gateway.origin == "https://mc.example.com:8443" and found.gateway.server.port == 9000
    assert found.names == ("mc.example.com",)
    brackets = HTTPS | {"gateway_public_url": "https://[fd00::2]:8443"}
    entry = front_door(brackets, GATEWAY, "mc", REACHED).gateway
    assert entry and (entry.name, entry.origin) == ("fd00::2", "https://[fd00::2]:8443")


def test_a_gateway_on_another_host_than_the_door() -> None:
    groups = APART | {"mission_control_gateway": ["app"]}
    for host in ("door", "app", "ui"):
        entry = front_door(NAMED, groups, host, REACHED).gateway
        assert entry and entry.apart and entry.trusted == ("10.0.0.9",)
    door = front_door(NAMED, groups, "door", REACHED).gateway
    assert door and door.server == Server("app", "10.0.0.2", 18789)
    # Two doors, one of them on its host: that one comes from there.
    groups = groups | {"mission_control_proxy": ["app", "door"]}
    entry = front_door(NAMED, groups, "app", REACHED).gateway
    assert entry and entry.apart and entry.server.address == "127.0.0.1"
    assert entry.trusted == ("127.0.0.1", "::1", "10.0.0.9")


@pytest.mark.parametrize(
    ("bind", "address", "trusted"),
    [
        ({"gateway_bind": "loopback"}, "127.0.0.1", ("127.0.0.1", "::1")),
        ({"gateway_bind": "lan"}, "127.0.0.1", ("127.0.0.1", "::1")),
        ({"gateway_bind": "custom", "gateway_bind_host": "0.0.0.0"}, "127.0.0.1", ("127.0.0.1", "::1")),
        (
            {"gateway_bind": "custom", "gateway_bind_host": "192.0.2.7"},
            "192.0.2.7",
            ("127.0.0.1", "::1", "192.0.2.7"),
        ),
        ({"gateway_bind": "tailnet"}, "10.0.0.1", ("127.0.0.1", "::1", "10.0.0.1")),
    ],
)
def test_the_gateway_is_asked_where_it_listens(
    bind: dict[str, str], address: str, trusted: tuple[str, ...]
) -> None:
    entry = front_door(NAMED | bind, GATEWAY, "mc", REACHED).gateway
    assert entry and (entry.server.address, entry.trusted) == (address, trusted)
