"""How a certificate names its server."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.addresses import certificate_names

OWN = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        ([], OWN),
        (["10.0.0.5", "db.Internal"], ["IP:10.0.0.5", "DNS:db.internal", *OWN]),
        (["2001:DB8:0::1", "[2001:db8::1]"], ["IP:2001:db8::1", *OWN]),
        # Where the inventory's name and the address are one.
        (["data", "data", ""], ["DNS:data", *OWN]),
        (["127.0.0.1", "localhost"], ["IP:127.0.0.1", "DNS:localhost", "IP:::1"]),
    ],
)
def test_addresses_and_names_each_once(hosts: list[str], names: list[str]) -> None:
    assert certificate_names(hosts) == names


def test_one_name_is_no_list_of_names() -> None:
    with pytest.raises(AnsibleFilterError, match="a list of addresses and names"):
        certificate_names("data")
