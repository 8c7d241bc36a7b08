# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bring the database to the schema of a release, take it back to that of an older one, or only look.

To be called as the application's user. `parameters` are the options of the module database_migration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._application import migrations
from .._application.layout import Layout
from .._host.accounts import Account
from .._host.errors import DeploymentError
from .._host.logged_commands import NO_LOG, Commands, application_environment
from .._redaction import Redactor
from .._release import outcome, records, source
from . import backup, schema


@dataclass(frozen=True)
class Schemas:
    """What a release wants and what its database is at."""

    layout: Layout
    identifier: str
    graph: migrations.Graph
    head: str
    database: schema.Database
    current: list[str]
    empty: bool
    account: Account

    @property
    def log(self) -> Path:
        return self.layout.log / "migration.log"

    def commands(self) -> Commands:
        """Commands that write to the log of migrations."""
        environment = application_environment(self.account)
        return Commands(self.log, environment, redactor=Redactor(self.database.secrets))


def upgrade(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """Apply what is missing. A release whose migration fails is marked as failed."""
    schemas = look(parameters, check_mode, account)
    if schemas is None:
        return unknown(source_known=_source_known(parameters))
    answer = pending(schemas)
    if answer["changed"] and not check_mode:
        try:
            reached = schemas.database.upgrade(schemas.commands())
            _refuse_other_than(
                schemas.head, reached, "The migration left the database at {}, not at {}.", schemas.log
            )
        except DeploymentError as error:
            # Not one whose database was busy or away: it may do when it is tried again.
            release = schemas.layout.release(schemas.identifier)
            if error.kind in ("command_failed", "not_at_head") and records.document(release):
                reason = f"migration: {_why(error)}"
                outcome.mark(schemas.layout, schemas.identifier, "failed", parameters["made_by"], reason)
            raise
        applied = [item["revision"] for item in answer["pending"]]
        answer.update(current=reached, applied=applied, log=str(schemas.log))
    return answer


def inspect(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """How the database stands to the release, and what an upgrade would do."""
    schemas = look(parameters, check_mode, account)
    if schemas is None:
        return {**unknown(source_known=_source_known(parameters)), "changed": False}
    if parameters["refuse_newer"]:
        schema.check_known(schemas.graph, schemas.current)
    found = relation(schemas)
    return found if found["relation"] == "ahead" else {**found, **pending(schemas), "changed": False}


def downgrade(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """Take back the migrations that the release does not know, with the code of one that does."""
    schemas = look(parameters, check_mode, account)
    if schemas is None:
        return unknown(source_known=_source_known(parameters))
    answer = relation(schemas)
    if answer["relation"] != "ahead":
        return {**answer, "taken_back": []}
    able = _able(schemas, answer["code"], parameters)
    steps = list(reversed(answer["beyond"]))
    lines = "".join(f"take back {item['revision']}: {item['message']}\n" for item in steps)
    answer.update(
        changed=True,
        taken_back=[item["revision"] for item in steps],
        diff=_difference(schemas.current, f"{lines}at {schemas.head}\n"),
    )
    if check_mode:
        return answer
    reached = able.downgrade(schemas.commands(), schemas.head)
    _refuse_other_than(schemas.head, reached, "After that the database is at {}, not at {}.", schemas.log)
    return {**answer, "current": reached, "log": str(schemas.log)}


STATES = {"upgraded": upgrade, "downgraded": downgrade}


def look(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> Schemas | None:
    """Compare nothing yet: read the release's migrations, ask its database.

    None in check mode while nothing can be said of the migrations.
    """
    layout = Layout(Path(parameters["root"]))
    identifier = parameters["release"] or records.current_release(layout) or ""
    predicted = False
    backend = layout.release(identifier) / "backend"
    versions = migrations.directory_of(backend)
    if not identifier or not (backend / ".env").exists():
        if not check_mode:
            raise DeploymentError(
                f"There is no prepared release {identifier} with a backend below {layout.releases}.",
                kind="no_release",
                remedy="Prepare it first (module openclaw.mission_control.release, state: prepared).",
            )
        predicted = True
        # The release would have been prepared before. Its source may be there, and the current release
        # leads to the database.
        backend = layout.current / "backend"
        versions = _source_versions(layout, identifier)
        if not versions.is_dir() or not (backend / ".env").exists():
            return None
    graph = migrations.read_graph(versions)
    head = schema.single_head(graph)
    waits = (parameters["wait"], parameters["statement_lock_timeout"])
    database = schema.Database(backend, *waits)
    wanted = schema.Database(backend, *waits, parameters["database_url"]) if predicted else database
    redactor = Redactor(database.secrets)
    redactor.add(*wanted.secrets)
    commands = Commands(NO_LOG, application_environment(account), redactor=redactor)
    current, empty = (predict(database, wanted, commands), False) if predicted else database.look(commands)
    return Schemas(layout, identifier, graph, head, database, current, empty, account)


def _source_versions(layout: Layout, identifier: str) -> Path:
    return migrations.directory_of(source.SourceStore(layout.root).tree(identifier or "-") / "backend")


def _source_known(parameters: Mapping[str, Any]) -> bool:
    layout = Layout(Path(parameters["root"]))
    return _source_versions(layout, parameters["release"] or records.current_release(layout) or "").is_dir()


def predict(present: schema.Database, wanted: schema.Database, commands: Commands) -> list[str]:
    """What the database of a release that check mode has not made is at; one that is to be made is empty."""
    try:
        return list(wanted.current(commands))
    except DeploymentError as error:
        if error.kind != "no_database":
            raise
    # A password that is still to be set, or another database.
    return list(present.current(commands)) if wanted.name == present.name else []


def unknown(*, source_known: bool) -> dict[str, Any]:
    """The answer of check mode while nothing can be said of the migrations."""
    missing = "there is no database yet" if source_known else "the source is not on the host yet"
    record = f"not known before the deployment: {missing}"
    return {
        "changed": True,
        "known": False,
        "current": [],
        "head": None,
        "pending": [],
        "applied": [],
        "diff": {"prepared": f"migrations: {record}\n"},
    }


def pending(schemas: Schemas) -> dict[str, Any]:
    """What is missing in the database; one that is ahead of the release is refused."""
    schema.check_known(schemas.graph, schemas.current)
    missing = schemas.graph.pending(schemas.current)
    lines = "".join(f"apply {item.identifier}: {item.message}\n" for item in missing)
    diff = _difference(schemas.current, f"{lines}at {schemas.head}\n")
    if not missing:
        diff["after"] = diff["before"]
    return {
        "changed": bool(missing),
        "current": schemas.current,
        "head": schemas.head,
        "pending": _shown(missing),
        "applied": [],
        "empty": schemas.empty,
        "diff": diff,
    }


def relation(schemas: Schemas) -> dict[str, Any]:
    """How the database stands to the release, and what there is to change that."""
    found = schema.compare(schemas.graph, schemas.current)
    code, newer = outcome.knowing(schemas.layout, schemas.current) if found == "ahead" else (None, None)
    beyond = schema.beyond(schemas.graph, newer, schemas.current) if newer is not None else []
    missing = schemas.graph.pending(schemas.current) if found == "behind" else []
    backups = backup.backups(schemas.layout.backups)
    return {
        "changed": False,
        "current": schemas.current,
        "head": schemas.head,
        "relation": found,
        "code": code,
        "pending": _shown(missing),
        "beyond": _shown(beyond),
        "backups": [str(path) for path in backups if backup.schema_of(path) == schemas.head],
        "applied": [],
    }


def _able(schemas: Schemas, code: str | None, parameters: Mapping[str, Any]) -> schema.Database:
    """The code that knows the way back, with the settings that lead to the database."""
    backend = schemas.layout.release(code) / "backend" if code else None
    newer = migrations.read_graph(migrations.directory_of(backend)) if backend else None
    if backend is None or newer is None or schemas.head not in newer.ancestors(schemas.current):
        raise DeploymentError(
            f"The database is at {', '.join(schemas.current)}. No release on this host knows the way back to "
            f"{schemas.head}.",
            kind="no_code",
            remedy="Restore a backup from before those migrations, or deploy a newer release.",
        )
    return schema.Database(
        backend, parameters["wait"], parameters["statement_lock_timeout"], url=schemas.database.url
    )


def _refuse_other_than(head: str, reached: Sequence[str], message: str, log: Path) -> None:
    if list(reached) != [head]:
        raise DeploymentError(
            message.format(", ".join(reached) or "nothing", head),
            kind="not_at_head",
            details={"log": str(log)},
        )


def _difference(current: Sequence[str], after: str) -> dict[str, str]:
    return {
        "before_header": "schema of the database",
        "after_header": "schema of the database",
        "before": "".join(f"at {name}\n" for name in current) or "empty\n",
        "after": after,
    }


def _shown(revisions: Sequence[migrations.Revision]) -> list[dict[str, str]]:
    return [{"revision": item.identifier, "message": item.message} for item in revisions]


def _why(error: DeploymentError) -> str:
    """The line of a program's output that names its failure: of a traceback the first after the frames."""
    lines = [
        line.strip()
        for line in error.details.get("output", [])
        if re.match(r"[\w.]+(Error|Exception)\b", line)
    ]
    return str(lines[-1] if lines else error.message)[:200]
