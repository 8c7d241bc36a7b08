"""Full disks, by small ones: too little room is told before, what fills up in the middle spoils nothing."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from backup_support import GATEWAY, KEPT, back_up, deploy, kinds, points, rows, tried, verdict
from places_support import tried_deploy
from releases_support import healthy, history, on_host, play, sql

testinfra_hosts = ["backup"]
SMALL = "/srv/small"
PYTHON = "/run/small-python"
# Rows that neither compression nor what is saved already makes small.
BULK = (
    "SET ROLE mission_control; DROP TABLE IF EXISTS made_up; CREATE TABLE made_up AS "
    "SELECT g AS id, (SELECT string_agg(md5(random()::text || k), '') FROM generate_series(1, 16) k "
    "WHERE g > 0) AS words FROM generate_series(1, 8000) g"
)


@contextlib.contextmanager
def small_disk(size: str, place: str = SMALL) -> Iterator[None]:
    on_host(f"mkdir -p {place}; mount -t tmpfs -o mode=755,size={size} small {place}")
    try:
        yield
    finally:
        on_host(f"umount -l {place}")


@contextlib.contextmanager
def filled(left: int, place: str = SMALL) -> Iterator[None]:
    """Something else takes all but some bytes of the disk."""
    on_host(f"fallocate -l $(( $(df --output=avail -B1 {place} | tail -1) - {left} )) {place}/filler")
    try:
        yield
    finally:
        on_host(f"rm {place}/filler")


def hidden_by(place: str, options: str) -> tuple[str, ...]:
    """Modules see a small disk at a place; whatever else runs on the host sees what is there."""
    program = (
        "#!/bin/sh\nexec unshare --mount sh -ec '"
        f"owner=$(stat -c %u:%g {place}); mount -t tmpfs -o {options} small {place}; "
        f'chown $owner {place}; exec /usr/bin/python3 "$@"\' sh "$@"\n'
    )
    on_host(f"cat > {PYTHON}; chmod 755 {PYTHON}", program)
    return ("-e", f"ansible_python_interpreter={PYTHON}")


def test_a_repository_on_a_disk_that_is_too_small_is_told_before() -> None:
    with small_disk("200m"):
        before = len(history())
        done = tried_deploy({"mission_control_backup_repository": f"{SMALL}/backups"})
        assert done.returncode != 0 and "of room; to begin with" in done.words, done.output
        assert done.counts["changed"] == 0 and len(history()) == before


@pytest.fixture
def on_a_small_disk() -> Iterator[None]:
    with small_disk("300m"):
        done = tried_deploy({"mission_control_backup_repository": f"{SMALL}/backups"})
        assert done.returncode == 0, done.output
        yield
        sql("DROP TABLE IF EXISTS made_up")
        deploy()


def test_a_repository_that_is_full_in_the_middle(on_a_small_disk: None) -> None:
    name = back_up()
    sql(BULK)
    # The manifest alone would find its place.
    with filled(1 << 20):
        told = tried("mission-control backup")
        assert told.returncode != 0 and "There is no room left where" in told.stderr, told.stderr
        assert "backup_failed" in kinds(verdict())
        assert [point["name"] for point in points() if point["complete"]] == [name]
    newer = back_up()
    assert [point["name"] for point in points()] == [newer, name]
    assert all(point["complete"] for point in points())
    drilled = tried("mission-control backup --drill")
    assert drilled.returncode == 0 and newer in drilled.stdout, drilled.stderr
    # What was written in bulk is told, and nothing else.
    assert kinds(verdict()) <= {"backup_growth"}


def test_no_room_for_what_is_remembered_of_a_run() -> None:
    """The disk with the state of the runs and restic's cache: told in words; the next run needs no help."""
    with small_disk("8m"):
        on_host(f"cp -a {KEPT}/[!c]* {SMALL}; chmod 700 {SMALL}; mount --bind {SMALL} {KEPT}")
        try:
            with filled(0):
                told = tried("mission-control backup")
                assert told.returncode != 0 and "No space left" in told.stderr, told.stderr
                assert "Traceback" not in told.stderr
        finally:
            on_host(f"umount -l {KEPT}")
    back_up()
    assert kinds(verdict()) == set() and all(point["complete"] for point in points())


