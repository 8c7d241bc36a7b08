# SPDX-License-Identifier: GPL-3.0-or-later
"""The database on its way into a restore point, by its user's own process into a pipe of root's."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

from .._application.layout import Layout
from .._database import schema
from .._database.address import AddressError, libpq_url
from .._database.backups import KEPT
from .._database.few import few_rows
from .._database.login import load_psycopg2, refusal
from .._database.target import target
from .._host import privileges, reading
from .._host.accounts import Account
from .._host.clean_environment import application_environment
from .._host.commands import run
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import parse_environment_file, secret_names
from .._host.pipes import asked_for
from .._redaction import Redactor, secrets
from .owners import alive

_BLOCK = 1 << 20


class Digesting:
    """A stream that knows its digest and its length."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        alive()
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def facts(self) -> dict[str, Any]:
        self._file.flush()
        return {"bytes": self.size, "sha256": self._digest.hexdigest()}


class Restricted:
    """SQL on its way into a file, in which psql shall obey no command, whoever has written it.

    pg_dump says the same with a key of its own, which the user whose process it is can know.
    """

    _OWN = re.compile(rb"^\\(un)?restrict [^\n]*\n", re.MULTILINE)
    # Bytes of a line that may still become one of those.
    _LINE = 1 << 12

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rest, self._begins = file, b"", True
        self._key = token_hex(16).encode()
        file.write(b"\\restrict " + self._key + b"\n")

    def write(self, data: bytes) -> int:
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if newline:
            self._pass_on(lines + newline)
        if len(self._rest) > self._LINE:
            self._pass_on(self._rest)
            self._rest = b""
        return len(data)

    def _pass_on(self, text: bytes) -> None:
        # What goes on a line that has begun before is no command.
        kept = b"" if self._begins else text[: text.find(b"\n") + 1] or text
        self._file.write(kept + self._OWN.sub(b"", text[len(kept) :]))
        self._begins = text.endswith(b"\n")

    def close(self) -> None:
        self._pass_on(self._rest + b"\n\\unrestrict ")
        self._file.write(self._key + b"\n")


# --- the database ---


def deployed_settings(layout: Layout, release: str = "") -> tuple[dict[str, str], Redactor]:
    """The settings of a release, by default the current one, and what hides their secrets."""
    identifier = release or layout.current_release
    try:
        text = reading.read_regular(layout.release(identifier or "-") / "backend" / ".env")
    except FileNotFoundError:
        raise DeploymentError(
            f"There is no release with a backend below {layout.releases}.",
            kind="no_release",
            remedy="Deploy first (playbooks/deploy.yml).",
        ) from None
    values = parse_environment_file(text)
    return values, Redactor(secrets(values, secret_names(text)))


def counts(cursor: Any, name: str = "public") -> dict[str, int]:
    """The number of rows of each table of a schema."""
    cursor.execute(
        "SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relkind IN ('r', 'p') "
        "AND NOT c.relispartition ORDER BY 2",
        (name,),
    )
    found = {}
    for quoted, table in cursor.fetchall():
        alive()
        cursor.execute(f"SELECT count(*) FROM {quoted}")  # noqa: S608 (quoted by the server)
        found[table] = int(cursor.fetchone()[0])
    return found


def revisions_of(cursor: Any, tables: Container[str]) -> list[str]:
    """The revisions that a database is at; none where it has no migrations among its tables."""
    if "alembic_version" not in tables:
        return []
    return [row[0] for row in few_rows(cursor, ["version_num"], "FROM public.alembic_version ORDER BY 1")]


def connect(url: str, redactor: Redactor, application: str = "mission-control-backup") -> Any:
    """A connection to the application's database."""
    psycopg2 = load_psycopg2()
    try:
        known = libpq_url(url)
    except AddressError as error:
        raise DeploymentError(
            str(error), kind="no_database", remedy="Correct DATABASE_URL in the settings, and deploy."
        ) from None
    try:
        return psycopg2.connect(known, passfile=os.devnull, connect_timeout=10, application_name=application)
    except psycopg2.Error as error:
        problem = refusal(redactor.text(str(error)), url, "this host")
        raise DeploymentError(
            redactor.text(f"The database cannot be reached: {problem.cause}"),
            kind=problem.kind,
            remedy=redactor.text(problem.remedy),
        ) from None


# What pg_restore reads, and what psql does.
_CUSTOM = ("--format=custom", "--compress=0")
_PLAIN = ("--format=plain", "--no-owner", "--no-privileges")


