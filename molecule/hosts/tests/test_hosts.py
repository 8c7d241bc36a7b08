"""A deployment to a host that is not ours alone works, and what cannot work is told before it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "inventory"
SANDBOX = [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py")]
HOST = "hosts"
PATIENCE = 180


def attempt(command: str) -> subprocess.CompletedProcess[str]:
    """A command on the host, by root."""
    return subprocess.run(
        [*SANDBOX, "ssh", HOST, "--", command], capture_output=True, text=True, check=False, cwd=CHECKOUT
    )


def on_host(command: str) -> str:
    done = attempt(command)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def until(command: str) -> None:
    """Wait until a command succeeds."""
    end = time.monotonic() + PATIENCE
    while (done := attempt(command)).returncode:
        assert time.monotonic() < end, f"{command}\n{done.stdout}{done.stderr}"
        time.sleep(1)


def units(command: str) -> str:
    return f"systemctl --user --machine=mission-control@.host {command}"


def verdicts(*checks: str) -> dict[str, dict[str, Any]]:
    """The leaves of what the host command finds, by the kind of the finding, as the application's user."""
    words = ["mission-control", "verify", "--format", "json", *checks]
    done = attempt(shlex.join(["runuser", "-u", "mission-control", "--", *words]))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, dict[str, Any]] = {}

    def walk(verdict: dict[str, Any]) -> None:
        if verdict.get("kind"):
            found[verdict["kind"]] = verdict
        for part in verdict["checks"]:
            walk(part)

    (view,) = json.loads(done.stdout)["views"]
    for verdict in view["verdicts"]:
        walk(verdict)
    return found


@pytest.fixture(scope="module", autouse=True)
def rebooted() -> None:
    """With a proxy in the host's environment from now on: nothing of ours may be sent to it."""
    on_host("printf 'http_proxy=http://127.0.0.1:9\\nhttps_proxy=http://127.0.0.1:9\\n' >>/etc/environment")
    before = on_host("cat /proc/sys/kernel/random/boot_id")
    attempt("systemctl reboot")
    until(f"test $(cat /proc/sys/kernel/random/boot_id) != {before.strip()}")
    until(units("is-active mission-control-backend mission-control-worker mission-control-frontend"))


def test_the_password_no_longer_ages_and_the_manager_came_up() -> None:
    assert "Password expires\t\t\t\t\t: never" in on_host("LC_ALL=C chage -l mission-control")
    assert on_host("systemctl is-active user@$(id -u mission-control)").strip() == "active"


def test_root_has_a_tight_umask_and_the_user_gets_at_what_is_his() -> None:
    assert on_host("umask").strip() == "0077"
    assert on_host("stat -c %a /etc/mission-control").strip() == "755"
    assert "backend" in on_host("runuser -u mission-control -- mission-control status")


def test_the_package_was_installed_beside_a_dead_source() -> None:
    assert on_host("dpkg-query -W -f '${db:Status-Status}' tree") == "installed"
    assert attempt("apt-get update -qq 2>&1 | grep dead.invalid").returncode == 0


def test_nothing_local_is_sent_to_the_proxy() -> None:
    pid = on_host(units("show --property=MainPID --value mission-control-backend")).strip()
    environment = on_host(f"tr '\\0' '\\n' </proc/{pid}/environ").splitlines()
    assert "http_proxy=http://127.0.0.1:9" in environment, "the proxy is not in force, so this proves nothing"
    assert [line for line in environment if line.startswith("MISSION_CONTROL_DIRECT=localhost,127.0.0.1,")]
    found = verdicts()
    assert {kind for kind, verdict in found.items() if verdict["state"] in ("fail", "error")} == set()
    assert "local_proxy" not in found


def test_a_unit_that_does_is_named() -> None:
    text = "[Service]\\nUnsetEnvironment=MISSION_CONTROL_DIRECT\\n"
    place = "/home/mission-control/.config/systemd/user/mission-control-backend.service.d"
    on_host(f"mkdir -p {place} && printf '{text}' >{place}/x.conf && chown -R mission-control: {place}")
    on_host(units("daemon-reload") + " && " + units("restart mission-control-backend"))
    assert verdicts("configuration")["local_proxy"]["state"] == "fail"
    on_host(f"rm -r {place} && " + units("daemon-reload") + " && " + units("restart mission-control-backend"))


def test_a_journal_that_is_not_kept_is_told() -> None:
    drop_in = "/etc/systemd/journald.conf.d/90-admin.conf"
    text = "'[Journal]\\nStorage=volatile\\n'"
    on_host(f"printf {text} >{drop_in} && systemctl restart systemd-journald")
    try:
        # Root's umask has it unreadable for who looks.
        found = verdicts("host")["journal_not_kept"]
        assert "only root may read" in found["cause"] and "systemd-analyze cat-config" in found["remedy"]
        on_host(f"chmod 0644 {drop_in}")
        found = verdicts("host")["journal_not_kept"]
        assert drop_in in found["cause"] and "systemd-journald" in found["remedy"]
    finally:
        on_host(f"rm {drop_in} && systemctl restart systemd-journald && journalctl --flush")


def test_a_home_without_programs_is_refused_before_anything_is_changed() -> None:
    on_host("mount --bind /home /home && mount -o remount,bind,noexec /home")
    try:
        done = subprocess.run(
            ["ansible-playbook", "-i", str(INVENTORY), str(CHECKOUT / "playbooks/deploy.yml")],
            capture_output=True,
            text=True,
            check=False,
            cwd=CHECKOUT,
        )
    finally:
        on_host("umount /home")
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "mounted noexec, where no program may be run" in said, said[-3000:]
