"""The filters of a rotation as Ansible calls them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.rotation import FilterModule

FILTERS = FilterModule().filters()


def test_filters_hand_over_what_the_playbook_gives_them() -> None:
    assert "not a valid choice" in FILTERS["rotation_plan"]({"secret": "x"})["problem"]
    assert (
        FILTERS["rotation_sentence"]({"secrets": ["redis"], "left": {}}, {}, True) == "Would rotate: redis."
    )


@pytest.mark.parametrize(("name", "arguments"), [("rotation_plan", ("x",)), ("rotation_sentence", ({}, "x"))])
def test_what_is_of_another_kind_is_refused(name: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{name} expects"):
        FILTERS[name](*arguments)
