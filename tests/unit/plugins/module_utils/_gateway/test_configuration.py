# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import configuration
from hypothesis import given
from hypothesis import strategies as st

WANTED = {
    "gateway": {"mode": "local", "bind": "lan", "controlUi": {"allowedOrigins": ["http://a:3000"]}},
}
# What a gateway of 2026.4.2 wrote into its file when Mission Control provisioned an agent.
THEIRS = {
    "gateway": {"mode": "local", "controlUi": {"allowedOrigins": ["http://operator"], "root": "/x"}},
    "agents": {"list": [{"id": "main"}, {"id": "mc-gateway-1", "heartbeat": {"every": "10m"}}]},
    "meta": {"lastTouchedVersion": "2026.4.2"},
    "channels": {"defaults": {"heartbeat": {"showOk": False}}},
}


def test_what_others_put_there_stays() -> None:
    merged, changes = configuration.merge(THEIRS, WANTED, {})
    for key in ("agents", "meta", "channels"):
        assert merged[key] == THEIRS[key]
    assert merged["gateway"]["controlUi"]["root"] == "/x"
    assert merged["gateway"]["controlUi"]["allowedOrigins"] == ["http://operator", "http://a:3000"]
    assert [change.path for change in changes] == ["gateway.bind", "gateway.controlUi.allowedOrigins"]


def test_a_second_merge_changes_nothing() -> None:
    merged, _ = configuration.merge(THEIRS, WANTED, {})
    again, changes = configuration.merge(merged, WANTED, WANTED)
    assert (again, changes) == (merged, [])


def test_what_we_no_longer_want_is_taken_back() -> None:
    applied = {"gateway": {"tailscale": {"mode": "serve"}}, "logging": {"level": "debug"}}
    current = copy.deepcopy(applied)
    merged, changes = configuration.merge(current, {"gateway": {"mode": "local"}}, applied)
    assert merged == {"gateway": {"mode": "local"}}
    assert {change.path: change.after for change in changes} == {
        "gateway.mode": "local",
        "gateway.tailscale.mode": None,
        "logging.level": None,
    }


def test_what_somebody_changed_since_is_left_to_him() -> None:
    merged, _ = configuration.merge({"logging": {"level": "trace"}}, {}, {"logging": {"level": "debug"}})
    assert merged == {"logging": {"level": "trace"}}


def test_only_our_origins_are_taken_away() -> None:
    applied = {"gateway": {"controlUi": {"allowedOrigins": ["http://old"]}}}
    current = {"gateway": {"controlUi": {"allowedOrigins": ["http://operator", "http://old"]}}}
    merged, _ = configuration.merge(current, WANTED, applied)
    assert merged["gateway"]["controlUi"]["allowedOrigins"] == ["http://operator", "http://a:3000"]
    merged, _ = configuration.merge(current, {}, applied)
    assert merged["gateway"]["controlUi"]["allowedOrigins"] == ["http://operator"]
    merged, _ = configuration.merge(
        {"gateway": {"controlUi": {"allowedOrigins": ["http://old"]}}}, {}, applied
    )
    assert merged == {}


def test_proxies_of_others_stay_beside_ours() -> None:
    theirs = {"gateway": {"trustedProxies": ["10.0.0.9"]}}
    wanted = {"gateway": {"trustedProxies": ["127.0.0.1", "::1"]}}
    merged, changes = configuration.merge(theirs, wanted, {})
    assert merged["gateway"]["trustedProxies"] == ["10.0.0.9", "127.0.0.1", "::1"]
    assert [change.path for change in changes] == ["gateway.trustedProxies"]
    assert configuration.merge(merged, wanted, wanted)[1] == []
    # The door has moved to another host, and then is gone.
    moved, _ = configuration.merge(merged, {"gateway": {"trustedProxies": ["10.0.0.2"]}}, wanted)
    assert moved["gateway"]["trustedProxies"] == ["10.0.0.9", "10.0.0.2"]
    assert configuration.merge(merged, {}, wanted)[0] == theirs


def test_a_number_is_no_truth_value() -> None:
    merged, changes = configuration.merge({"a": True}, {"a": 1}, {})
    assert merged["a"] is not True and len(changes) == 1


def test_lists_are_replaced_as_a_whole() -> None:
    merged, _ = configuration.merge({"a": [1, 2]}, {"a": [3]}, {})
    assert merged == {"a": [3]}


KEYS = st.sampled_from(["a", "b", "c", "gateway"])
VALUES = st.one_of(
    st.booleans(), st.integers(0, 3), st.sampled_from(["x", "y"]), st.lists(st.integers(0, 2), max_size=2)
)
TREES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, st.one_of(VALUES, inner), max_size=3),
    max_leaves=8,
)


@given(current=TREES, wanted=TREES, applied=TREES)
def test_after_a_merge_every_wanted_value_stands_there_and_the_next_one_is_idle(
    current: dict[str, Any], wanted: dict[str, Any], applied: dict[str, Any]
) -> None:
    before = copy.deepcopy(current)
    merged, changes = configuration.merge(current, wanted, applied)
    assert current == before
    for path, value in configuration.leaves(wanted):
        found = configuration.get(merged, path)
        # A later value of the wanted tree cannot stand below an earlier one: a mapping has no value of its
        # own.
        assert found == value
    assert (merged != before) == bool(changes) or any(
        type(change.before) is not type(change.after) for change in changes
    )
    again, more = configuration.merge(merged, wanted, wanted)
    assert again == merged and not more


@pytest.mark.parametrize("text", ["", "  \n", "{}"])
def test_an_empty_file_is_an_empty_configuration(text: str) -> None:
    assert configuration.parse(text) == {}


def test_json5_is_left_to_its_own_parser() -> None:
    assert configuration.parse("{ gateway: { mode: 'local', }, } // mine") is None


def test_a_list_is_no_configuration() -> None:
    with pytest.raises(configuration.ConfigError) as caught:
        configuration.parse("[]")
    assert "openclaw.json.bak" in caught.value.remedy


def test_the_rendered_text_is_read_back_the_same() -> None:
    assert json.loads(configuration.render(THEIRS)) == THEIRS


def test_dangerous_flags_say_what_they_are() -> None:
    tree = {"gateway": {"controlUi": {"dangerouslyDisableDeviceAuth": True, "allowInsecureAuth": False}}}
    (flag,) = configuration.dangerous_flags(tree)
    assert flag.startswith("gateway.controlUi.dangerouslyDisableDeviceAuth: ") and "full control" in flag
    assert configuration.dangerous_flags(THEIRS) == []


def test_a_token_of_the_configuration_is_found_but_not_a_reference() -> None:
    assert configuration.configured_token({"gateway": {"auth": {"token": "abc"}}}) == "abc"
    assert configuration.configured_token({"gateway": {"auth": {}}}) == ""
    for reference in ("${GATEWAY_TOKEN}", {"source": "env", "id": "X"}):
        with pytest.raises(configuration.ConfigError):
            configuration.configured_token({"gateway": {"auth": {"token": reference}}})
