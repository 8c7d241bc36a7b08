# SPDX-License-Identifier: GPL-3.0-or-later
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
from .._application.migration_order import ancestors, lacking
from .._host.accounts import Account
from .._host.clean_environment import application_environment
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import NO_LOG
from .._redaction import Redactor
from .._release import outcome, records, source
from . import comparison, extensions, schema
from .backups import backups, schema_of
from .commands import DatabaseCommands


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
    # In check mode: the release is still to be made, and perhaps its database.
    predicted: bool = False

    @property
    def log(self) -> Path:
        return self.layout.log / "migration.log"

    def commands(self) -> DatabaseCommands:
        """DatabaseCommands that write to the log of migrations."""
        environment = application_environment(self.account)
        return DatabaseCommands(self.log, environment, redactor=Redactor(self.database.secrets))


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
        comparison.check_known(schemas.graph, schemas.current)
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
    identifier = parameters["release"] or layout.current_release or ""
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
    # Of a release that stands, the address that its own settings name may be one of before.
    database = schema.Database(backend, *waits, "" if predicted else parameters["database_url"])
    wanted = schema.Database(backend, *waits, parameters["database_url"]) if predicted else database
    redactor = Redactor(database.secrets)
    redactor.add(*wanted.secrets)
    commands = DatabaseCommands(NO_LOG, application_environment(account), redactor=redactor)
    current, empty = (predict(database, wanted, commands), False) if predicted else database.look(commands)
    return Schemas(layout, identifier, graph, head, database, current, empty, account, predicted)


def _source_versions(layout: Layout, identifier: str) -> Path:
    return migrations.directory_of(source.SourceStore(layout.root).tree(identifier or "-") / "backend")


def _source_known(parameters: Mapping[str, Any]) -> bool:
    layout = Layout(Path(parameters["root"]))
    return _source_versions(layout, parameters["release"] or layout.current_release or "").is_dir()


def predict(present: schema.Database, wanted: schema.Database, commands: DatabaseCommands) -> list[str]:
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
    comparison.check_known(schemas.graph, schemas.current)
    missing = lacking(schemas.graph, schemas.current)
    _refuse_extensions(schemas, missing)
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


def _refuse_extensions(schemas: Schemas, missing: Sequence[migrations.Revision]) -> None:
    """What a migration would fail at for want of an extension is told before anything is done."""
    wanted = extensions.needed(missing)
    if not wanted or schemas.predicted:
        return
    commands = DatabaseCommands(
        NO_LOG, application_environment(schemas.account), redactor=Redactor(schemas.database.secrets)
    )
    there = schemas.database.extensions(commands)
    extensions.refuse_missing(wanted, there, schemas.database.name[2].lstrip("/"))


def relation(schemas: Schemas) -> dict[str, Any]:
    """How the database stands to the release, and what there is to change that."""
    found = comparison.compare(schemas.graph, schemas.current)
    code, newer = outcome.knowing(schemas.layout, schemas.current) if found == "ahead" else (None, None)
    beyond = comparison.beyond(schemas.graph, newer, schemas.current) if newer is not None else []
    missing = lacking(schemas.graph, schemas.current) if found == "behind" else []
    found_backups = backups(schemas.layout.backups)
    return {
        "changed": False,
        "current": schemas.current,
        "head": schemas.head,
        "relation": found,
        "code": code,
        "pending": _shown(missing),
        "beyond": _shown(beyond),
        "backups": [str(path) for path in found_backups if schema_of(path) == schemas.head],
        "applied": [],
    }


def _able(schemas: Schemas, code: str | None, parameters: Mapping[str, Any]) -> schema.Database:
    """The code that knows the way back, with the settings that lead to the database."""
    backend = schemas.layout.release(code) / "backend" if code else None
    newer = migrations.read_graph(migrations.directory_of(backend)) if backend else None
    if backend is None or newer is None or schemas.head not in ancestors(newer, schemas.current):
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
