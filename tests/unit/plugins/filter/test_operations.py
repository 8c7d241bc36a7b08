"""Filters and tests of the daily commands as Ansible sees them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.operations import FilterModule
from ansible_collections.openclaw.mission_control.plugins.test import operations as tests_of_ansible

FILTERS = FilterModule().filters()
TESTS = tests_of_ansible.TestModule().tests()
RECORD = {
    "epoch": 1.0,
    "service": "s",
    "level": "info",
    "logger": "",
    "message": "m",
    "source": "text",
    "fields": {},
}


def test_filters() -> None:
    assert FILTERS["status_table"]({"a": {"unreachable": True}}).splitlines()[-1].split() == [
        "a",
        "unreachable",
    ]
    merged = FILTERS["merge_logs"]({"a": {"entries": [RECORD]}}, lines=5)
    assert merged == [{"host": "a", **RECORD}]
    assert FILTERS["log_list"](merged).endswith("INFO      m")
    assert FILTERS["log_json_lines"](merged).count("\n") == 1
    assert "restart" in FILTERS["actions_table"](
        {"a": {"actions": [{"service": "worker", "action": "restart", "reason": "r"}]}}
    )


def test_filters_of_settings_and_plans() -> None:
    (problem,) = FILTERS["settings_problems"]({"lines": 0}, {"lines": 5})
    assert problem == 'lines: "0" is not a number from 1 to 5.'
    assert FILTERS["settings_problems"]({"service": "all"}) == []
    assert FILTERS["plan_obstacles"]({"a": {"actions": []}}) == []
    state = {"root": "/r", "user": "u", "data": True, "database": True, "kept": "", "gateway_user": ""}
    assert FILTERS["left_behind"](state) == ["Redis", "the user u", "packages"]
    state |= {"gateway_user": "g", "data": False}
    assert FILTERS["left_behind"](state)[-2:] == ["the gateway's data of the user g", "the user g"]
    assert FILTERS["left_behind"](state | {"gateway_user": "u"})[-1] == "the gateway's data of the user u"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("settings_problems", [], "expects settings"),
        ("settings_problems", {"colour": "red"}, "knows no setting colour"),
        ("left_behind", [], "expects a dictionary"),
    ],
)
def test_filters_refuse_what_they_do_not_know(name: str, value: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        FILTERS[name](value)


@pytest.mark.parametrize("name", ["status_table", "actions_table", "merge_logs", "plan_obstacles"])
@pytest.mark.parametrize("value", [[], "text", {"a": "text"}, None])
def test_filters_refuse_what_is_no_result_by_host(name: str, value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{name} expects"):
        FILTERS[name](value)


@pytest.mark.parametrize("name", ["log_list", "log_json_lines"])
@pytest.mark.parametrize("value", ["text", {"a": 1}, None])
def test_filters_refuse_what_is_no_list(name: str, value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{name} expects"):
        FILTERS[name](value)


@pytest.mark.parametrize(
    ("value", "good"), [("10m", True), ("2026-01-31 10:00", True), ("soon", False), ("", False)]
)
def test_moment_in_time(value: str, good: bool) -> None:
    assert TESTS["moment_in_time"](value) is good


@pytest.mark.parametrize(("value", "good"), [("a.*b", True), ("", True), ("(", False)])
def test_regular_expression(value: str, good: bool) -> None:
    assert TESTS["regular_expression"](value) is good
