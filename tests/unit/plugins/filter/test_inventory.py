"""An inventory without hosts for a playbook is an error, not a success without work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.openclaw.mission_control.plugins.filter import inventory

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def run(tmp_path: Path, hosts: str, *words: str) -> tuple[int, str]:
    (tmp_path / "hosts").write_text(hosts)
    done = subprocess.run(
        ["ansible-playbook", "-i", str(tmp_path / "hosts"), *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"mission_control": ["mc1"]}, ""),
        ({}, "Name the inventory with -i, or put the hosts into that group."),
        ({"mission_control": [], "db": ["d"]}, "Name the inventory with -i, or put"),
        ({"mission_contol": ["mc1"]}, "Is its group mission_contol meant? Call it mission_control, or"),
        ({"missioncontrol": ["mc1"]}, "Is its group missioncontrol meant?"),
        # A group of the right name in a file of its own, its host in another.
        ({"mission_control": [], "Mission_Control": ["mc1"]}, "Is its group Mission_Control meant?"),
        (
            {"mission_control_backend": ["a"], "mission_control_worker": ["b"]},
            "Make mission_control_backend and mission_control_worker children of mission_control.",
        ),
    ],
)
def test_what_is_wrong_with_the_inventory(groups: dict[str, list[str]], said: str) -> None:
    told = inventory.fault({"all": ["x"], "ungrouped": ["x"], **groups}, ["hosts.yml", "more"])
    assert said in told and bool(told) == bool(said)
    assert not told or told.startswith(
        "The inventory hosts.yml, more has no host in the group mission_control"
    )


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_begins_with_hosts_that_must_be_there(playbook: Path) -> None:
    first = yaml.safe_load(playbook.read_text())[0]
    if "ansible.builtin.import_playbook" in first:
        (first,) = yaml.safe_load((playbook.parent / first["ansible.builtin.import_playbook"]).read_text())
    assert "openclaw.mission_control.group_with_hosts" in first["hosts"]


@pytest.mark.parametrize("more", [[], ["--limit", "web1"]], ids=["all", "limited"])
def test_a_misspelt_group_ends_a_playbook_before_any_host_is_called(tmp_path: Path, more: list[str]) -> None:
    status, output = run(tmp_path, "[mission_contol]\nweb1\n", "openclaw.mission_control.verify", *more)
    assert status != 0
    assert f"The inventory {tmp_path}/hosts has no host in the group mission_control" in output
    assert "Is its group mission_contol meant?" in output
    assert "PLAY" not in output and "web1" not in output


def test_what_calls_no_host_needs_none(tmp_path: Path) -> None:
    words = ["--syntax-check", *map(str, PLAYBOOKS)]
    status, output = run(tmp_path, "", *words)
    assert status == 0, output


@pytest.mark.parametrize(
    ("hosts", "asked"),
    [
        ("[mission_control]\na\nb\n", "a"),
        ("[mission_control]\na\nb\n[mission_control_backend]\nb\n", "b"),
    ],
)
def test_the_database_is_asked_from_one_host(tmp_path: Path, hosts: str, asked: str) -> None:
    status, output = run(tmp_path, hosts, "--list-hosts", "openclaw.mission_control.query")
    assert status == 0 and "hosts (1):" in output
    assert output.split()[-1] == asked


FILTERS = inventory.FilterModule().filters()


def test_topology_as_playbooks_ask_for_it() -> None:
    groups = {"mission_control": ["a", "b"], "mission_control_backend": ["b"]}
    assert FILTERS["component_hosts"](groups, "backend") == ["b"]
    assert FILTERS["component_hosts"]({}, "worker", "x") == ["x"]
    assert FILTERS["host_components"](groups, "a") == ["postgresql", "redis", "worker", "frontend"]
    assert FILTERS["unit_names"](["worker"]) == ["mission-control-worker.service"]


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("component_hosts", ([], "backend"), "expects the variable groups"),
        ("component_hosts", ({}, "frontent"), "frontent is not a valid choice"),
        ("host_components", (None, "a"), "expects the variable groups"),
        ("unit_names", ("worker",), "expects a list"),
        ("unit_names", (["redis"],), "redis is not a valid choice"),
    ],
)
def test_what_names_no_component_is_refused(name: str, arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        FILTERS[name](*arguments)
