"""Restoring a backup, on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import (
    backup,
    backups,
    schema,
    target,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import restore as _restore
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    CancelledError,
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from postgresql_server import Server, throw_away_server

PASSWORD = "pass-Word-0815"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with throw_away_server("restore") as started:
        started.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        started.sql("CREATE ROLE reader")
        yield started


class World:
    """A database with a backup of its older state, then migrated and written to."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server, self.directory = server, place / "backups"
        server.sql("DROP DATABASE IF EXISTS mission_control WITH (FORCE)")
        server.sql("CREATE DATABASE mission_control OWNER app")
        self.log = place / "log"
        self.commands = Commands(self.log, {"PATH": "/usr/bin:/bin"}, redactor=Redactor([PASSWORD]))
        self.target = target.target(server.address("app", PASSWORD))
        self.sql(
            "SET ROLE app; CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
            "INSERT INTO alembic_version VALUES ('a1');"
            "CREATE TYPE state AS ENUM ('new', 'done');"
            "CREATE TABLE boards (id serial PRIMARY KEY, name text NOT NULL, state state DEFAULT 'new');"
            "CREATE INDEX by_name ON boards (name); GRANT SELECT ON boards TO reader;"
            "INSERT INTO boards (name) VALUES ('one'), ('two')"
        )
        self.backup = self.take("a1", 0)
        self.sql(
            "SET ROLE app; ALTER TABLE boards DROP COLUMN state; DROP TYPE state;"
            "CREATE TABLE labels (id int); INSERT INTO boards (name) VALUES ('later');"
            "UPDATE alembic_version SET version_num = 'b2'"
        )

    def sql(self, statements: str) -> str:
        return self.server.sql(statements, "mission_control")

    def take(self, revision: str, moment: float) -> Path:
        name = backups.name_of([revision], moment)
        return backup.take(self.directory, name, self.target, self.commands, 60).path

    def restore(self, **changes: Any) -> _restore.Restored:
        arguments = {"revisions": ["a1"], "moment": 86400.0, "wait": 1, "lock_timeout": 1, "timeout": 60}
        arguments.update(changes)
        with self.backup.open("rb") as dump:
            return _restore.restore(dump, self.backup.name, self.target, self.commands, **arguments)

    @contextlib.contextmanager
    def migrating(self) -> Iterator[None]:
        """Somebody else holds the lock of migrations."""
        argv = ["runuser", "-u", "postgres", "--", "psql", "-qAth", str(self.server.directory)]
        with subprocess.Popen(
            [*argv, "-d", "mission_control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdin is not None and other.stdout is not None
            other.stdin.write(f"SELECT 'held', pg_advisory_lock({schema.ADVISORY_LOCK});\n")
            other.stdin.flush()
            assert other.stdout.readline().startswith("held")
            yield

    def leftovers(self) -> list[str]:
        return [path.name for path in self.directory.iterdir() if not path.name.endswith(".dump")]


@pytest.fixture
def world(server: Server, tmp_path: Path) -> World:
    return World(server, tmp_path)


def test_the_database_is_as_in_the_backup_and_what_was_there_is_kept(world: World) -> None:
    _restore.check_rights(world.target, world.commands)
    done = world.restore()
    assert done.kept == "public_before_19700102t000000z"
    assert world.sql("SELECT string_agg(name || state, ',' ORDER BY id) FROM boards") == "onenew,twonew"
    assert world.sql("SELECT version_num FROM alembic_version") == "a1"
    assert world.sql(f"SELECT string_agg(name, ',' ORDER BY id) FROM {done.kept}.boards") == "one,two,later"
    assert world.sql(f"SELECT version_num FROM {done.kept}.alembic_version") == "b2"
    # Owners and rights are as before, and the sequence goes on after the last row.
    assert world.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == "app"
    assert world.sql("SET ROLE reader; SELECT count(*) FROM boards") == "2"
    assert world.sql("SET ROLE app; INSERT INTO boards (name) VALUES ('new') RETURNING id") == "3"
    owners = "SELECT nspowner, nspacl::text FROM pg_namespace WHERE nspname"
    assert world.sql(f"{owners} = 'public'") == world.sql(f"{owners} = '{done.kept}'")
    assert world.leftovers() == [] and PASSWORD not in world.log.read_text()


def test_later_backups_leave_what_was_kept_out_and_it_can_be_done_again(world: World) -> None:
    first = world.restore().kept
    later = world.take("a1", 100000)
    listing = world.commands(["pg_restore", "--list", later], what="Listing")
    assert " boards " in listing and first not in listing
    world.backup = later
    second = world.restore(moment=172800.0).kept
    assert first != second and world.sql("SELECT count(*) FROM boards") == "2"


def test_it_can_be_turned_back_by_renaming(world: World) -> None:
    kept = world.restore().kept
    world.sql(f"SET ROLE app; ALTER SCHEMA public RENAME TO aside; ALTER SCHEMA {kept} RENAME TO public")
    assert world.sql("SELECT count(*) FROM boards") == "3"


@pytest.mark.parametrize("fault", ["damaged", "another schema", "locked", "no room for the name"])
def test_a_failure_leaves_everything_as_it_was(world: World, fault: str) -> None:
    changes: dict[str, Any] = {}
    if fault == "damaged":
        content = world.backup.read_bytes()
        world.backup.write_bytes(content[: len(content) // 2])
    elif fault == "another schema":
        changes["revisions"] = ["zz"]
    elif fault == "no room for the name":
        world.sql("SET ROLE app; CREATE SCHEMA public_before_19700102t000000z")
    before = world.sql("TABLE boards")
    other = world.migrating() if fault == "locked" else contextlib.nullcontext()
    with other, pytest.raises(DeploymentError) as error:
        world.restore(**changes)
    assert "Nothing was changed" in error.value.remedy or "as before" in error.value.remedy
    assert world.sql("TABLE boards") == before
    assert world.sql("SELECT version_num FROM alembic_version") == "b2"
    assert world.leftovers() == []


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9, 0.99])
def test_wherever_a_backup_ends_too_early_nothing_of_it_counts(world: World, part: float) -> None:
    """Also in the middle of a table's rows, of which psql has sent some."""
    words = "SELECT string_agg(md5(g::text || k), '') FROM generate_series(1, 16) k"
    world.sql(f"SET ROLE app; INSERT INTO boards (name) SELECT ({words}) FROM generate_series(1, 8000) g")
    world.sql("UPDATE alembic_version SET version_num = 'a1'")
    world.backup = world.take("a1", 100000)
    content = world.backup.read_bytes()
    assert len(content) > 1_500_000
    world.backup.write_bytes(content[: int(len(content) * part)])
    before = world.sql("SELECT count(*), max(id) FROM boards")
    with pytest.raises(DeploymentError, match=r"(Listing|Reading) the backup failed") as error:
        world.restore()
    assert "Nothing was changed" in error.value.remedy or "as before" in error.value.remedy
    assert world.sql("SELECT count(*), max(id) FROM boards") == before
    assert world.sql("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^public_before'") == "0"


def test_what_is_not_whole_at_its_end_takes_no_place(world: World) -> None:
    def refuse() -> None:
        assert world.sql("SELECT count(*) FROM boards") == "3"
        raise DeploymentError("It is not what was saved.", kind="damaged")

    with pytest.raises(DeploymentError, match="not what was saved"):
        world.restore(whole=refuse)
    assert world.sql("SELECT count(*) FROM boards") == "3"


def test_a_stream_that_breaks_and_a_psql_that_is_killed(world: World) -> None:
    class Breaking:
        def read(self, _number: int, /) -> bytes:
            raise OSError("the repository is gone")

    arguments: dict[str, Any] = {
        "revisions": ["a1"],
        "moment": 1.0,
        "wait": 1,
        "lock_timeout": 1,
        "timeout": 9,
    }
    with pytest.raises(OSError, match="is gone"):
        _restore.restore(Breaking(), "x", world.target, world.commands, **arguments)

    def kill() -> None:
        world.commands.cancel()
        # Only now psql is gone for certain.
        time.sleep(1)

    with pytest.raises(CancelledError):
        world.restore(whole=kill)
    assert world.sql("SELECT count(*) FROM boards") == "3"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER DATABASE mission_control OWNER TO postgres", "may not create schemas in mission_control"),
        ("ALTER SCHEMA public OWNER TO postgres", "does not own the schema public, postgres does"),
        ("ALTER TABLE boards OWNER TO postgres", "does not own boards"),
        ("CREATE EXTENSION pg_trgm", "holds the extensions pg_trgm"),
    ],
)
def test_missing_rights_are_told_before_anything_is_changed(world: World, change: str, told: str) -> None:
    world.sql(change)
    with pytest.raises(DeploymentError, match=told) as error:
        _restore.check_rights(world.target, world.commands)
    assert "Nothing was changed" in error.value.remedy
