"""The table of releases."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter.releases import history_table, releases_table

RELEASE = {"created": "2026-01-01T00:00:00Z", "created_by": "me@here", "described": "v1"}


def test_newest_first_with_what_became_of_each() -> None:
    failed = {"state": "failed", "reason": "health"}
    text = releases_table(
        {
            "one": {
                "fallback": "a",
                "releases": [
                    {**RELEASE, "id": "a", "outcome": {"state": "verified"}},
                    {**RELEASE, "id": "b", "outcome": failed, "running": True},
                    {
                        **RELEASE,
                        "id": "c",
                        "current": True,
                        "running": True,
                        "activated": "2026-01-02T00:00:00Z",
                    },
                ],
            },
            "two": {"releases": [{**RELEASE, "id": "d"}]},
            "five": {"releases": []},
            "three": {"unreachable": True},
            "four": {"failed": True, "msg": "no such user"},
        }
    )
    lines = text.splitlines()[2:]
    assert [line.split()[1] for line in lines[:3]] == ["c", "b", "a"]
    assert "current, not verified" in lines[0] and "2026-01-0" in lines[0]
    assert "a process still runs from it, failed: health" in lines[1]
    assert "verified, a rollback leads here" in lines[2] and "me@here" in lines[2]
    assert "never served" in lines[3] and "has no release" in lines[4]
    assert "unreachable" in lines[5] and "no such user" in lines[6]


def test_other_values_are_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="dictionary"):
        releases_table(["a"])


def test_history_tells_what_happened_and_what_runs() -> None:
    line = {"started": "2026-01-01T00:00:00Z", "release": "a", "previous": "b", "by": "me@here", "seconds": 7}
    text = history_table(
        {
            "one": {
                "history": [
                    {**line, "result": "deployed", "from": "192.0.2.1"},
                    {**line, "result": "returned", "failed_checks": ["health", "queue"], "reason": "long"},
                    {**line, "result": "failed", "reason": "no room"},
                    {"result": "interrupted", "time": "2026-01-01T00:00:00Z", "rotated": ["token", "redis"]},
                ],
                "holder": "deploy by you",
            },
            "two": {"history": []},
            "three": {"unreachable": True},
            "four": {"failed": True, "msg": "no such user"},
        }
    )
    lines = text.splitlines()[2:]
    assert "deployed" in lines[0] and "me@here from 192.0.2.1" in lines[0] and lines[0].endswith("7 s")
    assert "the release of before serves again: health, queue" in lines[1]
    assert "FAILED: no room" in lines[2] and "INTERRUPTED (token, redis)" in lines[3]
    assert "running: deploy by you" in lines[4]
    assert "no history" in lines[5] and "unreachable" in lines[6] and "no such user" in lines[7]


def test_history_of_something_else_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="history_table expects"):
        history_table([])
