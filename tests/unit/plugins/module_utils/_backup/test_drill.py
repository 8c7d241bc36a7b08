"""Drills: rows counted on the way, files looked at, and what is remembered of it."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import drill, fetching, restic
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import accounts, pipes
from backup_world import World

SQL = """#!/bin/sh
cat > /dev/null
cat <<'END'
CREATE TABLE public.boards (id text);
COPY public.boards (id) FROM stdin;
one
\\\\N
\\.
COPY public."Tasks" (id) FROM stdin;
\\.
END
exit ${STATUS:-0}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "programs/pg_restore"
    path.parent.mkdir()
    path.write_text(SQL)
    path.chmod(0o755)
    environment = {"PATH": f"{path.parent}:/usr/bin:/bin"}
    monkeypatch.setattr(drill, "user_environment", lambda _account: environment)
    monkeypatch.setenv("PATH", environment["PATH"])
    return path


def count() -> dict[str, Any]:
    return drill._count_by_reading(accounts.find_account(), fetching.Reading(io.BytesIO(b"x" * 10)))


def test_rows_are_counted_where_there_is_no_server(program: Path) -> None:
    assert count() == {"rows": {"boards": 2, "Tasks": 0}}


def test_a_dump_that_cannot_be_read_fails(program: Path) -> None:
    program.write_text("#!/bin/sh\ncat > /dev/null\necho broken >&2\nexit 1\n")
    with pytest.raises(restic.ResticError, match="cannot be read: broken"):
        count()


def test_a_drill_is_remembered(world: World) -> None:
    world.make()
    answer = drill.drill(world.configuration, world.restic)
    assert answer["parts"][0]["files"] == 3 and answer["parts"][0]["how"] == "extracted"
    assert world.state["drill"]["name"] == answer["point"]["name"] and "at" in world.state["check"]
    assert "check --read-data" in (world.place / "called").read_text()


def test_what_differs_from_the_manifest_fails_and_is_remembered(world: World) -> None:
    world.make()
    drill.drill(world.configuration, world.restic)
    saved = world.points()[0].snapshots["settings"]
    data = world.place / "repository" / f"{saved}.data"
    data.write_bytes(data.read_bytes() + b"\0" * 512)
    with pytest.raises(restic.ResticError, match="not what was saved"):
        drill.drill(world.configuration, world.restic)
    assert world.state["drill_attempt"]["error"]["kind"] == "damaged" and "error" not in world.state["drill"]


def test_what_was_copied_plainly_is_not_asked_about(world: World) -> None:
    """Any user can write what begins like SQLite: it is saved, told, and no reason for a drill to fail."""
    (world.root / "shared/identity/made-up").write_bytes(b"SQLite format 3\0garbage")
    made = world.make()
    assert made["warning"].endswith("as it lies there: root/shared/identity/made-up.")
    assert drill.drill(world.configuration, world.restic)["parts"][0]["files"] == 4


class Server:
    """A server's administrator, before a database that its owner has marked as a template."""

    def __init__(self) -> None:
        self.template, self.said = True, []  # type: tuple[bool, list[str]]

    def __call__(self, _configuration: Any, statement: str, **_more: Any) -> str:
        self.said.append(statement)
        if "IS_TEMPLATE false" in statement:
            self.template = False
        if statement.startswith("DROP"):
            assert not self.template, "cannot drop a template database"
        return ""


def test_a_scratch_database_that_became_a_template_goes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    monkeypatch.setattr(drill.server, "ask_server", server)
    monkeypatch.setattr(drill.server, "login_is_ordinary", lambda _configuration: True)
    monkeypatch.setattr(drill.room, "need_room_of_server", lambda _part, _what: None)
    with drill._scratch(world.configuration, {}):
        assert server.said[-2].startswith("CREATE")
        server.template = True
    assert server.said[-1].startswith("DROP") and not server.template


def test_sqlite_is_asked_about_its_files(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE notes (text)")
        database.executemany("INSERT INTO notes VALUES (?)", [("x" * 500,)] * 100)
    database.close()
    drill._sound(path)
    data = bytearray(path.read_bytes())
    data[4096:4200] = b"\xff" * 104
    path.write_bytes(data)
    with pytest.raises(restic.ResticError, match=r"memory\.sqlite of the restore point is damaged"):
        drill._sound(path)


def test_a_file_whose_name_means_something_in_an_address(tmp_path: Path) -> None:
    path = tmp_path / "notes?mode=rwc#%41.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE notes (text)")
    drill._sound(path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_line_without_end_is_counted_in_pieces(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program says is the user's, who may speak for it."""
    long = "import sys\nprint('COPY public.boards (id) FROM stdin;')\nprint('x' * (3 << 20))\nprint('y')"
    program.write_text(f'#!/bin/sh\ncat > /dev/null\npython3 -c "{long}"\necho "\\\\."\n')
    longest = []

    def seen(stream: Any) -> Any:
        for piece in pipes.pieces(stream):
            longest.append(len(piece))
            yield piece

    monkeypatch.setattr(drill, "pieces", seen)
    assert count() == {"rows": {"boards": 2}}
    assert max(longest) == pipes.LONGEST
