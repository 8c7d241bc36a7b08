"""The filters of the roles verify, command and gateway as Ansible calls them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter import boards, verification

FILTERS = {**verification.FilterModule().filters(), **boards.FilterModule().filters()}


def test_filters_hand_over_what_the_roles_give_them() -> None:
    assert FILTERS["host_checks"]([]) == ["service", "log", "host", "backup"]
    assert FILTERS["check_options"]({"log": {"units": []}}, {}, ["log"]) == {"log": {"units": []}}
    listening = {"backend_bind": "::", "backend_port": 1, "alone": False}
    assert FILTERS["listening_ports"](listening, ["backend"])[0]["bind"] == "::"
    assert FILTERS["redis_users"]({"user": "monitor on >password ~* +info"}) == ["default", "monitor"]
    assert FILTERS["redis_users"]({"maxmemory": "1gb"}) == FILTERS["redis_users"]({"user": ""}) == ["default"]
    assert FILTERS["board_plan"]([], [{"name": "main"}])["first"] == "main"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("host_checks", ("backend",)),
        ("listening_ports", ([], [])),
        ("listening_ports", ({}, "backend")),
        ("check_options", ({}, None, [])),
        ("redis_users", (["default"],)),
        ("board_plan", ([], {})),
    ],
)
def test_what_is_of_another_kind_is_refused(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{name} expects"):
        FILTERS[name](*arguments)
