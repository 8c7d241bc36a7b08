"""The table of a deployment's time by phase."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.callback import phases
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._progress.phases import (
    PHASES,
    phase_of,
)

ROOT = Path(__file__).resolve().parents[4]
DEPLOYMENT = "openclaw.mission_control.deployment_info: {root: /nowhere, user: root}"
PLAY = f"""
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {{name: gateway}}
      when: false
    - {DEPLOYMENT}
    - ansible.builtin.debug:
        msg: {{timings: {{npm_ci: 61.04, uv: 0.01}}}}
"""
BEGIN = "    - ansible.builtin.import_role: {name: deployment, tasks_from: begin}\n"


@pytest.mark.parametrize("name", [name for name in PHASES if "/" in name])
def test_every_phase_is_of_tasks_that_are_there(name: str) -> None:
    role, tasks = name.split("/")
    assert (ROOT / "roles" / role / "tasks" / f"{tasks}.yml").exists()


def test_every_role_has_its_phase() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert roles <= {name.split("/")[0] for name in PHASES}


@pytest.mark.parametrize(
    ("path", "role", "phase"),
    [
        ("/x/roles/release/tasks/prepare.yml:3", "openclaw.mission_control.release", "release"),
        ("/x/roles/release/tasks/verify.yml:3", "openclaw.mission_control.release", "gate"),
        ("/x/roles/deployment/tasks/fail.yml:3", "openclaw.mission_control.deployment", "lock and history"),
        ("/x/roles/source/tasks/main.yml:3", "openclaw.mission_control.source", "source"),
        ("/x/roles/verify/tasks/main.yml:3", "openclaw.mission_control.verify", "gate"),
        ("", "openclaw.mission_control.redis", "Redis"),
        ("/x/roles/theirs/tasks/release.yml:3", "theirs", "theirs"),
        ("/x/play.yml:3", "", "other tasks"),
    ],
)
def test_the_phase_of_a_task(path: str, role: str, phase: str) -> None:
    assert phase_of(path, role) == phase


def test_times_add_up_by_phase_with_the_steps_of_modules() -> None:
    clock = phases.Clock()
    clock.enter("source", 10.0)
    clock.work()
    clock.enter("release", 11.0)
    clock.work()
    clock.add_steps({"npm_ci": 2.0, "uv": 0.01, "log": "x"})
    clock.add_steps({"npm_ci": 3.0})
    clock.enter("source", 15.0)
    clock.enter("", 15.5)
    assert clock.rows() == [
        ["source", "1.5 s"],
        ["release", "4.0 s"],
        ["  npm ci", "3.0 s"],
        ["total", "5.5 s"],
    ]


def test_a_phase_without_work_is_left_out() -> None:
    clock = phases.Clock()
    clock.enter("gateway", 10.0)
    clock.enter("start", 11.0)
    clock.work()
    clock.enter("host command", 13.0)
    clock.work()
    clock.enter("", 13.04)
    assert clock.rows() == [["start", "2.0 s"], ["total", "3.0 s"]]


def play(tmp_path: Path, tasks: str) -> str:
    tasks_of_roles = (("gateway", "main", "ansible.builtin.ping:"), ("deployment", "begin", DEPLOYMENT))
    for role, name, task in tasks_of_roles:
        path = tmp_path / "roles" / role / "tasks" / f"{name}.yml"
        path.parent.mkdir(parents=True)
        path.write_text(f"- {task}\n")
    (tmp_path / "play.yml").write_text(tasks)
    done = subprocess.run(
        ["ansible-playbook", "--check", "-i", "localhost,", str(tmp_path / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ANSIBLE_CALLBACKS_ENABLED": phases.CallbackModule.CALLBACK_NAME,
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", ""),
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_deployment_ends_with_the_table(tmp_path: Path) -> None:
    output = play(tmp_path, PLAY + BEGIN)
    rows = [line.split("  ")[0] for line in output[output.index("PHASE") :].splitlines() if line.strip()]
    assert rows[0] == "PHASE" and rows[-3:] == ["other tasks", "lock and history", "total"]
    assert "gateway" not in rows


def test_other_runs_do_not(tmp_path: Path) -> None:
    assert "PHASE" not in play(tmp_path, PLAY)
