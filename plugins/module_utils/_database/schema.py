# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's schema against a release's. Revisions are read from files, alembic runs when needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import _redaction
from .._application.migrations import Graph
from .._host import reading
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import parse_environment_file, secret_names
from .._plain_json import parse_json
from .._redaction import Redactor
from .commands import DatabaseCommands
from .extensions import QUERY, Extension

# Any number will do, but it must be the same wherever migrations of this product are run.
ADVISORY_LOCK = 0x4D43_6D69_6772


def single_head(graph: Graph) -> str:
    if not graph.revisions:
        raise DeploymentError(
            "The release has no migrations in backend/migrations/versions.", kind="no_migrations"
        )
    if len(graph.heads) != 1:
        raise DeploymentError(
            f"The release's migrations end in {len(graph.heads)} heads: {', '.join(graph.heads)}.",
            kind="several_heads",
            remedy="Choose another revision of the product; its authors have to merge them.",
        )
    return graph.heads[0]


# Runs under the release's own Python, in its backend directory, with its settings in the environment.
PROGRAM = r"""
import json, os, sys, time
import psycopg

order, wait, key = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
url = os.environ["DATABASE_URL"]
scheme, separator, rest = url.partition("://")
answer = {}

def look(connection):
    found = connection.execute("select to_regclass('alembic_version')").fetchone()[0]
    if found is None:
        return []
    # Cut by the server: in the table's place may be a view without end.
    rows = connection.execute("select left(version_num::text, 200) from alembic_version limit 1000")
    return sorted(row[0] for row in rows)

def is_empty(connection):
    # Whatever it holds, a view or a sequence, too: only what the server itself brought does not count.
    return not connection.execute(
        "select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast')"
    ).fetchone()[0]

name = "mission-control-migration"
try:
    connection = psycopg.connect(
        "postgresql://" + rest, autocommit=True, connect_timeout=10, application_name=name
    )
except psycopg.Error as error:
    message = " ".join(str(error).split())
    print("@@" + json.dumps({"error": "connect", "message": message}))
    sys.exit(0)
with connection:
    if order == "extensions":
        rows = connection.execute(sys.argv[4]).fetchall()
        answer["extensions"] = {row[0]: [bool(row[1]), bool(row[2])] for row in rows}
    elif order == "look":
        answer.update(current=look(connection), empty=is_empty(connection))
    else:
        deadline = time.monotonic() + wait
        while not connection.execute("select pg_try_advisory_lock(%s)", (key,)).fetchone()[0]:
            if time.monotonic() > deadline:
                print("@@" + json.dumps({"error": "locked"}))
                sys.exit(0)
            time.sleep(0.5)
        answer["before"] = look(connection)
        from alembic import command
        from alembic.config import Config
        if order == "downgrade":
            command.downgrade(Config("alembic.ini"), sys.argv[4])
        else:
            command.upgrade(Config("alembic.ini"), "head")
        answer["current"] = look(connection)
print("@@" + json.dumps(answer))
"""


class Database:
    """The database of a prepared release, through the release's own driver."""

    def __init__(self, backend: Path, wait: float, lock_timeout: float, url: str = "") -> None:
        self._backend = backend
        self._wait = wait
        self._lock_timeout = lock_timeout
        text = reading.read_regular(backend / ".env")
        self._values = parse_environment_file(text)
        self._secret_names = secret_names(text)
        if url:
            self._values["DATABASE_URL"] = url

    @property
    def name(self) -> tuple[str | None, int, str]:
        """Host, port and name of the database, whoever logs in."""
        parts = urlsplit(self._values.get("DATABASE_URL", ""))
        return parts.hostname, parts.port or 5432, parts.path

    @property
    def url(self) -> str:
        """The database's address with its password: for programs, never to be shown."""
        return str(self._values.get("DATABASE_URL", ""))

    @property
    def place(self) -> str:
        """The database's URL without its password."""
        url = self._values.get("DATABASE_URL", "")
        shown: str = Redactor(_redaction.secrets({"DATABASE_URL": url})).text(url)
        return shown

    @property
    def secrets(self) -> list[str]:
        """What must not stand in a log."""
        found: list[str] = _redaction.secrets(self._values, self._secret_names)
        return found

    def current(self, commands: DatabaseCommands) -> list[str]:
        """The revisions that the database is at; none in an empty one."""
        return self.look(commands)[0]

    def look(self, commands: DatabaseCommands) -> tuple[list[str], bool]:
        """The revisions that the database is at, and whether there is nothing in it at all."""
        found = self._ask(commands, "look", "Looking at the database's schema", "")
        return list(found["current"]), bool(found["empty"])

    def extensions(self, commands: DatabaseCommands) -> dict[str, Extension]:
        """The extensions that the server has, by name."""
        found = self._ask(commands, "extensions", "Looking at the server's extensions", "", QUERY)
        return {name: Extension(*states) for name, states in found["extensions"].items()}

    def upgrade(self, commands: DatabaseCommands) -> list[str]:
        """Apply what is missing, alone; returns what the database is at then."""
        remedy = f"All migrations of a run are one transaction: the schema is as before. See {commands.log}."
        return list(self._ask(commands, "upgrade", "Migrating the database", remedy)["current"])

    def downgrade(self, commands: DatabaseCommands, revision: str) -> list[str]:
        """Take back what came after the revision, alone; returns what the database is at then."""
        remedy = f"All of it is one transaction: the schema is as before. See {commands.log}."
        what = f"Taking the database back to {revision}"
        return list(self._ask(commands, "downgrade", what, remedy, revision)["current"])

    def _ask(
        self, commands: DatabaseCommands, order: str, what: str, remedy: str, *more: str
    ) -> Mapping[str, Any]:
        # A statement that waits for a lock would make every request of the old release wait behind it.
        options = f"-c lock_timeout={int(self._lock_timeout * 1000)}"
        output = commands(
            [
                self._backend / ".venv/bin/python",
                "-c",
                PROGRAM,
                order,
                str(self._wait),
                str(ADVISORY_LOCK),
                *more,
            ],
            what=what,
            shown=f"alembic ({order})",
            cwd=self._backend,
            environment={**self._values, "PGOPTIONS": options, "PYTHONDONTWRITEBYTECODE": "1"},
            remedy=remedy,
        )
        lines = [line for line in output.split("\n") if line.startswith("@@")]
        answer: dict[str, Any] = parse_json(lines[-1][2:]) if lines else {}
        if answer.get("error") == "connect":
            raise DeploymentError(
                f"The backend's database {self.place} cannot be reached: {answer['message']}.",
                kind="no_database",
                remedy="Check DATABASE_URL (mission_control_database_url), the server, its pg_hba.conf.",
            )
        if answer.get("error") == "locked":
            raise DeploymentError(
                f"Another migration has been running for more than {self._wait:g} s.",
                kind="locked",
                remedy="Wait for it; look for mission-control-migration in pg_stat_activity.",
            )
        return answer
