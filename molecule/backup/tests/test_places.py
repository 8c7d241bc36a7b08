"""Backups that leave the host: SFTP, REST, S3, several hosts and environments in one repository, refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from backup_support import back_up, deploy, kinds, points, rows, tried, verdict
from places_support import (
    REST_PASSWORD,
    SECRET_KEY,
    controller_address,
    on_store,
    rest_place,
    s3_place,
    sftp_place,
    store_variables,
    tried_deploy,
)
from releases_support import history, on_host, play, sql, until

testinfra_hosts = ["backup"]
CONFIGURATION = "/etc/mission-control/backup.json"


@pytest.fixture(scope="module")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return sftp_place(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module", autouse=True)
def as_it_was() -> Iterator[None]:
    """Afterwards backups go to the host again."""
    yield
    deploy()


def used(settings: dict[str, Any], *arguments: str, **more: Any) -> str:
    """Deploy with them; returns what was put out."""
    done = tried_deploy({**settings, **more}, *arguments)
    assert done.returncode == 0, done.output
    return done.output


def told_everybody() -> str:
    """What other users of the host may see of a run: every argument list meanwhile, and the journal."""
    on_host("systemctl start --no-block mission-control-backup.service")
    seen = on_host(
        "while systemctl is-active mission-control-backup.service | grep -q activating; do "
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; done; journalctl --no-pager -o cat"
    )
    assert "restic" in seen
    return seen


def restored_from_there(name: str) -> None:
    before = rows()
    sql("delete from tasks where id in (select id from tasks limit 1)")
    assert rows() != before
    done = play("restore.yml", "-e", f"snapshot={name}", "-e", "parts=database", "-e", "safety=false")
    assert done.returncode == 0, done.output
    assert rows() == before


def test_sftp_to_a_second_host(sftp: dict[str, Any]) -> None:
    used(sftp)
    name = back_up()
    assert [point["name"] for point in points()] == [name]
    assert on_store("ls /srv/backups/mission-control").split() == [
        "config",
        "data",
        "index",
        "keys",
        "locks",
        "snapshots",
    ]
    told = tried("mission-control backup --drill")
    assert told.returncode == 0 and f"{name} can be restored" in told.stdout, told.stderr
    restored_from_there(name)
    found = verdict()
    assert kinds(found) == set() and "place" in {part["name"] for part in found["checks"]}
    assert "does not outlive" not in on_host("mission-control backups")


def test_environments_and_hosts_in_one_repository_do_not_see_each_other(sftp: dict[str, Any]) -> None:
    used(sftp)
    back_up()
    ours = [point["name"] for point in points()]
    used(sftp, mission_control_backup_environment="staging")
    assert points() == []
    told = tried("mission-control backup --drill")
    assert "There are those of backup in the environment mission-control" in told.stderr, told.stderr
    # The last three are kept and, as restic does it, the oldest; none that goes is another environment's.
    theirs = [back_up() for _number in range(5)]
    assert [point["name"] for point in points()] == [theirs[4], theirs[3], theirs[2], theirs[0]]
    used(sftp, mission_control_backup_environment="staging", backup_host="other")
    assert points() == []
    others = back_up()
    assert [point["name"] for point in points()] == [others]
    used(sftp)
    assert [point["name"] for point in points()] == ours
    assert tried("mission-control backup --drill").returncode == 0


def test_rest_to_a_second_host() -> None:
    place = rest_place()
    # Whoever asks for all that a run tells does not learn the login.
    told = used(place, "-vvv", "--diff")
    name = back_up()
    assert [point["name"] for point in points()] == [name]
    assert "config" in on_store("ls /srv/rest/mission-control").split()
    drilled = tried("mission-control backup --drill")
    assert drilled.returncode == 0 and f"{name} can be restored" in drilled.stdout, drilled.stderr
    restored_from_there(name)
    found = verdict()
    assert kinds(found) == set() and "place" in {part["name"] for part in found["checks"]}
    told += told_everybody() + json.dumps(found) + on_host(f"mission-control backups; cat {CONFIGURATION}")
    address = place["mission_control_backup_repository"]
    for secret in (REST_PASSWORD, urlsplit(address.removeprefix("rest:")).password):
        assert secret and secret not in told
    assert tried_deploy(place).counts["changed"] == 0
    # Its server is gone.
    on_store("systemctl stop rest-server")
    gone = tried("mission-control backup")
    assert gone.returncode != 0 and "does not answer on port 8000" in gone.stderr, gone.stderr
    assert {"backup_failed", "unreachable"} <= kinds(verdict())
    on_store("systemctl start rest-server")
    until(lambda: tried("mission-control backup").returncode == 0, 60)
    assert kinds(verdict()) == set()


def test_s3() -> None:
    with s3_place() as place:
        used(place)
        name = back_up()
        told = tried("mission-control backup --drill")
        assert told.returncode == 0 and f"{name} can be restored" in told.stdout, told.stderr
        restored_from_there(name)
        assert kinds(verdict()) == set()
        assert SECRET_KEY not in told_everybody()
    # Its server is gone: told by the next run and the check, and nothing looks good that is not.
    told = tried("timeout 120 mission-control backup")
    assert told.returncode != 0
    assert {"unreachable"} & kinds(verdict())


def wrong(sftp: dict[str, Any], case: str) -> dict[str, Any]:
    address = store_variables()["ansible_host"]
    key = on_store("cut -d' ' -f1 /etc/ssh/ssh_host_ed25519_key.pub")
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIEsmVuxKbjRIHc2qrcZX0Mb0yFaNSU/pYXgHnWY0qDjr"
    cases: dict[str, dict[str, Any]] = {
        "another key": {**sftp, "mission_control_backup_known_hosts": f"{address} {key} {other}"},
        "no key": {**sftp, "mission_control_backup_known_hosts": ""},
        "no login": {**sftp, "mission_control_backup_ssh_key": ""},
        "no server": {
            **sftp,
            "mission_control_backup_repository": f"rest:http://{controller_address()}:9/backups",
        },
        "another login": rest_place("another-0123456789"),
        "no keys": {"mission_control_backup_repository": "s3:https://s3.example.com/backups"},
        "another password": {**sftp, "mission_control_backup_password": "another-0123456789"},
        "no repository": {"mission_control_backup_repository": "/etc"},
    }
    return cases[case]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("another key", "is not known to this host"),
        ("no key", "lies on a server whose key is not known"),
        ("no login", "refuses the login"),
        ("no server", "does not answer on port 9"),
        ("another login", "refuses the login"),
        ("no keys", "needs the keys of S3"),
        ("another password", "does not open the repository"),
        ("no repository", "is not a repository, and not empty"),
    ],
)
def test_what_does_not_open_is_told_before_anything_is_changed(
    sftp: dict[str, Any], case: str, says: str
) -> None:
    before = (on_host(f"cat {CONFIGURATION}"), len(history()))
    done = tried_deploy(wrong(sftp, case))
    assert done.returncode != 0 and says in done.words, done.output
    assert done.counts["changed"] == 0
    assert "another-0123456789" not in done.output and "PRIVATE KEY" not in done.output
    assert (on_host(f"cat {CONFIGURATION}"), len(history())) == before