def dump_database(
    root: Path, account: Account, descriptor: int, wait: float = 300.0, *, plain: bool = False, url: str = ""
) -> dict[str, Any]:
    """pg_dump into the descriptor, with the schema and the rows of the very moment that it dumps."""
    layout = Layout(root)
    values, redactor = deployed_settings(layout)
    url = url or values.get("DATABASE_URL", "")
    database = target(url)
    connection = connect(url, redactor)
    try:
        cursor = connection.cursor()
        # A migration waits for the dump, instead of failing at its locks; and the other way round.
        cursor.execute("SET lock_timeout = %s", (int(wait * 1000),))
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", (schema.ADVISORY_LOCK,))
        connection.commit()
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version_num')::int")
        snapshot, version = cursor.fetchone()
        extensions = extensions_of(cursor)
        need_client(account, version // 10000)
        argv = ["pg_dump", *(_PLAIN if plain else _CUSTOM), "--no-password", f"--snapshot={snapshot}"]
        argv += ["--lock-wait-timeout=30s", f"--exclude-schema={KEPT}*", f"--dbname={database.address}"]
        environment = {**application_environment(account), **database.environment}
        # Both read every row; beside each other one of them finds it in memory.
        with ThreadPoolExecutor(1) as beside:
            counting = beside.submit(counts, cursor)
            try:
                stream = _program(argv, environment, descriptor, redactor, restricted=plain)
            except BaseException:
                connection.cancel()
                raise
            rows = _counted(counting)
        revisions = revisions_of(cursor, rows)
    finally:
        connection.close()
    return {
        **stream,
        "schema": revisions,
        "rows": rows,
        "server": version // 10000,
        "extensions": extensions,
    }


def _counted(counting: Future[dict[str, int]]) -> dict[str, int]:
    try:
        return counting.result()
    except load_psycopg2().Error as error:
        raise DeploymentError(
            f"Not every table can be read: {str(error).splitlines()[0]}",
            kind="no_rights",
            remedy=_UNREADABLE,
        ) from None


def extensions_of(cursor: Any) -> list[str]:
    """What the database has beside what each one has."""
    found = few_rows(
        cursor, ["extname"], "FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
    )
    return [row[0] for row in found]


def need_client(account: Account, server: int) -> None:
    """pg_dump refuses a newer server; an external one may be newer than this host's distribution."""
    told = run(["pg_dump", "--version"], environment=application_environment(account)).stdout
    found = re.search(r"\) (\d+)", told)
    if found and int(found[1]) < server:
        raise DeploymentError(
            f"The database's server is PostgreSQL {server}, and this host's pg_dump is of {found[1]}.",
            kind="old_client",
            remedy=f"Install postgresql-client-{server}, from PostgreSQL's own repository "
            "(apt.postgresql.org) where this distribution has none.",
        )


_UNREADABLE = (
    "Have the database's administrator give it to the application's login (ALTER TABLE ... OWNER TO)."
)


def _program(
    argv: Sequence[str],
    environment: Mapping[str, str],
    descriptor: int,
    redactor: Redactor,
    *,
    restricted: bool = False,
) -> dict[str, Any]:
    """What a program writes, through our hands for its digest; it fails with the program."""
    with (
        tempfile.TemporaryFile() as complaints,
        os.fdopen(descriptor, "wb", closefd=False) as pipe,
    ):
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=dict(environment),
            cwd="/",
        )
        privileges.stop_with(process.kill)
        out = Digesting(pipe)
        closed = Restricted(pipe) if restricted else None
        dump = asked_for(process.stdout)
        try:
            while block := dump.read(_BLOCK):
                (closed or out).write(block)
                alive()
        except BaseException:
            process.kill()
            raise
        finally:
            dump.close()
            status = process.wait()
        if status != 0:
            complaints.seek(0)
            lines = redactor.text(complaints.read(1 << 16).decode("utf-8", "replace")).splitlines()
            refused = next((line for line in lines if "permission denied" in line), "")
            raise DeploymentError(
                f"{argv[0]} ended with status {status}: "
                f"{refused or (lines[-1] if lines else 'it said nothing')}",
                kind="no_rights" if refused else "dump_failed",
                remedy="Nothing was kept of it. "
                + (_UNREADABLE if refused else "Look at what it said, in the output."),
                details={"output": lines[-10:]},
            )
        if closed is not None:
            closed.close()
        return out.facts()
