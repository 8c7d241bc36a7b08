# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What YAML asks about the front door."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.addresses import front_door, proxy_binds
from ansible_collections.openclaw.mission_control.plugins.filter.files import (
    differing_files,
    differing_rights,
)
from template_context import with_variables

GROUPS = {"mission_control": ["mc"], "all": ["mc", "other"]}
HOSTVARS = {"mc": {"ansible_host": "10.0.0.1"}}


def test_a_door_asks_for_the_addresses_of_its_hosts() -> None:
    found = front_door(with_variables(), {"public_url": "https://mc.example.com"}, GROUPS, "mc", HOSTVARS)
    assert (found["enabled"], found["here"], found["bind"]) == (True, True, "127.0.0.1")


def test_without_a_door_nobody_is_asked() -> None:
    found = front_door(with_variables(), {"public_url": "http://mc:3000"}, None, "mc", None)
    assert (found["enabled"], found["bind"], found["trusted"]) == (False, "", "")
    with pytest.raises(AnsibleFilterError, match="expects a mapping"):
        front_door(with_variables(), "https://mc", GROUPS, "mc", HOSTVARS)


@pytest.mark.parametrize(
    ("address", "ipv6", "binds"),
    [
        ("", True, ["0.0.0.0:443", "[::]:443 v6only"]),
        ("*", True, ["0.0.0.0:443", "[::]:443 v6only"]),
        ("", False, ["0.0.0.0:443"]),
        ("192.0.2.1", True, ["192.0.2.1:443"]),
        ("fd00::2", True, ["[fd00::2]:443"]),
    ],
)
def test_what_haproxy_listens_on(address: str, ipv6: bool, binds: list[str]) -> None:
    assert proxy_binds(address, 443, ipv6) == binds


def test_files_that_differ_or_are_missing() -> None:
    right = {"exists": True, "sha256": hashlib.sha256(b"a\n").hexdigest()}
    found: dict[str, Any] = {"/same": right, "/other": right, "/gone": {"exists": False}}
    wanted = {"/same": "a\n", "/other": "b\n", "/gone": "", "/unknown": ""}
    assert differing_files(wanted, found) == ["/other", "/gone", "/unknown"]
    with pytest.raises(AnsibleFilterError, match="expects contents"):
        differing_files([], found)


def test_files_with_other_rights() -> None:
    right = {"owner": "root", "group": "haproxy", "mode": "0640"}
    found = {
        "/same": {"exists": True, **right},
        "/mode": {"exists": True, **right, "mode": "0600"},
        "/group": {"exists": True, **right, "group": "root"},
        "/gone": {"exists": False},
    }
    wanted = dict.fromkeys((*found, "/unknown"), right)
    assert differing_rights(wanted, found) == ["/mode", "/group"]
    with pytest.raises(AnsibleFilterError, match="expects rights"):
        differing_rights([], found)
