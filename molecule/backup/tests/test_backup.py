"""Backups on one host, in the order of the tests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from backup_support import (
    GATEWAY,
    KEPT,
    REPOSITORY,
    back_up,
    deploy,
    flip,
    kinds,
    pack,
    password,
    points,
    rows,
    state,
    tried,
    verdict,
)
from releases_support import CHECKOUT, ROOT, data, healthy, history, on_host, play, sql, until

testinfra_hosts = ["backup"]
IDENTITY = f"{ROOT}/shared/identity/device.json"
NAMES: dict[str, str] = {}


def whole() -> list[str]:
    return [point["name"] for point in points() if point["complete"]]


def test_backups_are_set_up_and_a_second_deployment_changes_nothing() -> None:
    assert (CHECKOUT / ".cache/secrets/backup").stat().st_mode & 0o777 == 0o600
    assert on_host(f"cat {KEPT}/password") == password()
    assert on_host(f"stat -c '%U %a' {KEPT} {KEPT}/password /etc/mission-control/backup.json").split() == [
        "root",
        "700",
        "root",
        "600",
        "root",
        "600",
    ]
    timers = on_host("systemctl list-timers --all --plain --no-legend 'mission-control-*'")
    assert "mission-control-backup.timer" in timers and "mission-control-backup-drill.timer" in timers
    assert deploy().counts["changed"] == 0


def test_the_timers_unit_makes_a_restore_point() -> None:
    data(write=True)
    NAMES["first"] = back_up()
    (point,) = points()
    assert point["complete"] and point["parts"] == ["database", "settings", "gateway"]
    assert point["purpose"] == "scheduled" and point["size"] > 100_000
    assert kinds(verdict()) == set()


def test_a_drill_proves_it() -> None:
    before = rows()
    done = play("restore.yml", "-e", "drill=true")
    assert done.returncode == 0, done.output
    assert f"{NAMES['first']} can be restored" in done.words and "database restored" in done.words
    assert rows() == before and sql("select count(*) from pg_database where datname ~ 'drill'") == "0"
    assert state()["drill"]["name"] == NAMES["first"] and "at" in state()["check"]
    assert on_host("ls -A /home/*/.cache/mission-control | grep -c drill || true") == "0"


def test_check_mode_tells_what_would_be_lost() -> None:
    NAMES["rows"] = json.dumps(rows())
    NAMES["identity"] = on_host(f"cat {IDENTITY}")
    NAMES["gateway"] = on_host(f"sha256sum {GATEWAY}/openclaw.json")
    sql("delete from tasks where id in (select id from tasks limit 1)")
    on_host(f"echo changed > {GATEWAY}/workspace-note; chown openclaw: {GATEWAY}/workspace-note")
    changed = rows()
    done = play("restore.yml", "--check")
    assert done.returncode == 0, done.output
    assert NAMES["first"] in done.words and "tasks" in done.words
    assert rows() == changed and len(points()) == 1


def test_everything_comes_back_row_by_row() -> None:
    done = play("restore.yml")
    assert done.returncode == 0, done.output
    assert json.dumps(rows()) == NAMES["rows"] and healthy()
    assert on_host(f"cat {IDENTITY}") == NAMES["identity"]
    assert on_host(f"sha256sum {GATEWAY}/openclaw.json") == NAMES["gateway"]
    # What stood there is kept.
    assert tried(f"test -e {GATEWAY}/workspace-note").returncode != 0
    assert on_host(f"cat {GATEWAY}.before-*/workspace-note") == "changed"
    assert sql("select count(*) from pg_namespace where nspname ~ '^public_before_'") == "1"
    assert [point["purpose"] for point in points()] == ["before-a-restoration", "scheduled"]
    assert history()[-1]["result"] == "restored"
    until(lambda: play("verify.yml", "--tags", "gateway").returncode == 0)


def test_a_restoration_that_does_not_pass_is_undone() -> None:
    sql("update boards set name = name || ' later'")
    on_host(f"echo later > {GATEWAY}/workspace-note; chown openclaw: {GATEWAY}/workspace-note")
    before = rows()
    gate = {
        "release_gate_checks": ["host"],
        "release_gate_deadline": 0,
        "verify_host": {"disk_critical": "101:"},
    }
    done = play("restore.yml", "-e", f"snapshot={NAMES['first']}", "-e", json.dumps(gate))
    assert done.returncode != 0 and "Everything is as it was before" in done.words, done.output
    assert rows() == before and healthy()
    assert on_host(f"cat {GATEWAY}/workspace-note") == "later"
    assert history()[-1]["result"] == "failed"
    assert tried(f"test -e {ROOT}/shared/maintenance.json").returncode != 0


def test_the_database_alone_by_the_time() -> None:
    on_host(f"echo alone > {GATEWAY}/workspace-note")
    # The restore points' names tell their times.
    moment = NAMES["first"]
    stamp = f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}T{moment[9:11]}:{moment[11:13]}:{moment[13:15]}Z"
    done = play("restore.yml", "-e", f"time={stamp}", "-e", "parts=database")
    assert done.returncode == 0, done.output
    assert json.dumps(rows()) == NAMES["rows"] and on_host(f"cat {GATEWAY}/workspace-note") == "alone"


def test_one_file() -> None:
    on_host(f"echo broken > {IDENTITY}")
    done = play("restore.yml", "-e", f"file={IDENTITY}", "-e", f"snapshot={NAMES['first']}")
    assert done.returncode == 0, done.output
    assert on_host(f"cat {IDENTITY}") == NAMES["identity"]
    assert on_host(f"stat -c %U:%a {IDENTITY}") == "mission-control:600"
    assert on_host(f"cat {IDENTITY}.before-*") == "broken"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("snapshot=20200101T000000Z", "is not a restore point of this host"),
        ("time=2020-01-01", "is before the first restore point"),
        ("time=2099-01-01", "has not come yet"),
        ("file=/etc/passwd", "lies in no place that is backed up"),
        ("parts=everything", "value of parts must be one or more of"),
    ],
)
def test_bad_input_changes_nothing(given: str, says: str) -> None:
    before = (rows(), len(points()), len(history()))
    done = play("restore.yml", "-e", given)
    assert done.returncode != 0 and says in done.words, done.output
    assert (rows(), len(points()), len(history())) == before


def test_a_newer_schema_is_refused() -> None:
    known = sql("select version_num from alembic_version")
    sql("update alembic_version set version_num = 'fedcba987654'")
    name = back_up()
    sql(f"update alembic_version set version_num = '{known}'")
    done = play("restore.yml", "-e", f"snapshot={name}")
    assert done.returncode != 0 and "mission_control_revision" in done.words, done.output
    assert "fedcba987654" in done.words and sql("select version_num from alembic_version") == known


RESTIC = f"RESTIC_REPOSITORY={REPOSITORY} RESTIC_PASSWORD_FILE={KEPT}/password restic"


def forge(name: str, change: Callable[[dict[str, Any]], None], form: int = 1) -> None:
    """Another manifest in the place of a restore point's own."""
    tags = f"--tag point:{name},part:manifest"
    manifest = json.loads(on_host(f"{RESTIC} dump {tags} latest /manifest.json"))
    (own,) = json.loads(on_host(f"{RESTIC} snapshots --json {tags}"))
    change(manifest)
    words = [f"--tag={tag}" for tag in own["tags"] if not tag.startswith("format:")] + [
        f"--tag=format:{form}"
    ]
    moment = own["time"].partition(".")[0].replace("T", " ").rstrip("Z")
    on_host(
        f"TZ=UTC {RESTIC} backup --quiet --stdin --stdin-filename=manifest.json --host={own['hostname']} "
        f"--time='{moment}' {' '.join(words)}; {RESTIC} forget --quiet {own['id']}",
        json.dumps(manifest),
    )


