# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which ports are for a door on another host alone, and what the kernel says that it has of that."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    loaded_firewall,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.firewall import (
    Guarded,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.front_door import (
    front_door,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.commands import Completed
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

HOSTS = {"door": "10.0.0.9", "app": "10.0.0.2", "ui": "10.0.0.3", "work": "10.0.0.4", "gw": "fd00:0::5"}
APART = {
    "mission_control": [*HOSTS],
    "mission_control_proxy": ["door"],
    "mission_control_backend": ["app"],
    "mission_control_frontend": ["ui"],
    "mission_control_worker": ["work"],
    "mission_control_gateway": ["gw"],
}
HTTPS = {"public_url": "https://mc.example.com"}
GATEWAY = HTTPS | {"gateway_public_url": "https://gw.example.com"}
EXTERNAL = HTTPS | {"front_door": "external"}
FOREIGN = EXTERNAL | {"firewall_allowed": ["192.0.2.7", "10.1.0.0/16"]}


def guarded(host: str, settings: dict[str, Any], groups: dict[str, list[str]] = APART) -> tuple[Guarded, ...]:
    return front_door(settings, groups, host, HOSTS).guarded


@pytest.mark.parametrize(
    ("host", "settings", "found"),
    [
        ("app", HTTPS, (Guarded(8000, ("10.0.0.9",)),)),
        ("ui", HTTPS | {"frontend_port": "3001"}, (Guarded(3001, ("10.0.0.9",)),)),
        ("door", HTTPS, ()),
        ("work", HTTPS, ()),
        # Without an address at the door whoever the gateway serves comes to it.
        ("gw", HTTPS, ()),
        # Backends and workers ask it themselves.
        ("gw", GATEWAY, (Guarded(18789, ("10.0.0.2", "10.0.0.4", "10.0.0.9")),)),
        ("app", HTTPS | {"firewall": False}, ()),
        ("app", HTTPS | {"firewall": "no"}, ()),
        ("app", HTTPS | {"firewall": ""}, (Guarded(8000, ("10.0.0.9",)),)),
        ("app", HTTPS | {"backend_bind": "127.0.0.1"}, ()),
        ("app", HTTPS | {"firewall_allowed": "fd00::/64"}, (Guarded(8000, ("10.0.0.9", "fd00::/64")),)),
        ("app", {"public_url": "http://mc.example.com:3000"}, ()),
        # Whence a proxy of the operator's own comes, nobody knows who is not told.
        ("app", EXTERNAL, ()),
        ("app", FOREIGN, (Guarded(8000, ("10.1.0.0/16", "192.0.2.7")),)),
        ("app", FOREIGN | {"backend_bind": "::1"}, ()),
    ],
)
def test_what_is_for_the_door_alone(host: str, settings: dict[str, Any], found: tuple[Guarded, ...]) -> None:
    assert guarded(host, settings) == found


def test_where_the_door_is_on_the_same_host_nothing_listens_for_others() -> None:
    one = {"mission_control": ["app"], "mission_control_gateway": ["app"]}
    assert guarded("app", GATEWAY, one) == ()


def test_of_several_doors_the_one_here_needs_no_rule() -> None:
    groups = APART | {"mission_control_proxy": ["door", "ui"]}
    assert guarded("ui", HTTPS, groups) == (Guarded(3000, ("10.0.0.9",)),)
    assert guarded("app", HTTPS, groups) == (Guarded(8000, ("10.0.0.3", "10.0.0.9")),)


def test_who_is_known_by_a_name_only_stays_outside() -> None:
    found = front_door(HTTPS, APART, "app", {"door": "door.example.com"}).guarded
    assert found == (Guarded(8000, ()),)


def test_yaml_gets_plain_data() -> None:
    assert front_door(HTTPS, APART, "app", HOSTS).as_dict()["guarded"] == [
        {"port": 8000, "sources": ["10.0.0.9"]}
    ]


# --- what is loaded ---


def match(left: dict[str, Any], right: Any) -> dict[str, Any]:
    return {"match": {"op": "==", "left": left, "right": right}}


def port(number: int) -> dict[str, Any]:
    return match({"payload": {"protocol": "tcp", "field": "dport"}}, number)


def source(address: Any, protocol: str = "ip") -> dict[str, Any]:
    return match({"payload": {"protocol": protocol, "field": "saddr"}}, address)


def rule(*expressions: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "mission_control", "chain": "input", "expr": [*expressions]}}


