# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names, subnets and numbers: several runs on one machine never meet."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_hosts import network
from sandbox_hosts.common import Run, SandboxError, find_run


def a_run(state: str) -> Run:
    return Run(label="x", state=Path(state), cache=Path("/cache"))


def test_checkouts_side_by_side_are_different_runs(tmp_path: Path) -> None:
    first, second = find_run(tmp_path / "a", {}), find_run(tmp_path / "b", {})
    assert first.state.is_relative_to(tmp_path / "a" / ".cache" / "sandbox")
    assert first.label != second.label
    assert first.ident != second.ident
    assert first.owner != second.owner
    assert first == find_run(tmp_path / "a", {})


def test_the_environment_names_another_run_of_the_same_checkout(tmp_path: Path) -> None:
    plain, named = find_run(tmp_path, {}), find_run(tmp_path, {"SANDBOX_RUN": "trial"})
    assert named.state == tmp_path / ".cache" / "sandbox" / "trial"
    assert named.ident != plain.ident


def test_the_environment_moves_state_and_cache(tmp_path: Path) -> None:
    run = find_run(
        tmp_path, {"SANDBOX_STATE": "/srv/state", "SANDBOX_CACHE": "/srv/cache", "SANDBOX_RUN": "r"}
    )
    assert (run.state, run.cache) == (Path("/srv/state/r"), Path("/srv/cache"))


@pytest.mark.parametrize(
    "name", ["", "Web", "web_1", "-web", "web-", "web.example", "../web", "w" * 41, "web\n"]
)
def test_a_bad_name_is_refused_and_named(name: str, tmp_path: Path) -> None:
    if name:
        with pytest.raises(SandboxError, match=r"SANDBOX_RUN .*lower-case letters"):
            find_run(tmp_path, {"SANDBOX_RUN": name})
    else:
        assert find_run(tmp_path, {"SANDBOX_RUN": name}) == find_run(tmp_path, {})


@given(state=st.text(min_size=1, max_size=300), index=st.integers(network.FIRST_HOST, network.LAST_HOST))
def test_interfaces_have_at_most_15_characters(state: str, index: int) -> None:
    run = a_run("/" + state.replace("\0", ""))
    for others in ({}, {f"mcs-{run.ident}{suffix}": "somebody else" for suffix in ("", *"bcdefg")}):
        bridge = network.choose_bridge(run.ident, run.owner, others)
        net = network.Network(bridge=bridge, subnet="10.213.7.0/24", mtu=1500)
        assert len(bridge) <= 15
        assert len(net.interface(index)) <= 15
        assert len(net.chain) <= 28
    assert len(run.owner) <= 255


def test_a_bridge_of_another_run_is_left_alone() -> None:
    assert network.choose_bridge("abcdef", "me", {}) == "mcs-abcdef"
    assert network.choose_bridge("abcdef", "me", {"mcs-abcdef": "me"}) == "mcs-abcdef"
    assert network.choose_bridge("abcdef", "me", {"mcs-abcdef": "another"}) == "mcs-abcdefb"
    assert network.choose_bridge("abcdef", "me", {"mcs-abcdef": ""}) == "mcs-abcdefb"


def test_a_taken_subnet_is_passed_over() -> None:
    free = network.choose_subnet("000005", [])
    assert free == IPv4Network("10.213.5.0/24")
    assert network.choose_subnet("000005", [IPv4Network("10.213.5.7/32")]) == IPv4Network("10.213.6.0/24")
    assert network.choose_subnet("0000ff", [IPv4Network("10.213.255.0/24")]) == IPv4Network("10.213.0.0/24")
    assert network.choose_subnet("000005", [IPv4Network("10.213.0.0/17")]) == IPv4Network("10.213.128.0/24")


def test_a_run_keeps_its_subnet_while_that_is_free() -> None:
    assert network.choose_subnet("000005", [], "10.213.9.0/24") == IPv4Network("10.213.9.0/24")
    taken = [IPv4Network("10.213.9.0/24")]
    assert network.choose_subnet("000005", taken, "10.213.9.0/24") == IPv4Network("10.213.5.0/24")


def test_no_subnet_left_is_said() -> None:
    with pytest.raises(SandboxError, match=r"10\.213\.0\.0/16 is in use"):
        network.choose_subnet("000005", [IPv4Network("10.0.0.0/8")])


def test_host_numbers_are_reused_and_limited() -> None:
    assert network.choose_index([]) == 2
    assert network.choose_index([2, 4]) == 3
    with pytest.raises(SandboxError, match="253 hosts"):
        network.choose_index(range(2, 255))


def test_rules_let_hosts_out_but_not_the_isolated_ones() -> None:
    net = network.Network(bridge="mcs-abcdef", subnet="10.213.7.0/24", mtu=1500)
    rules = network.chain_rules(net, [net.address(9)])
    reject = rules.index("-s 10.213.7.9 -j REJECT")
    assert reject < rules.index("-i mcs-abcdef -j ACCEPT")
    assert not [rule for rule in network.chain_rules(net, []) if "REJECT" in rule]
