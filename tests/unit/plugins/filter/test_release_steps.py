"""The filters of a deployment's steps as Ansible calls them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.release_steps import FilterModule

FILTERS = FilterModule().filters()


def test_filters_hand_over_what_the_role_gives_them() -> None:
    assert FILTERS["release_units"]([{"name": "a", "part": "backend"}], {"backend": "f"}, ["b"]) == [
        {"name": "a", "restart_on": "f"},
        {"name": "b", "state": "absent"},
    ]
    release = {"id": "r2", "current": "r1", "fallback": "r1", "outcome": "new"}
    situation = {"action": "deploy", "release": release, "switched": True, "adopting": False}
    assert FILTERS["way_back"](situation) == "r1"
    failure = {"release": "r2", "current": "r1", "message": "No.", "verdicts": []}
    assert FILTERS["release_failure_reason"](failure) == "No."
    assert FILTERS["release_failure_text"](failure, {"action": "deploy", "target": "r1"}).endswith(
        "r1 serves again."
    )
    assert FILTERS["schema_problem"]({"relation": "same"}, "r1", "", "/mc") == ""
    assert FILTERS["schema_history"]({"keeps": True}) == {"way": "keep"}
    assert FILTERS["rollback_sentence"]("h", {"target": "r1", "restarted": []}, {}, True).startswith(
        "h: would go"
    )
    renewal = {"id": "r3", "renewed": ["LOCAL_AUTH_TOKEN"]}
    assert "r1 is not what" in FILTERS["renewal_sentence"]("h", "r1", renewal, True)
    assert FILTERS["environment_settings"]("# Secret: A\nA=1\n") == {"A": "1"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("release_units", ("text", {})),
        ("release_units", ([], [])),
        ("way_back", ([],)),
        ("release_failure_reason", ("text",)),
        ("release_failure_text", ({}, None)),
        ("schema_problem", (None, "r1", "", "/mc")),
        ("schema_history", ([],)),
        ("rollback_sentence", ("h", {}, "text")),
        ("renewal_sentence", ("h", "r1", "text")),
        ("environment_settings", ({},)),
    ],
)
def test_what_is_of_another_kind_is_refused(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{name} expects"):
        FILTERS[name](*arguments)
