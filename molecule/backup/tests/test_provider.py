"""A database that somebody else runs: backed up, proved and restored by its login alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from backup_support import back_up, deploy, tried
from places_support import on_store, store_variables, tried_deploy
from releases_support import data, healthy, play, variables

testinfra_hosts = ["backup"]
PASSWORD = "external-0123456789"


def psql(query: str) -> str:
    return on_store(
        f"cd /; runuser -u postgres -- psql --no-psqlrc -Atc {shlex.quote(query)} mission_control"
    )


@pytest.fixture(scope="module", autouse=True)
def provider() -> Iterator[None]:
    """PostgreSQL on the second host, with a login that owns one database and nothing else."""
    on_store(
        "export DEBIAN_FRONTEND=noninteractive; apt-get -q update && "
        "apt-get -qy install --no-install-recommends postgresql"
    )
    on_store(
        "cd /; runuser -u postgres -- dropdb --if-exists --force mission_control; "
        "runuser -u postgres -- dropuser --if-exists mission_control; runuser -u postgres -- psql -qc "
        f"\"CREATE ROLE mission_control LOGIN PASSWORD '{PASSWORD}'\"; "
        "runuser -u postgres -- createdb --owner=mission_control mission_control; "
        "echo \"listen_addresses = '*'\" > /etc/postgresql/17/main/conf.d/all.conf; "
        f"echo 'host mission_control mission_control {variables()['ansible_host']}/32 scram-sha-256' "
        ">> /etc/postgresql/17/main/pg_hba.conf; systemctl restart postgresql@17-main"
    )
    psql("ALTER SCHEMA public OWNER TO mission_control")
    address = store_variables()["ansible_host"]
    url = f"postgresql://mission_control:{PASSWORD}@{address}:5432/mission_control"
    # A new database knows no gateway, and this one has been paired for another.
    SETTINGS.update({"mission_control_database_url": url, "mission_control_gateways": []})
    done = tried_deploy(SETTINGS)
    assert done.returncode == 0, done.output
    data(write=True)
    yield
    deploy()


SETTINGS: dict[str, Any] = {}


def restore(*arguments: str) -> str:
    done = play("restore.yml", "-e", json.dumps(SETTINGS), "-e", "parts=database", *arguments)
    assert PASSWORD not in done.output
    return f"{done.returncode} {done.words}"


def test_it_comes_back_by_its_login() -> None:
    boards = psql("select md5(string_agg(b::text, '' order by b.id)) from boards b")
    name = back_up()
    told = tried("mission-control backup --drill")
    assert told.returncode == 0 and "database read" in told.stdout, told.stderr
    psql("update boards set name = name || ' later'")
    assert restore("-e", f"snapshot={name}").startswith("0 ")
    assert psql("select md5(string_agg(b::text, '' order by b.id)) from boards b") == boards and healthy()


def test_what_the_login_may_not_restore_is_told_before() -> None:
    psql("create schema kept; create extension pg_stat_statements schema kept")
    name = back_up()
    psql("drop schema kept cascade")
    told = restore("-e", f"snapshot={name}")
    assert not told.startswith("0 ") and "extension pg_stat_statements, which a superuser only may" in told, (
        told
    )
    # Another owner of a table.
    psql("alter table boards owner to postgres")
    told = restore()
    psql("alter table boards owner to mission_control")
    assert not told.startswith("0 ") and "does not own boards" in told, told
    assert healthy()


def test_a_client_that_is_too_old_is_told() -> None:
    """As the program sees it: a pg_dump that says so."""
    told = tried(
        "mkdir -p /run/old && "
        "printf '#!/bin/sh\\necho \"pg_dump (PostgreSQL) 16.4\"\\n' > /run/old/pg_dump && "
        "chmod -R a+rx /run/old && mount --bind /run/old/pg_dump $(readlink -f /usr/bin/pg_dump) && "
        "{ mission-control backup; code=$?; umount $(readlink -f /usr/bin/pg_dump); exit $code; }"
    )
    assert told.returncode != 0 and "Install postgresql-client-17" in told.stderr, told.stderr
