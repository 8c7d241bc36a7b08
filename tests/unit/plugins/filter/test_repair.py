"""What the playbook repair.yml works out on the controller."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.repair import (
    repair_deploys,
    repair_revision,
    repair_sentence,
)

LEFT = {"check": "queue.writes", "summary": "Redis is full.", "remedy": "Give it more."}
STEP = {"check": "service.worker.active", "kind": "unit_stopped", "action": "start worker", "problem": ""}


def test_what_was_done_and_what_is_left() -> None:
    assert repair_sentence({}) == "nothing to repair"
    told = repair_sentence({"steps": [STEP, {**STEP, "problem": "No."}], "left": [LEFT]})
    assert told.splitlines() == [
        "did: start worker, for service.worker.active (unit_stopped)",
        "  did: start worker, for service.worker.active (unit_stopped). It did not work: No.",
        "  left: queue.writes: Redis is full. Give it more.",
    ]
    assert repair_sentence({"steps": [STEP], "left": [{**LEFT, "check": STEP["check"]}]}, True) == (
        "would: start worker, for service.worker.active (unit_stopped)"
    )


@pytest.mark.parametrize(
    ("actions", "expected"), [([], False), (["", "start"], False), (["start", "deploy"], True)]
)
def test_deploying_is_asked_for_by_a_root_cause(actions: list[str], expected: bool) -> None:
    roots = [{"cure": {"by": "deploy", "action": action, "target": ""}} for action in actions]
    assert repair_deploys([{"root_causes": roots}, {"skipped": True}]) is expected


def test_the_revision_is_that_of_git() -> None:
    serving: dict[str, Any] = {"current": True, "revision": "abc", "source": {"kind": "git"}}
    two = {"releases": [{"current": False, "revision": "old"}, serving]}
    assert repair_revision(two, ["old", "abc"]) == "abc"
    assert repair_revision({"releases": [{**serving, "source": {"kind": "directory"}}]}, []) == ""
    assert repair_revision({"skipped": True}, []) == ""


def test_a_revision_that_nobody_has_deployed_is_not_deployed_by_a_repair() -> None:
    """The record of a release is its user's, who would have root deploy what he likes of the same source."""
    forged = {"releases": [{"current": True, "revision": "evil", "source": {"kind": "git"}}]}
    for kind in ("git", "directory"):
        forged["releases"][0]["source"]["kind"] = kind
        with pytest.raises(AnsibleFilterError, match="of revision evil, which was not deployed on this host"):
            repair_revision(forged, ["old", "abc"])


def test_other_values_are_refused() -> None:
    for wrong in (
        lambda: repair_sentence([]),
        lambda: repair_deploys("text"),
        lambda: repair_revision(1, []),
        lambda: repair_revision({}, "abc"),
    ):
        with pytest.raises(AnsibleFilterError):
            wrong()