@pytest.mark.parametrize(
    ("change", "form", "says"),
    [
        (lambda manifest: None, 2, "was made by a newer version of this collection"),
        (
            lambda manifest: manifest["parts"]["database"].update(server=99),
            1,
            "comes from PostgreSQL 99, and this is PostgreSQL",
        ),
        (lambda manifest: manifest["parts"].pop("gateway"), 1, "has no gateway"),
        (lambda manifest: manifest["parts"]["database"].update(bytes=1 << 50), 1, "The restoration of the"),
    ],
)
def test_what_a_restore_point_says_that_does_not_fit_changes_nothing(
    change: Callable[[dict[str, Any]], None], form: int, says: str
) -> None:
    name = back_up()
    forge(name, change, form)
    before = (rows(), len(points()), len(history()))
    done = play("restore.yml", "-e", f"snapshot={name}", "-e", "parts=database,gateway")
    assert done.returncode != 0 and says in done.words, done.output
    assert (rows(), len(points()), len(history())) == before
    on_host(f"{RESTIC} forget --quiet --tag point:{name} --unsafe-allow-remove-all")


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.3, 1.8, 2.3, 2.8, 3.4])
def test_a_run_that_is_killed_leaves_nothing_that_looks_good(seconds: float) -> None:
    before = whole()
    on_host("systemctl start --no-block mission-control-backup.service")
    time.sleep(seconds)
    on_host("systemctl kill --signal=KILL mission-control-backup.service || true")
    until(lambda: tried("systemctl is-active mission-control-backup.service").stdout.strip() != "activating")
    on_host("systemctl reset-failed mission-control-backup.service || true")
    for name in set(whole()) - set(before):
        # It was faster than the kill; then it has to be one that can be restored.
        assert tried(f"mission-control backup --drill; true # {name}").returncode == 0
    on_host("mission-control backup")
    assert all(point["complete"] for point in points())


