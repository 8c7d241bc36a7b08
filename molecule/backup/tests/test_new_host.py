"""The host is destroyed; a bare one of its name begins with what the repository has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from backup_support import GATEWAY, KEPT, REPOSITORY, back_up, points, rows, tried, verdict
from places_support import STORE
from releases_support import (
    CHECKOUT,
    INVENTORY,
    ROOT,
    current,
    healthy,
    on_host,
    play,
    ssh_command,
    until,
    variables,
)

testinfra_hosts = ["backup"]
SANDBOX = CHECKOUT / "molecule/shared/sandbox.py"
SOURCE = CHECKOUT / ".cache/reference_application"


def sandbox(*words: str) -> str:
    done = subprocess.run([sys.executable, str(SANDBOX), *words], capture_output=True, text=True, check=True)
    return done.stdout


def devices() -> list[str]:
    """The devices that the gateway has paired."""
    return sorted(json.loads(on_host(f"cat {GATEWAY}/devices/paired.json")))


def test_a_new_host_from_nothing(tmp_path: Path) -> None:
    on_host(f"test -d {REPOSITORY} || mv {REPOSITORY}.gone {REPOSITORY}")
    name = back_up()
    before = rows()
    identity = on_host(f"cat {ROOT}/shared/identity/device.json")
    release = current()
    paired = devices()
    store = tmp_path / "store.tar"
    with store.open("wb") as file:
        subprocess.run([*ssh_command(), f"tar -C {REPOSITORY} -c ."], stdout=file, check=True)
    sandbox("destroy", "backup")
    sandbox("create", "backup")
    (INVENTORY / "sandbox.yml").write_text(sandbox("inventory", "backup", STORE))
    variables.cache_clear()
    # Without the repository nothing is begun.
    refused = play("deploy.yml", "-e", "mission_control_restore=latest", source=SOURCE)
    assert refused.returncode != 0 and "There is no repository at" in refused.words, refused.output
    assert refused.counts["changed"] == 0 and tried(f"test -e {REPOSITORY}").returncode != 0
    assert tried("id mission-control || command -v restic").returncode != 0
    with store.open("rb") as file:
        subprocess.run(
            [*ssh_command(), f"mkdir -p {REPOSITORY} && tar -C {REPOSITORY} -x"], stdin=file, check=True
        )
    # There is one, and it opens: of another environment, with another password, or without that point.
    for settings, says in (
        ({"mission_control_backup_environment": "staging"}, "There are those of backup in the environment"),
        ({"mission_control_backup_password": "another-0123456789"}, "does not open the repository"),
        ({"mission_control_backup_password_file": str(tmp_path / "none")}, "its password is not known"),
        ({"mission_control_restore": "20200101T000000Z"}, "is not a restore point of this host"),
    ):
        refused = play(
            "deploy.yml", "-e", json.dumps({"mission_control_restore": "latest", **settings}), source=SOURCE
        )
        assert refused.returncode != 0 and says in refused.words, refused.output
        assert refused.counts["changed"] == 0
        assert tried("id mission-control || command -v restic").returncode != 0
    done = play("deploy.yml", "-e", "mission_control_restore=latest", source=SOURCE)
    assert done.returncode == 0, done.output
    for words in ("settings brought back", "database brought back", "gateway brought back", name):
        assert words in done.words
    # The same revision; what comes after it stands for the settings, in which the servers' passwords are new.
    assert healthy() and current().partition("-")[0] == release.partition("-")[0]
    after = rows()
    assert {table for table in before if before[table] != after.get(table)} <= {"gateways"}, (before, after)
    assert on_host(f"cat {ROOT}/shared/identity/device.json") == identity
    # The backend connects with the pairing that it had.
    assert devices() == paired
    until(lambda: play("verify.yml", "--tags", "gateway,backup,database,health").returncode == 0)
    # The same again is an ordinary deployment.
    again = play("deploy.yml", "-e", "mission_control_restore=latest", source=SOURCE)
    assert again.returncode == 0 and "brought back" not in again.words, again.output
    assert json.loads(on_host(f"cat {KEPT}/state.json")).get("restoration") is None
    assert back_up() != name and len(points()) >= 2 and verdict()["state"] == "pass"
