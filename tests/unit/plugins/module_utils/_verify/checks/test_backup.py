"""The check backup: pure judgements of what root has seen."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.record_stamps import utc_stamp
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import find_causes
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import backup
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.backup import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from checks_support import NOW, make_context, options_of

HOUR, DAY = 3600.0, 86400.0


def run(ago: float, **more: Any) -> dict[str, Any]:
    return {"at": utc_stamp(NOW - ago), **more}


def standing(**changes: Any) -> dict[str, Any]:
    state = {
        "attempt": run(HOUR),
        "success": run(HOUR, name="20260101T000000Z", size=1 << 20),
        "check": run(DAY),
        "drill": run(DAY),
        **changes.pop("state", {}),
    }
    return {
        "set_up": NOW - 60 * DAY,
        "repository": "sftp:backup@store:/srv",
        "leaves_the_host": True,
        "state": {name: value for name, value in state.items() if value is not None},
        "problem": None,
        "locks": [],
        "free": None,
        **changes,
    }


def judged(found: dict[str, Any], **options: Any) -> Verdict:
    return backup.judge(found, options_of("backup", **options), NOW)


def findings(verdict: Verdict) -> dict[str, tuple[str, str]]:
    return {path: (leaf.state, leaf.kind) for path, leaf in verdict.leaves() if not leaf.healthy}


FAILED = {"msg": "Writing failed.", "kind": "no_space", "remedy": "Make room."}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {}),
        ({"set_up": None}, {"backup": ("warn", "backup_off")}),
        ({"leaves_the_host": False}, {"backup.place": ("warn", "backup_on_the_host")}),
        ({"state": {"success": run(2 * DAY)}}, {"backup.last": ("warn", "backup_old")}),
        ({"state": {"success": run(4 * DAY)}}, {"backup.last": ("fail", "backup_old")}),
        ({"state": {"success": None}}, {"backup.last": ("fail", "backup_old")}),
        ({"state": {"check": run(20 * DAY)}}, {"backup.checked": ("warn", "backup_unchecked")}),
        ({"state": {"drill": run(50 * DAY)}}, {"backup.drilled": ("fail", "backup_unproved")}),
        ({"state": {"attempt": run(HOUR, error=FAILED)}}, {"backup.run": ("fail", "backup_failed")}),
        ({"state": {"drill_attempt": run(HOUR, error=FAILED)}}, {"backup.drill": ("fail", "drill_failed")}),
        ({"state": {"check_attempt": run(HOUR, error=FAILED)}}, {"backup.check": ("fail", "check_failed")}),
        (
            {"problem": {"kind": "wrong_password", "cause": "c", "remedy": "r"}},
            {"backup.repository": ("fail", "wrong_password")},
        ),
        (
            {"locks": [{"host": "mc1", "time": NOW - 60, "dead": True}]},
            {"backup.lock": ("warn", "backup_lock")},
        ),
        (
            {"locks": [{"host": "mc2", "time": NOW - HOUR, "dead": False}]},
            {"backup.lock": ("warn", "backup_lock")},
        ),
        ({"locks": [{"host": "mc2", "time": NOW - 60, "dead": False}]}, {}),
        (
            {"state": {"newest": {"name": "p", "moment": NOW + DAY}}},
            {"backup.clock": ("warn", "backup_clock")},
        ),
        ({"state": {"newest": {"name": "p", "moment": NOW + 60}}}, {}),
        ({"state": {"sizes": [10, 11, 10, 90]}}, {"backup.growth": ("warn", "backup_growth")}),
        ({"state": {"sizes": [10, 11, 10, 2]}}, {"backup.growth": ("warn", "backup_growth")}),
        ({"state": {"sizes": [10, 11, 10, 14]}}, {}),
        ({"state": {"sizes": [10, 90]}}, {}),
        ({"wal": {"archived": int(NOW) - 60, "failed": int(NOW) - 600}}, {}),
        ({"wal": {"archived": None, "failed": None}}, {}),
        ({"wal": {"problem": "No server."}}, {}),
        (
            {"wal": {"archived": int(NOW) - 600, "failed": int(NOW) - 60}},
            {"backup.archive": ("fail", "wal_not_archived")},
        ),
        (
            {"state": {"wal_attempt": run(HOUR, error=FAILED)}},
            {"backup.server files": ("fail", "wal_backup_failed")},
        ),
        ({"free": 1 << 20}, {"backup.room": ("warn", "backup_no_room")}),
        ({"free": 1 << 30}, {}),
    ],
)
def test_what_is_found(changes: dict[str, Any], found: dict[str, tuple[str, str]]) -> None:
    verdict = judged(standing(**changes))
    assert findings(verdict) == found
    for _path, leaf in verdict.leaves():
        assert leaf.healthy or (leaf.cause and leaf.remedy and leaf.summary)


def test_a_repository_on_the_host_may_be_accepted() -> None:
    assert judged(standing(leaves_the_host=False), on_the_host=True).state == "pass"


def test_what_was_set_up_a_moment_ago_has_none_yet() -> None:
    fresh = standing(set_up=NOW - HOUR, state=dict.fromkeys(("attempt", "success", "check", "drill")))
    verdict = judged(fresh)
    assert verdict.healthy and "no restore point yet" in verdict.summary
    assert {leaf.state for path, leaf in verdict.leaves() if path.endswith(("last", "drilled"))} == {"skip"}


def test_the_reason_and_the_cure_of_a_failed_run_are_told() -> None:
    verdict = judged(standing(state={"attempt": run(HOUR, error=FAILED)}))
    part = next(leaf for path, leaf in verdict.leaves() if path == "backup.run")
    assert "Writing failed." in part.cause and part.remedy == "Make room."
    assert part.evidence == {"kind": "no_space"}


def test_a_repository_that_does_not_open_explains_the_rest() -> None:
    verdict = judged(
        standing(
            problem={"kind": "unreachable", "cause": "c", "remedy": "r"},
            state={"attempt": run(HOUR, error=FAILED), "success": run(9 * DAY)},
        )
    )
    find_causes([verdict], ROWS)
    causes = {path: leaf.consequence_of for path, leaf in verdict.leaves() if not leaf.healthy}
    assert causes == {
        "backup.repository": "",
        "backup.run": "backup.repository",
        "backup.last": "backup.repository",
    }


def test_who_is_not_root_is_no_less_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's user verifies too, and sees nothing of backups."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    verdict = backup.run(make_context(), options_of("backup"))
    assert verdict.state == "skip" and "only root" in verdict.summary and verdict.healthy