ACCEPT: dict[str, Any] = {"accept": None}
DROP: dict[str, Any] = {"drop": None}
LOOPBACK = rule(match({"meta": {"key": "iif"}}, "lo"), ACCEPT)
TABLE = {"table": {"family": "inet", "name": "mission_control", "handle": 5}}
CHAIN = {"chain": {"name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}
# As nft 1.0.6 prints it.
LISTED: list[dict[str, Any]] = [
    {"metainfo": {"json_schema_version": 1}},
    TABLE,
    CHAIN,
    LOOPBACK,
    rule(port(8000), source("10.0.0.9"), ACCEPT),
    rule(port(8000), source({"prefix": {"addr": "10.1.0.0", "len": 24}}), ACCEPT),
    rule(port(8000), source("fd00::9", "ip6"), ACCEPT),
    rule(port(8000), DROP),
    rule(port(3000), DROP),
]


def test_the_table_of_the_kernel_is_read_back() -> None:
    assert loaded_firewall.read({"nftables": LISTED}) == [
        {"port": 3000, "sources": []},
        {"port": 8000, "sources": ["10.0.0.9", "10.1.0.0/24", "fd00::9"]},
    ]


@pytest.mark.parametrize(
    "changed",
    [
        [],
        # Nothing of it is in force.
        [{"table": {"name": "mission_control", "flags": "dormant"}}, *LISTED[2:]],
        [TABLE, {"chain": {"name": "input"}}, *LISTED[3:]],
        [TABLE, {"chain": {**CHAIN["chain"], "policy": "drop"}}, *LISTED[3:]],
        # Without the first rule the host does not reach itself.
        [*LISTED[1:3], *LISTED[4:]],
        # Let through before all others, or after the port has been closed, or nowhere closed.
        [*LISTED[1:4], rule(ACCEPT), *LISTED[4:]],
        [*LISTED[1:], rule(port(3000), ACCEPT)],
        [*LISTED[1:], rule(port(8000), source("10.0.0.8"), ACCEPT)],
        LISTED[1:-2],
        # More is asked than ours ask, or something else.
        [*LISTED[1:4], rule(port(8000), source({"set": ["10.0.0.9"]}), ACCEPT), *LISTED[4:]],
        [*LISTED[1:4], rule(port(8000), {"counter": None}, ACCEPT), *LISTED[4:]],
        [*LISTED[1:4], rule(match({"meta": {"key": "iif"}}, "eth0"), ACCEPT), *LISTED[4:]],
        [*LISTED[1:], rule(port(22), source("10.0.0.9"), DROP)],
    ],
)
def test_what_is_not_ours_comes_to_nothing(changed: list[dict[str, Any]]) -> None:
    assert loaded_firewall.read({"nftables": copy.deepcopy(changed)}) is None


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (Completed((), 0, json.dumps({"nftables": LISTED})), {"state": "loaded"}),
        (Completed((), 0, json.dumps({"nftables": [TABLE]})), {"state": "other", "ports": []}),
        (Completed((), 0, "not JSON"), {"state": "other", "ports": []}),
        (Completed((), 1, "", "No such file or directory"), {"state": "absent", "ports": []}),
        (HostError("nft is not installed", kind="no_such_command"), {"state": "absent", "refusal": ""}),
        (HostError("nft did not finish", kind="timeout"), {"refusal": "nft did not finish"}),
    ],
)
def test_what_a_look_says(
    answer: Completed | HostError, found: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(argv: Any, **_: Any) -> Completed:
        assert argv[0] == "/usr/sbin/nft"
        if isinstance(answer, HostError):
            raise answer
        return answer

    monkeypatch.setattr(loaded_firewall.netfilter, "ask", lambda: "")
    seen = loaded_firewall.look(run)
    assert found.items() <= seen.items() and set(seen) == {"state", "ports", "refusal"}


def test_a_kernel_without_nftables_is_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded_firewall.netfilter, "ask", lambda: "Operation not permitted")
    assert loaded_firewall.look()["refusal"] == "Operation not permitted"