def test_a_database_that_is_stopped_is_told() -> None:
    before = whole()
    on_host("systemctl stop postgresql@17-main")
    told = tried("mission-control backup")
    on_host("systemctl start postgresql@17-main")
    assert told.returncode != 0 and "PostgreSQL does not answer" in told.stderr, told.stderr
    assert whole() == before and "backup_failed" in kinds(verdict())
    back_up()
    assert kinds(verdict()) == set()


def test_a_flipped_byte_is_found_by_the_drill() -> None:
    damaged = pack()
    flip(damaged)
    done = play("restore.yml", "-e", "drill=true")
    assert done.returncode != 0 and "is damaged" in done.words, done.output
    assert {"check_failed"} <= kinds(verdict())
    flip(damaged)
    assert play("restore.yml", "-e", "drill=true").returncode == 0
    assert kinds(verdict()) == set()


def test_a_repository_that_is_gone_is_not_made_again() -> None:
    on_host(f"mv {REPOSITORY} {REPOSITORY}.gone")
    told = tried("mission-control backup")
    assert told.returncode != 0 and "is gone" in told.stderr
    assert {"no_repository"} <= kinds(verdict())
    on_host(f"mv {REPOSITORY}.gone {REPOSITORY}")
    back_up()
    assert kinds(verdict()) == set()


def test_another_password_is_refused_and_the_old_one_stays() -> None:
    done = play(
        "deploy.yml",
        "-e",
        "mission_control_backup_password=another-0123456789",
        source=CHECKOUT / ".cache/reference_application",
    )
    assert done.returncode != 0 and "does not open the repository" in done.words, done.output
    assert "another-0123456789" not in done.output
    assert on_host(f"cat {KEPT}/password") == password()


def test_no_secret_is_in_the_journal_or_in_a_command_line() -> None:
    on_host("systemctl start --no-block mission-control-backup.service")
    seen = ""
    for _look in range(20):
        seen += on_host("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; true")
        time.sleep(0.1)
    until(lambda: tried("systemctl is-active mission-control-backup.service").stdout.strip() != "activating")
    seen += on_host("journalctl --no-pager -o cat")
    secret = on_host(f"grep -oP '(?<=LOCAL_AUTH_TOKEN=).*' {ROOT}/current/backend/.env")
    assert password() not in seen and secret not in seen and "restic" in seen


def test_retention_by_given_dates() -> None:
    listed = on_host(f"{RESTIC} snapshots --json")
    names = {
        tag.removeprefix("point:")
        for snapshot in json.loads(listed)
        for tag in snapshot["tags"]
        if tag.startswith("point:")
    }
    # All of one day: the newest three, and the oldest, which restic keeps until the months are full.
    assert len(names) == 4 and names == set(whole()) and min(names) == NAMES["first"]


TROJAN = """
SET ROLE mission_control;
CREATE FUNCTION public.trojan_do() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    EXECUTE $do$COPY (SELECT 1) TO PROGRAM 'cat > /tmp/trojan'$do$;
  END IF;
  RETURN 1;
END $$;
CREATE FUNCTION public.trojan(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN RETURN public.trojan_do() + i; END $$;
CREATE TABLE public.trojan (i int CHECK (public.trojan(i) > 0));
INSERT INTO public.trojan VALUES (1);
CREATE INDEX trojan_index ON public.trojan (public.trojan(i));
"""


def test_what_the_application_put_into_its_database_runs_as_the_application_in_a_drill() -> None:
    sql(TROJAN)
    try:
        back_up()
        done = play("restore.yml", "-e", "drill=true")
        assert done.returncode == 0, done.output
        assert "database restored" in done.words
        assert on_host("ls /tmp/trojan 2>/dev/null || true") == ""
        # What runs it as the administrator would be noticed. A table's owner builds its indexes.
        sql("INSERT INTO public.trojan VALUES (2)")
        assert on_host("cat /tmp/trojan; rm /tmp/trojan").strip() == "1"
    finally:
        sql("DROP TABLE public.trojan; DROP FUNCTION public.trojan, public.trojan_do")
