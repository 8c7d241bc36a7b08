# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill: the newest restore point is restored beside the running system and compared with its manifest."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from .._application.layout import Layout
from .._database.target import target
from .._host import files, privileges
from .._host.accounts import Account, user_environment
from .._host.clean_environment import application_environment
from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._host.pipes import asked_for, pieces
from .._redaction import Redactor, secrets
from . import fetching, points, room, server, state, streams
from .configuration import DATABASE, GATEWAY, PARTS, Configuration
from .repository import alone
from .restic import Restic, ResticError

SCRATCH = "mission_control_drill"
# Seconds for a part: what is restored is the application's, and may be made to take for ever.
PATIENCE = 6 * 3600.0
# For a statement of the administrator's: a database that is dropped is written out first.
_ADMINISTRATION = 600.0
_TRUSTED = "SELECT name FROM pg_available_extension_versions WHERE trusted"
# The application's role owns it, and can mark it as a template, which nobody drops.
_TAKE = (
    f"DO 'BEGIN IF EXISTS (SELECT FROM pg_database WHERE datname = ''{SCRATCH}'') THEN "
    f"ALTER DATABASE {SCRATCH} OWNER TO CURRENT_USER; ALTER DATABASE {SCRATCH} IS_TEMPLATE false; "
    "END IF; END'"
)
_DROP = f"DROP DATABASE IF EXISTS {SCRATCH} WITH (FORCE)"
_CREATE = (
    f"CREATE DATABASE {SCRATCH} OWNER \"{{owner}}\" TEMPLATE template0 ENCODING 'UTF8' CONNECTION LIMIT 3"
)
_CLOSE = f"REVOKE CONNECT, TEMPORARY ON DATABASE {SCRATCH} FROM PUBLIC"
# No name is longer, in quotes and with each of its letters doubled.
_COPY = re.compile(rb"COPY public\.(\S{1,300}) ")
_MOST_TABLES = 200_000


def drill(
    configuration: Configuration,
    restic: Restic,
    options: Mapping[str, Any] | None = None,
    *,
    check_repository: bool = True,
) -> dict[str, Any]:
    """What playbooks/restore.yml -e drill=true and the timer do. Remembered, whatever becomes of it."""
    started = time.time()
    wanted = options or {}
    try:
        with alone(configuration, "drill"):
            if check_repository:
                check(configuration, restic, started)
            point = points.chosen(
                restic, snapshot=wanted.get("snapshot") or "", time=wanted.get("time") or "", now=started
            )
            manifest = points.read_manifest(restic, point)
            told = [
                _part(configuration, restic, part, manifest["parts"][part])
                for part in PARTS
                if part in manifest["parts"] and part in configuration.parts
            ]
    except (HostError, OSError) as error:
        failure = error.result() if isinstance(error, HostError) else {"msg": str(error), "kind": "os_error"}
        with contextlib.suppress(OSError):
            state.note(configuration.directory, drill_attempt=state.ended(started, failure))
        raise
    seconds = round(time.time() - started, 2)
    done = state.ended(started, name=point.name, seconds=seconds)
    state.note(configuration.directory, drill_attempt=done, drill=done)
    return {"changed": True, "point": point.told(), "parts": told, "seconds": seconds}


def check(configuration: Configuration, restic: Restic, now: float) -> None:
    """restic reads the whole repository: what it holds is what was written."""
    try:
        restic.run("check", "--read-data", what="Checking the repository", timeout=6 * 3600)
    except ResticError as error:
        state.note(configuration.directory, check_attempt=state.ended(now, error.result()))
        raise
    done = state.ended(now)
    state.note(configuration.directory, check_attempt=done, check=done)


