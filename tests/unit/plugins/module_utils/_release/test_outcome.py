"""What became of a release, where a rollback leads, and what is pruned because of it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import choice as _choice
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import (
    outcome,
    pruning,
    records,
)


def name(number: int) -> str:
    return f"{number:012x}-{number:08x}"


def add(layout: Layout, number: int, state: str = "", **values: Any) -> str:
    path = layout.release(name(number))
    path.mkdir(parents=True)
    told = {"id": name(number), "created": f"2026-01-01T00:00:{number:02}Z", **values}
    if state:
        told["outcome"] = {"state": state, "reason": "health" if state == "failed" else ""}
    (path / "release.json").write_text(json.dumps(told))
    return name(number)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def chosen(layout: Layout, wanted: str = "") -> str:
    current = layout.current_release
    found: str = _choice.choose(records.complete_releases(layout), current, wanted)
    return found


def test_a_rollback_leads_to_the_verified_release_that_served_last(layout: Layout) -> None:
    add(layout, 1, "verified", activated="2026-02-03T00:00:00Z")
    add(layout, 2, "verified", activated="2026-02-01T00:00:00Z")
    add(layout, 3, "failed", activated="2026-02-04T00:00:00Z")
    add(layout, 4, "left", activated="2026-02-05T00:00:00Z")
    add(layout, 5, "verified", activated="2026-02-06T00:00:00Z")
    layout.current.symlink_to(f"releases/{name(5)}")
    assert chosen(layout) == name(1)


def test_one_that_nobody_verified_is_the_second_choice_if_it_served(layout: Layout) -> None:
    add(layout, 1, activated="2026-02-01T00:00:00Z")
    add(layout, 2)
    add(layout, 3, "verified")
    layout.current.symlink_to(f"releases/{name(3)}")
    assert chosen(layout) == name(1)


def test_without_an_earlier_release_the_message_lists_what_there_is(layout: Layout) -> None:
    add(layout, 1, "failed")
    add(layout, 2, "verified")
    layout.current.symlink_to(f"releases/{name(2)}")
    with pytest.raises(DeploymentError) as told:
        chosen(layout)
    assert f"{name(1)} (failed), {name(2)} (current, verified)" in told.value.message


def test_a_name_or_its_start_is_enough(layout: Layout) -> None:
    add(layout, 1, "left")
    add(layout, 2, "verified")
    assert chosen(layout, name(1)) == name(1)
    assert chosen(layout, name(2)[:12]) == name(2)


@pytest.mark.parametrize("wanted", ["nonsense", "000000", name(9), "../x"])
def test_an_unknown_name_is_told_with_the_known_ones(layout: Layout, wanted: str) -> None:
    add(layout, 1, "verified")
    with pytest.raises(DeploymentError) as told:
        chosen(layout, wanted)
    assert told.value.kind == "no_release" and wanted in told.value.message and name(1) in told.value.message


def test_nothing_goes_back_to_a_failed_release(layout: Layout) -> None:
    add(layout, 1, "failed")
    with pytest.raises(DeploymentError) as told:
        chosen(layout, name(1))
    assert told.value.kind == "failed_release" and "health" in told.value.message


def test_what_serves_again_when_a_release_fails(layout: Layout) -> None:
    add(layout, 1, "verified")
    add(layout, 2)
    add(layout, 3)
    add(layout, 4, "failed")
    releases = records.complete_releases(layout)
    assert _choice.fallback_from(releases, name(3), name(2)) == name(2)
    assert _choice.fallback_from(releases, name(3), name(3)) == name(1)
    assert _choice.fallback_from(releases, name(3), name(4)) == name(1)
    assert _choice.fallback_from(releases, name(3), None) == name(1)


BACKEND = ["backend", "worker"]
ALL = [*BACKEND, "frontend"]


def choice(layout: Layout, wanted: str = "", needed: Collection[str] = ALL) -> str:
    releases = records.complete_releases(layout)
    found: str = _choice.choose(releases, layout.current_release, wanted, needed)
    return found


def test_a_rollback_does_not_lead_to_a_release_that_lacks_what_runs_here(layout: Layout) -> None:
    add(layout, 1, "verified", components=ALL)
    add(layout, 2, "verified", components=BACKEND)
    add(layout, 3, "verified", components=ALL)
    layout.current.symlink_to(f"releases/{name(3)}")
    assert choice(layout) == name(1)
    assert choice(layout, needed=BACKEND) == choice(layout, needed=()) == name(2)


@pytest.mark.parametrize("wanted", [name(2), name(2)[:12], ""])
def test_a_release_that_lacks_what_runs_here_is_refused(layout: Layout, wanted: str) -> None:
    add(layout, 2, "verified", components=BACKEND, revision="abc")
    add(layout, 3, "verified", components=ALL)
    layout.current.symlink_to(f"releases/{name(3)}")
    with pytest.raises(DeploymentError) as told:
        choice(layout, wanted)
    assert told.value.kind == "incomplete_release"
    assert f"release: {name(2)} has no frontend" in told.value.message
    assert "Nothing was changed" in told.value.message
    assert f"{name(2)} (verified, without frontend)" in told.value.message
    for words in ("(mission_control_revision: abc)", "group mission_control_frontend"):
        assert words in told.value.remedy


def test_of_several_that_a_name_fits_one_with_all_parts_is_taken(layout: Layout) -> None:
    for number, components in ((1, ALL), (2, BACKEND)):
        other = add(layout, number, "verified", components=components)
        path = layout.release(f"{'a' * 12}-{number:08x}")
        layout.release(other).rename(path)
        told = json.loads((path / "release.json").read_text()) | {"id": path.name}
        (path / "release.json").write_text(json.dumps(told))
    assert choice(layout, "a" * 12) == f"{'a' * 12}-{1:08x}"


def test_the_database_of_the_current_release_can_be_taken_back_whatever_it_lacks(layout: Layout) -> None:
    add(layout, 1, "verified", components=BACKEND)
    layout.current.symlink_to(f"releases/{name(1)}")
    assert choice(layout, name(1)) == name(1)


def test_after_a_failure_a_release_with_all_parts_is_better_than_one_without(layout: Layout) -> None:
    add(layout, 1, "verified", components=ALL)
    add(layout, 2, "verified", components=BACKEND)
    add(layout, 3, components=ALL)
    releases = records.complete_releases(layout)
    assert _choice.fallback_from(releases, name(3), None, ALL) == name(1)
    # What served before serves again, and anything is better than nothing.
    assert _choice.fallback_from(releases, name(3), name(2), ALL) == name(2)
    del releases[name(1)]
    assert _choice.fallback_from(releases, name(3), None, ALL) == name(2)


def test_a_release_that_does_not_tell_its_parts_lacks_none() -> None:
    assert _choice.lacking({}, ALL) == []
    assert _choice.lacking({"components": ["backend"]}, ALL) == ["worker", "frontend"]


def test_marks_are_written_once_and_failure_stays(layout: Layout) -> None:
    add(layout, 1)
    assert outcome.mark(layout, name(1), "verified", "me", "")
    assert not outcome.mark(layout, name(1), "verified", "me", "")
    assert outcome.mark(layout, name(1), "failed", "me", "health")
    assert not outcome.mark(layout, name(1), "left", "me", "rolled back")
    told = records.complete_releases(layout)[name(1)]
    assert told["outcome"]["state"] == "failed" and told["outcome"]["by"] == "me"
    assert outcome.mark(layout, name(1), "verified", "me", "")


def test_the_units_of_a_verified_release_are_kept_with_it(layout: Layout) -> None:
    add(layout, 1)
    units = [{"name": "mission-control-backend.service", "content": "[Unit]\n"}]
    assert outcome.recorded_units(layout, name(1)) == []
    assert outcome.record_units(layout, name(1), units)
    assert not outcome.record_units(layout, name(1), units)
    assert outcome.recorded_units(layout, name(1)) == units


def test_failed_releases_do_not_count_when_old_ones_are_removed(layout: Layout) -> None:
    for number, state in ((1, "verified"), (2, "failed"), (3, "verified"), (4, "failed"), (5, "verified")):
        add(layout, number, state)
    layout.current.symlink_to(f"releases/{name(5)}")
    assert pruning.prune_plan(layout, 2, ()) == [name(1), name(2)]


def test_the_last_verified_release_stays(layout: Layout) -> None:
    add(layout, 1, "verified")
    for number in (2, 3, 4):
        add(layout, number)
    layout.current.symlink_to(f"releases/{name(4)}")
    assert pruning.prune_plan(layout, 1, ()) == [name(2), name(3)]


def test_an_uninstallation_keeps_the_data(layout: Layout) -> None:
    add(layout, 1)
    layout.current.symlink_to(f"releases/{name(1)}")
    (layout.root / "backend").symlink_to("current/backend")
    (layout.root / "notes").write_text("the operator's own")
    for part in ("identity", "backups", "python", "log"):
        (layout.shared / part).mkdir(parents=True)
    found = {path.name for path in pruning.everything(layout, data=False)}
    assert found == {"current", "backend", "releases", "python", "log"}
    assert {path.name for path in pruning.everything(layout, data=True)} == found | {"identity", "backups"}
