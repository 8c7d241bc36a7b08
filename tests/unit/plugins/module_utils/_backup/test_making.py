"""Restore points in a stand-in's repository: what fails in the middle leaves none that looks good."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import (
    configuration,
    making,
    points,
    restic,
    restoring,
    trees,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from backup_world import SECRET, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_point_has_its_parts_and_its_manifest(world: World) -> None:
    answer = world.make()
    assert answer["repository_made"] and answer["name"] == "20260921T141320Z" and answer["warning"] == ""
    (point,) = world.points()
    assert point.complete and point.purpose == "asked-for"
    manifest = points.read_manifest(world.restic, point)
    assert (manifest["release"], manifest["record"]["revision"]) == ("one", "r1")
    assert manifest["parts"]["settings"]["files"] == 3
    assert world.state["success"]["name"] == answer["name"] and "error" not in world.state["attempt"]


def test_no_secret_is_an_argument(world: World) -> None:
    world.make()
    called = (world.place / "called").read_text()
    assert "backup --json" in called and SECRET not in called and "t0ken" not in called


def test_what_fails_in_the_middle_leaves_no_snapshot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_trees: Any, descriptor: int, _temporary: Path) -> dict[str, Any]:
        os.write(descriptor, b"half of it")
        raise DeploymentError("pg_dump ended with status 1", kind="dump_failed")

    monkeypatch.setattr(trees, "write_trees", broken)
    with pytest.raises(DeploymentError, match="status 1"):
        world.make()
    assert world.points() == []
    assert world.state["attempt"]["error"]["kind"] == "dump_failed" and "success" not in world.state


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        ("1 Fatal: write /r/data/x: no space left on device", "no_space"),
        ("1 Fatal: dial tcp 10.0.0.1:9000: connect: connection refused", "unreachable"),
        ("1 Host key verification failed.", "unknown_host_key"),
        ("11 unable to create lock in backend", "repository_locked"),
        ("12 whatever", "wrong_password"),
        ("1 Fatal: ciphertext verification failed", "damaged"),
        ("1 Fatal: config cannot be loaded: unsupported repository version 3", "newer_format"),
        ("1 Fatal: unable to open config file: unexpected HTTP response (401): 401 Unauthorized", "no_login"),
        ("1 Fatal: The Access Key Id you provided does not exist", "no_credentials"),
    ],
)
def test_what_restic_says_is_told_in_words(world: World, fail: str, kind: str) -> None:
    world.make()
    (world.place / "repository/fail").write_text(fail)
    with pytest.raises(restic.ResticError) as told:
        world.make(1_790_000_100.0)
    assert told.value.kind == kind and told.value.remedy and str(world.place) in told.value.message
    assert world.state["attempt"]["error"]["kind"] == kind
    (world.place / "repository/fail").unlink()
    world.make(1_790_000_200.0)
    assert "error" not in world.state["attempt"] and len(world.points()) == 2


def test_a_repository_that_is_gone_is_not_made_again(world: World) -> None:
    world.make()
    (world.place / "repository").rename(world.place / "elsewhere")
    with pytest.raises(restic.ResticError, match="is gone") as told:
        world.make(1_790_000_100.0)
    assert told.value.kind == "repository_gone" and not (world.place / "repository").exists()


def switch(world: World, release: str) -> None:
    (world.root / "current").unlink()
    (world.root / "current").symlink_to(f"releases/{release}")


def test_what_a_switch_has_spoilt_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trees.write_trees
    releases = iter(["two"])
    shutil.copytree(world.root / "releases/one", world.root / "releases/two")
    moments = itertools.count(1_790_000_000, 100)

    def switching(*arguments: Any) -> dict[str, Any]:
        for release in releases:
            switch(world, release)
        return whole(*arguments)

    monkeypatch.setattr(trees, "write_trees", switching)
    made = making.make(world.configuration, world.restic, now=lambda: float(next(moments)))
    (point,) = world.points()
    assert point.complete and point.name == made["name"]
    manifest = points.read_manifest(world.restic, point)
    assert manifest["release"] == made["release"] == "two"
    assert "error" not in world.state["attempt"]


def test_switches_without_end_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trees.write_trees
    numbers = itertools.count()

    def switching(*arguments: Any) -> dict[str, Any]:
        switch(world, f"r{next(numbers)}")
        return whole(*arguments)

    monkeypatch.setattr(trees, "write_trees", switching)
    with pytest.raises(DeploymentError, match="has switched from r1 to r2"):
        world.make()
    assert not any(point.complete for point in world.points())
    assert world.state["attempt"]["error"]["kind"] == "changed_meanwhile"


def test_the_next_run_removes_what_a_failed_one_left(world: World) -> None:
    world.make()
    tags = points.tags_of(world.configuration, "20260921T141400Z", "settings")
    world.restic.save("settings.tar", tags, "2026-09-21 14:14:00", lambda pipe: os.write(pipe, b"x"))
    assert [point.complete for point in world.points()] == [False, True]
    world.make(1_790_000_200.0)
    assert [point.complete for point in world.points()] == [True, True]


def test_a_safety_backup_pushes_nothing_out(world: World) -> None:
    world.make()
    before = (world.place / "called").read_text()
    world.make(1_790_000_100.0, purpose="before a restoration")
    assert "forget" not in (world.place / "called").read_text().removeprefix(before)


def test_other_hosts_and_environments_are_not_seen(world: World) -> None:
    world.make()
    for change in ({"host": "mc2"}, {"environment": "other"}):
        other = configuration.Configuration(**{**vars(world.configuration), **change})
        assert points.list_points(restic.Restic(other, program=str(world.place / "bin/restic"))) == []


def options(**given: Any) -> dict[str, Any]:
    return {"snapshot": "", "time": "", "parts": [], "file": "", **given}


def test_settings_come_back_and_go_back(world: World) -> None:
    world.make()
    identity = world.root / "shared/identity/device.json"
    identity.write_text("device two")
    check = restoring.restore(world.configuration, world.restic, options(), check=True)
    assert check["parts"] == ["settings"] and identity.read_text() == "device two"
    restoring.restore(world.configuration, world.restic, options(), check=False)
    assert identity.read_text() == "device one"
    assert restoring.give_back(world.configuration) == {"changed": True, "returned": ["settings"]}
    assert identity.read_text() == "device two"
    assert restoring.give_back(world.configuration)["changed"] is False


def test_one_file_comes_back(world: World) -> None:
    world.make()
    identity = world.root / "shared/identity/device.json"
    identity.write_text("device two")
    answer = restoring.restore(world.configuration, world.restic, options(file=str(identity)), check=False)
    assert identity.read_text() == "device one"
    assert [Path(path).read_text() for path in answer["files"]] == ["device one", "device two"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (lambda world: {"file": "/etc/passwd"}, "no_such_file"),
        (lambda world: {"file": str(world.root / "shared/nothing")}, "no_such_file"),
        (lambda world: {"parts": ["database"]}, "no_such_part"),
    ],
)
def test_what_is_not_there_is_refused(
    world: World, given: Callable[[World], dict[str, Any]], kind: str
) -> None:
    world.make()
    with pytest.raises(DeploymentError) as told:
        restoring.restore(world.configuration, world.restic, options(**given(world)), check=False)
    assert told.value.kind == kind and told.value.remedy


def test_a_part_that_is_not_what_was_saved_is_refused(world: World) -> None:
    world.make()
    saved = world.points()[0].snapshots["settings"]
    data = world.place / "repository" / f"{saved}.data"
    data.write_bytes(data.read_bytes()[:-1] + b"x")
    identity = world.root / "shared/identity/device.json"
    identity.write_text("device two")
    with pytest.raises(restic.ResticError, match="not what was saved"):
        restoring.restore(world.configuration, world.restic, options(), check=False)
    assert identity.read_text() == "device two"


def test_a_run_that_fails_leaves_nothing_of_what_it_has_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a user who has each of them fail fills the repository's disk."""
    world.make()
    one, saved = world.points(), making._save_part

    def broken(restic_: Any, part: str, name: str, moment: str) -> Any:
        saved(restic_, part, name, moment)
        raise DeploymentError("the next part failed", kind="dump_failed")

    monkeypatch.setattr(making, "_save_part", broken)
    with pytest.raises(DeploymentError, match="next part"):
        world.make(1_790_000_100.0)
    assert (world.place / "called").read_text().endswith("prune --max-repack-size=0\n")
    assert world.points() == one


def test_a_repository_that_is_not_reached_is_not_asked_to_clean_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make()

    def lost(*_arguments: Any) -> Any:
        raise restic.ResticError("The repository cannot be reached.", kind="unreachable")

    monkeypatch.setattr(making, "_save_part", lost)
    with pytest.raises(restic.ResticError):
        world.make(1_790_000_100.0)
    assert "prune --max-repack-size=0" not in (world.place / "called").read_text()
