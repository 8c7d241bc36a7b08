"""Maintenance mode: a page instead of refused connections, one cause instead of ten, kept over a boot."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request

import pytest
from interruptions_support import BOOT, serving, wait_for_boot, works_from
from load import Load, Target
from releases_support import (
    HOST,
    USER,
    Applications,
    current,
    on_host,
    outcome,
    play,
    ssh_command,
    until,
    variables,
)

testinfra_hosts = [HOST]
pytestmark = pytest.mark.full
REASON = "The disks are being replaced <today>."
ON = ("maintenance.yml", "-e", json.dumps({"state": "on", "reason": REASON, "back": "45m"}))
AGAIN = ("maintenance.yml", "-e", "state=on")
OFF = ("maintenance.yml", "-e", "state=off")
SAID = "in maintenance since "


def refused(port: int, path: str, accept: str) -> tuple[dict[str, str], str]:
    """Headers and body of an answer that has to be 503."""
    url = f"http://{variables()['ansible_host']}:{port}{path}"
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            raise AssertionError(f"{url} answers {response.status}")
    except urllib.error.HTTPError as error:
        with error:
            assert error.code == 503
            return {name.lower(): value for name, value in error.headers.items()}, error.read().decode()


def page_and_json() -> None:
    headers, page = refused(3000, "/boards", "text/html")
    assert "Mission Control is in maintenance" in page and "replaced &lt;today&gt;." in page
    assert 0 < int(headers["retry-after"]) <= 2700 and headers["cache-control"] == "no-store"
    for path in ("/health", "/api/v1/boards"):
        headers, text = refused(8000, path, "application/json")
        told = json.loads(text)
        assert told["ok"] is False and told["maintenance"]["reason"] == REASON


def worker_takes_tasks() -> bool:
    return "cmd=brpop" in on_host(
        "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password) redis-cli client list"
    )


def test_maintenance(host: str, applications: Applications) -> None:
    until(worker_takes_tasks)
    targets = [Target(8000, "/healthz"), Target(3000, "/")]
    with Load(variables()["ansible_host"], targets, users=2, statuses=(200, 503)) as load:
        done = play(*ON)
        assert done.returncode == 0 and done.counts["changed"] == 1, done.output
        page_and_json()
        assert not load.problems()

        # Once more changes nothing.
        assert play(*AGAIN).counts["changed"] == 0
        assert not worker_takes_tasks()

        # Operators: one cause, by every way of asking, and nothing that could be taken for the application.
        assert f"{SAID}" in (status := play("status.yml").output) and "in maintenance " in status
        assert on_host("mission-control status || true").startswith(f"Mission Control is {SAID}")
        (view,) = json.loads(on_host("mission-control verify --format json || true"))["views"]
        causes = [(cause["check"], cause["kind"]) for cause in view["root_causes"]]
        assert causes == [("service.maintenance", "maintenance")], causes
        assert len(view["root_causes"][0]["consequences"]) > 3
        assert REASON.rstrip(".") in view["root_causes"][0]["summary"]
        verified = play("verify.yml")
        assert verified.returncode != 0 and SAID in verified.words
        again = play("restart.yml")
        assert again.returncode != 0 and "End it: playbooks/maintenance.yml" in again.words
        denied = play("deploy.yml", source=applications.get("upgraded"))
        assert denied.returncode != 0 and f"is {SAID}" in denied.words and denied.counts["changed"] == 0

        # A deployment that is wanted all the same leaves the page where it is, and the gate for later.
        done = play(
            "deploy.yml",
            "-e",
            "mission_control_deploy_in_maintenance=true",
            source=applications.get("upgraded"),
        )
        assert done.returncode == 0, done.output
        new = current()
        assert new != host and outcome(new) == ""
        page_and_json()
        assert not load.problems()

    boot = on_host(BOOT)
    subprocess.run([*ssh_command(), "systemctl reboot"], capture_output=True, check=False)
    wait_for_boot(boot)
    page_and_json()

    with Load(variables()["ansible_host"], targets, users=2, statuses=(200, 503)) as load:
        done = play(*OFF)
        assert done.returncode == 0, done.output
        serving()
        assert not load.problems()
    assert works_from() == {"backend": new, "worker": new, "frontend": new}
    until(worker_takes_tasks)
    units = f"/home/{USER}/.config/systemd/user"
    assert on_host(f"find {units} -name '*.d' -o -name 'maintenance.conf'") == ""
    assert play(*OFF).counts["changed"] == 0
    done = play("deploy.yml", source=applications.get("upgraded"))
    assert done.returncode == 0 and outcome(new) == "verified", done.output
