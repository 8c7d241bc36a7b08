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
from template_context import with_variables

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
        ({}, "Name the inventory with -i, put the hosts into that group, or name theirs"),
        ({"mission_control": [], "db": ["d"]}, "Name the inventory with -i, put"),
        (
            {"mission_contol": ["mc1"]},
            "Is its group mission_contol meant? Name it with -e mission_control_group=mission_contol,",
        ),
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


def called(name: str, *arguments: Any, **variables: Any) -> Any:
    function = FILTERS[name]
    takes_context = hasattr(function, "jinja_pass_arg")
    return function(*([with_variables(**variables)] if takes_context else []), *arguments)


def test_topology_as_playbooks_ask_for_it() -> None:
    groups = {"mission_control": ["a", "b"], "mission_control_backend": ["b"]}
    assert called("component_hosts", groups, "backend") == ["b"]
    assert called("component_hosts", {}, "worker", "x") == ["x"]
    assert called("host_components", groups, "a") == ["postgresql", "redis", "worker", "frontend"]
    assert called("deployment_hosts", groups, "a") == ["a", "b"]
    assert called("deployment_hosts", {}, "a") == ["a"]
    assert called("unit_names", ["worker"]) == ["mission-control-worker.service"]


TWO_DEPLOYMENTS = """
[mission_control]
p1
p2
[mission_control_backend]
p1
[staging]
s1
s2
s3
[staging_backend]
s2
[staging_worker]
s3
[staging_gateway]
s1
"""


def test_one_inventory_has_two_deployments() -> None:
    groups = {
        "mission_control": ["p1", "p2"],
        "mission_control_backend": ["p1"],
        "mission_control_gateway": ["p2"],
        "staging": ["s1", "s2", "s3"],
        "staging_worker": ["s3"],
    }
    staging = {"mission_control_group": "staging"}
    assert called("component_hosts", groups, "worker", **staging) == ["s3"]
    # No group of its own: all hosts of this deployment, none of the other.
    assert called("component_hosts", groups, "backend", **staging) == ["s1", "s2", "s3"]
    assert called("component_hosts", groups, "gateway", **staging) == []
    assert called("component_hosts", groups, "gateway") == ["p2"]
    assert called("deployment_hosts", groups, "s1", **staging) == ["s1", "s2", "s3"]
    assert called("host_components", groups, "s1", **staging) == [
        "postgresql",
        "redis",
        "backend",
        "frontend",
    ]
    assert called("direct_hosts", groups, {}, **staging)[-3:] == ["s1", "s2", "s3"]
    assert called("group_with_hosts", groups, **staging) == "staging"


@pytest.mark.parametrize(("group", "first"), [("staging", "s"), ("mission_control", "p")])
def test_every_play_is_for_the_deployment_that_is_named(tmp_path: Path, group: str, first: str) -> None:
    names = [f"openclaw.mission_control.{playbook.stem}" for playbook in PLAYBOOKS]
    words = ("-e", "secret=token", "-e", "service=backend", "-e", f"mission_control_group={group}")
    status, output = run(tmp_path, TWO_DEPLOYMENTS, "--list-hosts", *names, *words)
    assert status == 0, output
    assert output.count("playbook: ") == len(PLAYBOOKS)
    listed = [line.strip() for line in output.splitlines() if line.startswith("      ")]
    assert len(listed) > len(PLAYBOOKS)
    assert {host[0] for host in listed if host != "localhost"} == {first}, output


def test_a_playbook_of_somebody_elses_names_the_group(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "ansible.builtin.import_playbook": f"openclaw.mission_control.{name}",
                    "vars": {"mission_control_group": group, "service": "backend"},
                }
                for name, group in (("restart", "staging"), ("query", "mission_control"))
            ]
        )
    )
    status, output = run(tmp_path, TWO_DEPLOYMENTS, "--list-hosts", str(tmp_path / "site.yml"))
    assert status == 0, output
    listed = [line.strip() for line in output.splitlines() if line.startswith("      ")]
    assert set(listed[:-1]) == {"s1", "s2", "s3"} and listed[-1] == "p1", output


def test_a_group_that_is_not_there_is_named(tmp_path: Path) -> None:
    words = ("openclaw.mission_control.verify", "-e", "mission_control_group=stagng")
    status, output = run(tmp_path, TWO_DEPLOYMENTS, *words)
    assert status != 0
    assert "no host in the group stagng (mission_control_group)" in " ".join(output.split())
    assert "Is its group staging meant?" in " ".join(output.split())


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
        called(name, *arguments)


def test_hosts_of_one_mission_control_are_asked_directly() -> None:
    groups = {"mission_control": ["mc1", "mc2"], "all": ["mc1", "mc2", "other"]}
    hostvars = {"mc1": {"ansible_host": "10.0.0.1"}, "mc2": {}, "other": {"ansible_host": "10.0.0.9"}}
    found = called("direct_hosts", groups, hostvars, ["http://mc.example.com:3000", ""])
    assert found == ["localhost", "127.0.0.1", "::1", "mc1", "10.0.0.1", "mc2", "mc.example.com"]
    with pytest.raises(AnsibleFilterError, match="direct_hosts expects"):
        called("direct_hosts", "mc1", {})
