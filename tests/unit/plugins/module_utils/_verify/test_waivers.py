"""What an operator accepts as it is."""

from __future__ import annotations

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    Verdict,
    combine,
    waived_part,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.waivers import without


def test_waived_parts_are_taken_out_wherever_they_stand() -> None:
    tree = combine(
        "service",
        [combine("backend", [Verdict("active"), Verdict("reload", "warn", "changed")]), Verdict("linger")],
    )
    assert tree.state == "warn"
    fresh = without(tree, {"backend.reload"})
    assert fresh.state == "pass"
    assert [part.to_dict()["state"] for part in fresh.checks[0].checks] == ["pass", "skip"]
    assert fresh.checks[0].checks[1].kind == waived_part("reload").kind == "waived"
    assert without(tree, set()) is tree