def _part(configuration: Configuration, restic: Restic, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    if name == DATABASE:
        how, rows = _database(configuration, restic, part)
        if rows != part["rows"]:
            tables = sorted(
                table for table in {*rows, *part["rows"]} if rows.get(table) != part["rows"].get(table)
            )
            raise ResticError(
                f"The restored database differs from the manifest in {', '.join(tables[:5])}.",
                kind="drill_differs",
                remedy="Do not rely on this restore point: make another one, and drill that.",
            )
        facts: dict[str, Any] = {"how": how, "tables": len(rows), "rows": sum(rows.values())}
    else:
        facts = {"how": "extracted", **_files(configuration, restic, name, part)}
    return {"part": name, "bytes": part["bytes"], "seconds": round(time.monotonic() - started, 2), **facts}


# --- files ---


def _files(
    configuration: Configuration, restic: Restic, name: str, part: Mapping[str, Any]
) -> dict[str, Any]:
    account = configuration.gateway_account if name == GATEWAY else configuration.account

    def work(user: Account, stream: fetching.Reading) -> dict[str, Any]:
        directory = Path(user.home) / ".cache/mission-control/drill"
        room.need_room(directory, int(part["bytes"] * 1.1) + (16 << 20), "The drill")
        files.remove(directory)
        try:
            names = fetching.extract(stream, directory)
            plain = {directory / place for place in part.get("plain") or ()}
            for path in directory.rglob("*"):
                if path.is_file() and not path.is_symlink() and path not in plain:
                    _sound(path)
        finally:
            files.remove(directory)
        return {"files": len(names)}

    found = fetching.fetch(restic, part, account.name, work)
    if found["files"] != part["files"]:
        raise ResticError(
            f"The archive has {found['files']} files, the manifest tells of {part['files']}.",
            kind="drill_differs",
        )
    return {"files": found["files"]}


def _sound(path: Path) -> None:
    """SQLite's own opinion of its files."""
    with path.open("rb") as file:
        if file.read(16) != b"SQLite format 3\0":
            return
    # A name may hold what means something in an address.
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        answer = str(error)
    finally:
        connection.close()
    if answer != "ok":
        raise ResticError(f"{path.name} of the restore point is damaged: {answer}.", kind="drill_differs")


# --- the database ---


def _database(
    configuration: Configuration, restic: Restic, part: Mapping[str, Any]
) -> tuple[str, dict[str, int]]:
    """Into a scratch database of this host's server; where that cannot be, read to its end.

    What the application has put into its database runs while it is restored: index expressions, constraints,
    triggers. So its own user restores it, as its own role.
    """
    user = configuration.account.name
    if configuration.own_server:
        with _scratch(configuration, part) as there:
            if there:
                found = fetching.fetch(
                    restic,
                    part,
                    user,
                    lambda account, stream: _into_scratch(configuration, account, stream, part),
                    silence=PATIENCE,
                )
                return "restored", found["rows"]
    found = fetching.fetch(restic, part, user, _count_by_reading, silence=PATIENCE)
    return "read", found["rows"]


def _address(configuration: Configuration) -> str:
    """The application's address, as the application's user reads it."""
    values, _redactor = streams.deployed_settings(Layout(configuration.root_directory))
    return values.get("DATABASE_URL", "")


def _into_scratch(
    configuration: Configuration, account: Account, stream: fetching.Reading, part: Mapping[str, Any]
) -> dict[str, Any]:
    url = _in_scratch(_address(configuration))
    database = target(url)
    argv = ["pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--no-password"]
    environment = {**application_environment(account), **database.environment}
    _feed([*argv, f"--dbname={database.address}"], environment, stream)
    connection = streams.connect(url, Redactor(secrets({"DATABASE_URL": url})))
    try:
        with connection, connection.cursor() as cursor:
            rows = streams.counts(cursor)
            revisions = streams.revisions_of(cursor, rows)
    finally:
        connection.close()
    if revisions != list(part["schema"]):
        raise ResticError(
            f"The restored database has the schema {', '.join(revisions) or 'none'}, the manifest tells of "
            f"{', '.join(part['schema']) or 'none'}.",
            kind="drill_differs",
        )
    return {"rows": rows}


def _in_scratch(url: str) -> str:
    """The same login, in the scratch database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{SCRATCH}"))


@contextlib.contextmanager
def _scratch(configuration: Configuration, part: Mapping[str, Any]) -> Generator[bool]:
    """A database of the application's role, which is gone afterwards; False where it can have none.

    The server's administrator makes and removes it, and is never in it.
    """

    def usable(_account: Account) -> bool:
        # The server's administrator may have said who may log in where.
        with contextlib.suppress(DeploymentError):
            streams.connect(_in_scratch(_address(configuration)), Redactor()).close()
            return True
        return False

    made = _create(configuration, part)
    try:
        yield made and bool(privileges.as_user(configuration.account.name, usable, deadline=60))
    finally:
        if made:
            for statement in (_TAKE, _DROP):
                server.ask_server(configuration, statement, timeout=_ADMINISTRATION)


def _create(configuration: Configuration, part: Mapping[str, Any]) -> bool:
    """Whether there is one now. Extensions that only a superuser may create are beyond the application."""
    room.need_room_of_server(part, "The drill")
    if not server.login_is_ordinary(configuration):
        return False
    trusted = server.ask_server(configuration, _TRUSTED).split()
    if not set(part.get("extensions") or ()) <= set(trusted):
        return False
    for statement in (_TAKE, _DROP, _CREATE.format(owner=configuration.login), _CLOSE):
        server.ask_server(configuration, statement, timeout=_ADMINISTRATION)
    return True


def _feed(argv: list[str], environment: Mapping[str, str], stream: fetching.Reading) -> None:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
        )
        privileges.stop_with(process.kill)
        restorer = asked_for(process.stdin)
        with contextlib.suppress(BrokenPipeError):
            while block := stream.read(1 << 20):
                restorer.write(block)
            restorer.close()
        status = process.wait()
        if status != 0:
            output.seek(0)
            lines = output.read(1 << 16).decode("utf-8", "replace").splitlines()
            raise ResticError(
                f"The database of the restore point cannot be restored: {lines[0] if lines else status}",
                kind="drill_differs",
                details={"output": lines[-10:]},
            )


def _count_by_reading(account: Account, stream: fetching.Reading) -> dict[str, Any]:
    """Without a server to restore into: pg_restore writes it all out, and the rows are counted."""
    rows: dict[str, int] = {}
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            ["pg_restore", "--file=-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=user_environment(account),
            cwd="/",
        )
        privileges.stop_with(process.kill)
        feeder = threading.Thread(target=_pour, args=(stream, asked_for(process.stdin)), daemon=True)
        feeder.start()
        table, begins = "", True
        for line in pieces(asked_for(process.stdout)):
            if table and begins and line == b"\\.\n":
                table = ""
            elif table:
                rows[table] += line.endswith(b"\n")
            elif begins and (found := _COPY.match(line)):
                table = found[1].decode("utf-8", "replace").strip('"')
                rows[table] = 0
                if len(rows) > _MOST_TABLES:
                    process.kill()
            begins = line.endswith(b"\n")
        feeder.join()
        if process.wait() != 0:
            complaints.seek(0)
            lines = complaints.read(1 << 16).decode("utf-8", "replace").splitlines()
            raise ResticError(
                f"The database of the restore point cannot be read: {lines[-1] if lines else 'no reason'}",
                kind="drill_differs",
            )
    return {"rows": rows}


def _pour(stream: fetching.Reading, pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):
        while block := stream.read(1 << 20):
            pipe.write(block)
        pipe.close()