@pytest.mark.parametrize(
    ("part", "place", "says"),
    [
        ("database", "/var/lib/postgresql", "The restoration of the database needs"),
        ("gateway", GATEWAY.rpartition("/")[0], "The restoration (gateway) needs"),
    ],
)
def test_too_little_room_for_a_restoration_is_told_before(part: str, place: str, says: str) -> None:
    before = (rows(), len(points()), len(history()))
    done = play("restore.yml", "-e", f"parts={part}", *hidden_by(place, "size=1m"))
    assert done.returncode != 0 and says in done.words and f"in {place}, and there are" in done.words, (
        done.output
    )
    assert (rows(), len(points()), len(history())) == before and healthy()


def test_too_little_room_for_a_drill_is_told() -> None:
    before = rows()
    told = tried(
        "unshare --mount sh -c 'mount -t tmpfs -o size=1m small /var/lib/postgresql; mission-control backup "
        "--drill'"
    )
    assert told.returncode != 0 and "The drill needs" in told.stderr and "and there are" in told.stderr
    assert "Nothing was changed" in told.stderr and "Traceback" not in told.stderr
    assert rows() == before and sql("select count(*) from pg_database where datname ~ 'drill'") == "0"
    assert kinds(verdict()) == {"drill_failed"}
    assert tried("mission-control backup --drill").returncode == 0 and kinds(verdict()) == set()


def test_too_little_room_for_an_export_is_told(tmp_path: Path) -> None:
    sql(BULK)
    with small_disk("1m,mode=1777", "/var/tmp"):  # noqa: S108 (on a sandbox host)
        done = play("backup.yml", "-e", f"export={tmp_path}/archive")
        assert done.returncode != 0 and "No space left on device" in done.words, done.output
        assert on_host("ls -A /var/tmp") == "" and not (tmp_path / "archive").exists()
    sql("DROP TABLE made_up")


def moved(tablespace: str) -> str:
    """The application's database to another disk; nobody is in it meanwhile."""
    return "; ".join(
        f'psql -qc "{statement}"'
        for statement in (
            "ALTER DATABASE mission_control ALLOW_CONNECTIONS false",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'mission_control'",
            f"ALTER DATABASE mission_control SET TABLESPACE {tablespace}",
            "ALTER DATABASE mission_control ALLOW_CONNECTIONS true",
        )
    )


@contextlib.contextmanager
def database_on_a_small_disk() -> Iterator[None]:
    as_server = "cd /; exec runuser -u postgres -- sh -e"
    with small_disk("64m"):
        on_host(f"chown postgres: {SMALL}")
        on_host(as_server, f"psql -qc \"CREATE TABLESPACE small LOCATION '{SMALL}'\"; {moved('small')}")
        try:
            yield
        finally:
            on_host(as_server, f'{moved("pg_default")}; psql -qc "DROP TABLESPACE small"')


def test_a_database_that_is_full_in_the_middle_of_a_restoration() -> None:
    sql(BULK)
    name = back_up()
    sql("update boards set name = name || ' later'")
    kept = "select count(*) from pg_namespace where nspname ~ '^public_before_'"
    with database_on_a_small_disk():
        before, earlier = rows(), sql(kept)
        with filled(1 << 20):
            done = play("restore.yml", "-e", f"snapshot={name}")
            assert done.returncode != 0 and "No space left on device" in done.words, done.output
            assert "Everything is as it was before" in done.words
        assert rows() == before and history()[-1]["result"] == "failed"
        assert sql(kept) == earlier
    assert rows() == before and healthy()
    # With room it comes back.
    done = play("restore.yml", "-e", f"snapshot={name}", "-e", "parts=database")
    assert done.returncode == 0 and rows() != before and healthy(), done.output
    sql("DROP TABLE made_up")


def test_a_gateways_disk_that_is_full_in_the_middle_of_a_restoration() -> None:
    home = GATEWAY.rpartition("/")[0]
    before = on_host(f"cd {GATEWAY}; find . -type f -name '*.json' | sort | xargs sha256sum")
    # There is room for its bytes, but not for so many files.
    done = play("restore.yml", "-e", "parts=gateway", *hidden_by(home, "size=1g,nr_inodes=6,mode=700"))
    assert done.returncode != 0 and "No space left on device" in done.words, done.output
    assert "Everything is as it was before" in done.words
    assert on_host(f"cd {GATEWAY}; find . -type f -name '*.json' | sort | xargs sha256sum") == before
    assert history()[-1]["result"] == "failed" and json.loads(on_host(f"cat {KEPT}/state.json"))
