# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What follows from an https public URL."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.front_door import (
    FrontDoor,
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
