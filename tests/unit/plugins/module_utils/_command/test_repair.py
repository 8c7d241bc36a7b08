"""Repair: which actions there are, and in which order it looks, acts, waits and gives up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _cures
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import (
    repair,
    repair_actions,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.common import Configuration
from ansible_collections.openclaw.mission_control.plugins.module_utils._cures import Cure
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))
from docs.writer.kinds import kinds

START = _cures.start("mission-control-worker")


def cures() -> Iterator[Cure]:
    """All that findings can name."""
    for value in vars(_cures).values():
        if isinstance(value, Cure):
            yield value
    yield from (make("unit") for make in (_cures.restart, _cures.start, _cures.enable, _cures.unmask))
    yield from (_cures.reload("unit"), _cures.let_go(2), _cures.end([2, 3]))


def test_every_action_of_a_cure_can_be_done_and_no_other() -> None:
    named = {cure.action for cure in cures()} - {"", "deploy"}
    assert named == set(repair_actions.ACTIONS)


def test_a_remedy_that_begins_with_a_deployment_is_done_by_one() -> None:
    found = [item for item in kinds() if item.remedy.startswith(("Deploy again", "Deploy (playbook"))]
    assert len(found) > 15
    assert [item.kind for item in found if not item.by.startswith("deploy")] == []


def test_a_remedy_that_is_one_command_is_no_decision() -> None:
    words = ("systemctl ", "loginctl ", "chmod ", "kill ", "As root: ", "{restart}", "{start}")
    found = [item for item in kinds() if item.remedy.startswith(words) and "status" not in item.remedy]
    assert len(found) > 8
    assert [item.kind for item in found if item.by == "person"] == []


def root(check: str, cure: Cure, state: str = "fail") -> dict[str, Any]:
    return {
        "check": check,
        "kind": "unit_stopped",
        "state": state,
        "summary": "not running",
        "cause": "It was stopped.",
        "remedy": "Start it.",
        "cure": cure._asdict(),
        "consequences": ["queue.scheduled"],
    }


def report(*roots: dict[str, Any]) -> dict[str, Any]:
    return {"state": roots[0]["state"] if roots else "pass", "root_causes": list(roots)}


class World:
    """A clock, looks that were recorded, and what was done; the last look stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: dict[str, Any]) -> None:
        self.looks, self.done, self.now = list(looks), [], 0.0  # type: ignore[var-annotated]
        self.fails = ""
        for name, action in list(repair_actions.ACTIONS.items()):
            work = action._replace(
                work=lambda _site, target, name=name: self.act(name, target), here=lambda *_given: True
            )
            monkeypatch.setitem(repair_actions.ACTIONS, name, work)  # type: ignore[arg-type]

    def act(self, name: str, target: str) -> None:
        self.done.append((name, target))
        if self.fails:
            raise HostError(self.fails, kind="failed")

    def look(self) -> Mapping[str, Any]:
        self.now += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def repair(self, **more: Any) -> dict[str, Any]:
        site: Any = None
        return repair.Repair(site, self.look, 30.0, clock=lambda: self.now, sleep=self.sleep, **more).run()


def test_nothing_is_done_where_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, report())
    assert world.repair() == {"state": "pass", "changed": False, "steps": [], "left": [], "deploy": False}
    assert world.done == [] and world.now == 1


def test_it_acts_waits_and_finds_what_was_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = root("service.worker.active", START)
    looks = [report(root("service.manager", _cures.LINGER)), report(behind), report(behind), report()]
    world = World(monkeypatch, *looks)
    answer = world.repair()
    assert world.done == [("linger", ""), ("start", "mission-control-worker")]
    assert (answer["state"], answer["changed"], answer["left"]) == ("pass", True, [])


def test_what_it_had_brought_about_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = report(root("queue.scheduled", _cures.DECISION))
    world = World(
        monkeypatch, report(root("service.worker.process", _cures.let_go(7))), behind, behind, report()
    )
    assert world.repair()["state"] == "pass"
    assert world.done == [("let_go", "7")]


def test_nothing_is_done_twice_and_what_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, report(root("service.worker.active", START)))
    answer = world.repair()
    assert world.done == [("start", "mission-control-worker")]
    assert [entry["check"] for entry in answer["left"]] == ["service.worker.active"]
    assert 30 <= world.now < 40


def test_an_action_that_fails_is_told_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, report(root("service.worker.active", START)))
    world.fails = "It ended again."
    answer = world.repair()
    assert [step["problem"] for step in answer["steps"]] == ["It ended again."]
    assert answer["changed"] is False and world.now < 5


@pytest.mark.parametrize("cure", [_cures.DECISION, _cures.DELIBERATE, _cures.DEPLOYMENT])
def test_what_people_decide_or_deploy_is_left_at_once(monkeypatch: pytest.MonkeyPatch, cure: Cure) -> None:
    world = World(monkeypatch, report(root("configuration.cors_origins", cure)))
    answer = world.repair()
    assert (world.done, world.now) == ([], 1)
    assert answer["deploy"] is (cure == _cures.DEPLOYMENT)
    assert len(answer["left"]) == 1


def test_what_comes_by_itself_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, *[report(root("gateway.board one", _cures.WAITING))] * 3, report())
    assert world.repair()["state"] == "pass"
    assert world.done == []


def test_check_mode_says_it_and_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, report(root("service.worker.active", START)))
    answer = world.repair(check=True)
    assert (world.done, world.now) == ([], 1)
    assert [step["action"] for step in answer["steps"]] == ["start mission-control-worker"]


def test_who_is_not_root_leaves_what_is_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, report(root("service.linger", _cures.LINGER)))
    answer = world.repair(root=False)
    assert world.done == []
    assert "sudo mission-control repair" in repair.left_over(answer["left"][0], as_root=False)


@pytest.mark.parametrize(
    ("action", "target"),
    [
        ("start", "ssh"),
        ("restart", "mission-control-worker; reboot"),
        ("enable", "--force"),
        ("start_postgresql", "db.example.com"),
        ("end", "1"),
        ("let_go", "1 0 -1 abc"),
    ],
)
def test_what_is_not_of_the_application_is_left_alone(action: str, target: str) -> None:
    account = find_account()
    configuration = Configuration(user=account.name, root="/nowhere", services=("worker",))
    site = repair_actions.Site(configuration, account, None, "/nowhere")
    if action in ("end", "let_go"):
        assert repair_actions._numbers(target) == []
        return
    assert not repair_actions.ACTIONS[action].here(site, target)


def test_a_process_is_told_as_its_user() -> None:
    account = find_account()
    configuration = Configuration(user=account.name, root="/nowhere", services=())
    site = repair_actions.Site(configuration, account, None, "/nowhere")
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        sleeper.send_signal(19)
        repair_actions.ACTIONS["let_go"].work(site, str(sleeper.pid))
        status = Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()[0]
        assert status in "SR"
    finally:
        sleeper.kill()
        sleeper.wait()
