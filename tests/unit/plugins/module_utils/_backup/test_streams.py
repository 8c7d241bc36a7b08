"""Archives of what is being written to, and programs that fail in the middle."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import (
    fetching,
    room,
    streams,
    trees,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import privileges
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor


def gather(write: Any) -> tuple[bytes, Any]:
    """What is written to a pipe, and what the writer returns."""
    reader, writer = os.pipe()
    found: list[bytes] = []

    def read() -> None:
        with os.fdopen(reader, "rb") as file:
            found.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    try:
        answer = write(writer)
    finally:
        os.close(writer)
        thread.join()
    return found[0], answer


def archived(chosen: list[trees.Tree], temporary: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    data, facts = gather(lambda pipe: trees.write_trees(chosen, pipe, temporary))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in archive
            if member.isfile()
        }
    return files, facts


def test_sqlite_is_copied_by_sqlite_while_it_is_written_to(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    database = sqlite3.connect(state / "memory.sqlite")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE notes (text)")
    database.execute("INSERT INTO notes VALUES ('kept')")
    database.commit()
    # It is only in the log beside the file, and there is one more that is not settled.
    database.execute("INSERT INTO notes VALUES ('open')")
    assert (state / "memory.sqlite-wal").stat().st_size > 0
    files, facts = archived([trees.Tree(state, "state")], tmp_path / "scratch")
    database.close()
    assert sorted(files) == ["state/memory.sqlite"] and facts["files"] == 1
    copy = tmp_path / "copy"
    copy.write_bytes(files["state/memory.sqlite"])
    with sqlite3.connect(copy) as opened:
        assert opened.execute("SELECT text FROM notes").fetchall() == [("kept",)]
    opened.close()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_no_data_stays_out(tmp_path: Path) -> None:
    state = tmp_path / "state"
    for name in ("logs/a.log", "sessions/s.jsonl", "sessions/logs/kept"):
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(name)
    os.mkfifo(state / "pipe")
    (state / "link").symlink_to("/etc/shadow")
    chosen = [trees.Tree(state, "state", frozenset({"logs"})), trees.Tree(tmp_path / "none", "none")]
    files, facts = archived(chosen, tmp_path / "scratch")
    assert sorted(files) == ["state/sessions/logs/kept", "state/sessions/s.jsonl"]
    assert facts["bytes"] > 0 and len(facts["sha256"]) == 64


def test_what_was_archived_comes_back_with_its_digest(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "a").mkdir(parents=True)
    (state / "a/secret").write_text("x" * 10)
    (state / "a/secret").chmod(0o600)
    data, facts = gather(lambda pipe: trees.write_trees([trees.Tree(state, "state")], pipe, tmp_path))
    stream = fetching.Reading(io.BytesIO(data))
    assert fetching.extract(stream, tmp_path / "back") == ["state/a/secret"]
    assert (tmp_path / "back/state/a/secret").stat().st_mode & 0o777 == 0o600
    assert stream.facts() == {"bytes": facts["bytes"], "sha256": facts["sha256"]}


def test_nothing_is_extracted_elsewhere(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
    data.seek(0)
    with pytest.raises(DeploymentError, match="cannot be read"):
        fetching.extract(fetching.Reading(data), tmp_path / "inside")
    assert not (tmp_path / "outside").exists()


def test_a_program_that_fails_at_its_end_fails(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho half of it\necho 'no login with s3cret-1' >&2\nexit 1\n")
    program.chmod(0o755)
    redactor = Redactor(["s3cret-1"])
    with pytest.raises(DeploymentError, match="status 1: no login with") as told:
        gather(lambda pipe: streams._program([str(program)], {"PATH": "/usr/bin:/bin"}, pipe, redactor))
    assert "s3cret-1" not in str(told.value.result())


def test_the_trees_of_an_application(tmp_path: Path) -> None:
    account = find_account()
    release = tmp_path / "releases/one"
    release.mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/one")
    names = [tree.name for tree in trees.settings_trees(tmp_path, account)]
    assert names[:4] == [
        "root/releases/one/release.json",
        "root/releases/one/backend/.env",
        "root/shared/identity",
        "root/shared/history.jsonl",
    ]


def test_too_little_room_is_said_before(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"The drill needs 1024\.0 TiB") as told:
        room.need_room(tmp_path / "not/there", 1 << 50, "The drill")
    assert told.value.kind == "no_room"


def test_what_nobody_has_written_is_not_read_without_end(tmp_path: Path) -> None:
    """A petabyte without content is left out, and told; the rest is saved."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "kept").write_bytes(b"kept")
    with (tree / "sparse").open("wb") as file:
        file.truncate(64 << 20)
    disk = os.statvfs(tree)
    with (tree / "vast").open("wb") as file:
        file.truncate(disk.f_blocks * disk.f_frsize + (1 << 20))
    files, facts = archived([trees.Tree(tree, "tree")], tmp_path / "scratch")
    assert sorted(files) == ["tree/kept", "tree/sparse"]
    assert facts["unread"] == [str(tree / "vast")] and facts["files"] == 2


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "one").write_bytes(b"one")
    looked = os.lstat(tree / "one")
    (tree / "one").unlink()
    os.mkfifo(tree / "one")
    monkeypatch.setattr(Path, "lstat", lambda _self: looked)
    assert archived([trees.Tree(tree / "one", "one")], tmp_path / "scratch")[0] == {}


