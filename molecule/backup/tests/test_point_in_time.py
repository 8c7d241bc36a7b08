"""The database at any second: the one before a DELETE, out of the archived write-ahead log."""

from __future__ import annotations

import time

from backup_support import back_up, deploy, kinds, rows, tried, verdict
from places_support import tried_deploy
from releases_support import healthy, on_host, play, sql, until

testinfra_hosts = ["backup"]
ARCHIVE = "/var/backups/mission-control-wal"
WANTED = {"mission_control_backup_wal": True}
MOMENTS: dict[str, str] = {}


def test_it_is_set_up_once() -> None:
    MOMENTS["before"] = now()
    done = tried_deploy(WANTED)
    assert done.returncode == 0, done.output
    assert on_host(f"stat -c '%U %a' {ARCHIVE} /etc/mission-control/pgbackrest.conf").split() == [
        "postgres",
        "750",
        "root",
        "640",
    ]
    assert sql("show archive_mode") == "on" and healthy()
    # The server's administrator does not come to know what opens the repository.
    secret = on_host("cat /var/lib/mission-control/backup/password")
    assert secret not in on_host("cat /etc/mission-control/pgbackrest.conf")
    again = tried_deploy(WANTED)
    assert again.returncode == 0 and again.counts["changed"] == 0, again.output


def now() -> str:
    return on_host("date -u +%Y-%m-%dT%H:%M:%SZ")


def test_the_second_before_a_delete() -> None:
    back_up()
    sql("update boards set name = name || ' after the restore point'")
    before = rows()
    # A moment is told in whole seconds: in that one nothing else may happen.
    time.sleep(1.1)
    MOMENTS["wanted"] = now()
    time.sleep(1.1)
    sql("delete from tasks where id in (select id from tasks limit 1)")
    assert rows() != before
    told = play("restore.yml", "-e", f"time={MOMENTS['wanted']}", "-e", "parts=database", "--check")
    assert told.returncode == 0 and "The database comes back as it was at" in told.words, told.output
    assert rows() != before
    began = time.monotonic()
    done = play("restore.yml", "-e", f"time={MOMENTS['wanted']}", "-e", "parts=database")
    assert done.returncode == 0, done.output
    print(f"restored within {time.monotonic() - began:.1f} s")
    assert rows() == before and healthy()
    # Nothing is left of the server that brought it, nor could anybody log in to it.
    assert "mission-control-point-in-time" not in on_host("ls /var/lib/postgresql")
    assert tried("ls -d /run/mission-control-*").returncode != 0
    assert on_host("pg_lsclusters -h | wc -l") == "1"


def test_a_time_that_the_archive_does_not_reach() -> None:
    before = rows()
    done = play("restore.yml", "-e", f"time={MOMENTS['before']}", "-e", "parts=database")
    # The log begins with the backup of the server's files; there may be no restore point before it either.
    assert done.returncode != 0 and "is before" in done.words, done.output
    assert rows() == before


def test_an_archive_that_takes_nothing_is_told() -> None:
    on_host(f"chown -R root: {ARCHIVE}")
    try:
        sql("select pg_current_xact_id()")
        on_host("cd /; runuser -u postgres -- psql -Atc 'select pg_switch_wal()'")
        until(lambda: "wal_not_archived" in kinds(verdict()), 120)
        told = tried("mission-control backup")
        # The restore point is one nevertheless.
        assert told.returncode == 0 and {"wal_backup_failed", "wal_not_archived"} <= kinds(verdict())
    finally:
        on_host(f"chown -R postgres: {ARCHIVE}")
    until(lambda: "wal_not_archived" not in kinds(verdict()), 180)
    back_up()
    assert kinds(verdict()) == set()


def test_it_is_taken_away() -> None:
    deploy()
    assert sql("show archive_mode") == "off" and healthy()
    assert tried("ls /etc/mission-control/pgbackrest.conf").returncode != 0
    assert on_host(f"test -d {ARCHIVE}/backup && echo kept") == "kept"
