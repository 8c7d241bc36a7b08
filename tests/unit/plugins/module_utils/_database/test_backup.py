"""Backups: the programs are scripts that leave what the programs would leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import (
    backup,
    backups,
    target,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor

DUMP = """#!/bin/sh
echo "$@" > "{place}/dump-arguments"
echo "$PGPASSWORD" > "{place}/dump-password"
for word; do case "$word" in --file=*) echo data > "${{word#--file=}}";; esac; done
{dump}
"""
RESTORE = """#!/bin/sh
case "$1" in
--list) printf '; Archive\\n1; 2 3 TABLE DATA public boards mc\\n4; 5 6 TABLE public boards mc\\n';;
esac
{restore}
"""


class World:
    def __init__(self, place: Path) -> None:
        self.place, self.directory = place, place / "backups"
        self.commands = Commands(
            place / "log", {"PATH": f"{place}:/usr/bin:/bin"}, redactor=Redactor(["s3cret-1"])
        )
        self.programs()

    def programs(self, dump: str = "exit 0", restore: str = "exit 0") -> None:
        for name, text in (
            ("pg_dump", DUMP.format(place=self.place, dump=dump)),
            ("pg_restore", RESTORE.format(restore=restore)),
        ):
            path = self.place / name
            path.write_text(text)
            path.chmod(0o755)

    def take(self, moment: float = 0, current: tuple[str, ...] = ("c3",)) -> backup.Backup:
        database = target.target("postgresql+psycopg://mc:s3cret-1@db:5433/mission_control?sslmode=require")
        name = backups.name_of(list(current), moment)
        return backup.take(self.directory, name, database, self.commands, 60)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_backup_is_private_named_and_read_again(world: World) -> None:
    taken = world.take()
    assert taken.path.name == "before-migration-19700101T000000Z-c3.dump"
    assert taken.path.stat().st_mode & 0o777 == 0o600
    assert (taken.tables, taken.size) == (1, 5)
    assert backups.schema_of(taken.path) == "c3"
    assert list(world.directory.iterdir()) == [taken.path]


def test_the_password_is_no_argument(world: World) -> None:
    world.take()
    arguments = (world.place / "dump-arguments").read_text()
    assert (
        "s3cret-1" not in arguments and "postgresql://mc@db:5433/mission_control?sslmode=require" in arguments
    )
    assert (world.place / "dump-password").read_text() == "s3cret-1\n"
    assert "s3cret-1" not in (world.place / "log").read_text()


@pytest.mark.parametrize("broken", [{"dump": "echo no; exit 1"}, {"restore": "exit 1"}])
def test_what_cannot_be_read_does_not_count(world: World, broken: dict[str, str]) -> None:
    earlier = world.take().path
    world.programs(**broken)
    with pytest.raises(DeploymentError):
        world.take(moment=60)
    assert list(world.directory.iterdir()) == [earlier]


def test_a_missing_program_is_named(world: World) -> None:
    (world.place / "pg_dump").unlink()
    world.commands.environment["PATH"] = str(world.place)
    with pytest.raises(DeploymentError, match="pg_dump") as told:
        world.take()
    assert "postgresql-client" in told.value.remedy


def test_the_newest_are_kept_and_other_files_left_alone(world: World) -> None:
    paths = [world.take(moment=60 * number).path for number in range(4)]
    (world.directory / "mine.dump").write_text("")
    assert backups.backups(world.directory) == paths[::-1]
    assert backups.surplus(world.directory, 2) == paths[1::-1]
    assert backups.surplus(world.directory, 0) == paths[2::-1]


def test_names_tell_the_schema() -> None:
    assert backups.name_of([], 0).endswith("-empty.dump")
    assert backups.schema_of(Path("/x") / backups.name_of(["a1", "b2"], 0)) == "a1+b2"
    assert backups.schema_of(Path("mine.dump")) == ""


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        ("postgresql://u:p%40w@h/d", "postgresql://u@h/d", "p@w"),
        ("postgres://h/d", "postgresql://h/d", ""),
        (
            "postgresql+psycopg://u@h:1/d?password=x&sslmode=require",
            "postgresql://u@h:1/d?sslmode=require",
            "x",
        ),
    ],
)
def test_addresses(url: str, address: str, password: str) -> None:
    assert target.target(url) == target.Target(address, password)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(DeploymentError, match="not a PostgreSQL"):
        target.target("sqlite:///x")