def test_what_only_begins_like_sqlite_is_copied_as_it_lies_there(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    made_up = b"SQLite format 3\0garbage"
    (tree / "made-up").write_bytes(made_up)
    (tree / "made-up-wal").write_bytes(b"log")
    # SQLite would wait for who writes into it.
    with sqlite3.connect(tree / "waits") as database:
        database.execute("CREATE TABLE notes (text)")
    database.close()
    os.mkfifo(tree / "waits-journal")
    files, facts = archived([trees.Tree(tree, "tree")], tmp_path / "scratch")
    assert sorted(files) == ["tree/made-up", "tree/made-up-wal", "tree/waits"]
    assert files["tree/made-up"] == made_up
    assert facts["plain"] == ["tree/made-up", "tree/waits"] and facts["unread"] == []


def test_a_database_that_somebody_holds_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "_PATIENCE", 0.1)
    holder = sqlite3.connect(tmp_path / "held")
    holder.execute("CREATE TABLE notes (text)")
    holder.execute("BEGIN EXCLUSIVE")
    files, facts = archived([trees.Tree(tmp_path / "held", "held")], tmp_path / "scratch")
    holder.close()
    assert sorted(files) == facts["plain"] == ["held"]


def test_without_a_place_for_copies_they_are_plain_ones(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "notes") as database:
        database.execute("CREATE TABLE notes (text)")
    database.close()
    (tmp_path / "scratch").write_text("a file")
    assert archived([trees.Tree(tmp_path / "notes", "notes")], tmp_path / "scratch")[1]["plain"] == ["notes"]


def test_what_has_too_long_a_name_is_left_out_and_told(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "kept").write_bytes(b"kept")
    here = os.open(tree, os.O_RDONLY)
    for _ in range(45):
        os.mkdir("d" * 100, dir_fd=here)
        deeper = os.open("d" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    (tree / "loop").symlink_to("loop")
    files, facts = archived([trees.Tree(tree, "tree")], tmp_path / "scratch")
    assert sorted(files) == ["tree/kept"] and len(facts["unread"]) > 1


def test_a_file_that_shrinks_meanwhile_spoils_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "large").write_bytes(b"x" * (9 << 20))
    (tree / "last").write_bytes(b"last")
    add = tarfile.TarFile.addfile

    def shrinking(self: tarfile.TarFile, info: tarfile.TarInfo, file: Any = None) -> None:
        if info.name == "tree/large":
            os.truncate(tree / "large", 1 << 20)
        add(self, info, file)

    monkeypatch.setattr(tarfile.TarFile, "addfile", shrinking)
    files, facts = archived([trees.Tree(tree, "tree")], tmp_path / "scratch")
    assert files["tree/last"] == b"last" and len(files["tree/large"]) == 9 << 20
    assert facts["unread"] == [str(tree / "large")]


def test_names_that_mean_something_in_an_address(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with sqlite3.connect(tree / "what?mode=memory#.sqlite") as database:
        database.execute("CREATE TABLE notes (text)")
    database.close()
    files, _facts = archived([trees.Tree(tree, "tree")], tmp_path / "scratch")
    copy = tmp_path / "copy"
    copy.write_bytes(files["tree/what?mode=memory#.sqlite"])
    with sqlite3.connect(copy) as opened:
        assert opened.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    opened.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_its_owner_may_not_read_is_told(tmp_path: Path) -> None:
    """Root may read everything, and a backup is not made as root."""
    place = tmp_path / "place"
    for name in ("tree", "tree/open", "tree/closed", "scratch"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "tree/open/kept").write_bytes(b"kept")
    (place / "tree/open/secret").write_bytes(b"")
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o005 != 0o005:
            path.chmod(0o755)
    for path in (place, *place.rglob("*")):
        os.chown(path, 65534, 65534)
    (place / "tree/open/secret").chmod(0)
    (place / "tree/closed").chmod(0)

    def work(_account: Account) -> list[Any]:
        files, facts = archived([trees.Tree(place / "tree", "tree")], place / "scratch")
        return [sorted(files), sorted(facts["unread"])]

    answer = privileges.as_user("nobody", work)
    assert answer == [["tree/open/kept"], [str(place / "tree/closed"), str(place / "tree/open/secret")]]


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_psql_obeys_no_command_in_an_export(size: int) -> None:
    """Whatever key is closed with in the text is not that of the file, in pieces of any size."""
    long = b"COPY t FROM stdin;\n" + b"x" * 9000 + b"\\unrestrict k\n\\\\restrict is a row\n\\.\n"
    text = (
        b"\\restrict known\nSELECT 1;\n"
        + long
        + b"\\unrestrict known\n\\! touch /tmp/owned\n\\unrestrict known"
    )
    file = io.BytesIO()
    restricted = streams.Restricted(file)
    for start in range(0, len(text), size):
        restricted.write(text[start : start + size])
    restricted.close()
    lines = file.getvalue().splitlines()
    key = lines[0].removeprefix(b"\\restrict ")
    assert len(key) == 32 and lines[-1] == b"\\unrestrict " + key
    commands = [line for line in lines[1:-1] if line.startswith((b"\\restrict", b"\\unrestrict"))]
    assert commands == [] and b"SELECT 1;" in lines and b"\\! touch /tmp/owned" in lines
    assert b"\n" + long in file.getvalue()
