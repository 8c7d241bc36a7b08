# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup back into the database, in one transaction, with what was there kept beside it.

The tables of the application are in the schema `public`. It is renamed, a new one is made with the same
owner and rights, and the backup is read into that. It is one transaction: afterwards the database is either
as it was or as in the backup. So it needs no superuser, no second database and nobody's connection to be
closed, only the owner's rights, which an external database may give too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._application import migrations
from .._application.layout import Layout
from .._host import privileges
from .._host.accounts import Account
from .._host.clean_environment import application_environment
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import NO_LOG
from .._redaction import Redactor
from .._times.record_stamps import name_stamp
from . import schema, streaming, target
from .backups import KEPT, backups, schema_of
from .commands import DatabaseCommands

_RIGHTS = """
SELECT current_database(), current_user,
       has_database_privilege(current_database(), 'CREATE'),
       coalesce(pg_has_role(n.nspowner, 'USAGE'), false),
       pg_get_userbyid(n.nspowner),
       (SELECT string_agg(e.extname, ', ') FROM pg_extension e WHERE e.extnamespace = n.oid),
       (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
        WHERE c.relnamespace = n.oid AND c.relkind NOT IN ('i', 'I') AND NOT pg_has_role(c.relowner, 'USAGE'))
FROM pg_namespace n WHERE n.nspname = 'public'
"""
_BEFORE = """
SET LOCAL lock_timeout = '{wait}ms';
SELECT pg_advisory_xact_lock({key});
SET LOCAL lock_timeout = '{lock_timeout}ms';
ALTER SCHEMA public RENAME TO "{kept}";
DO $$
DECLARE
  owner text;
  item record;
BEGIN
  SELECT pg_get_userbyid(nspowner) INTO owner FROM pg_namespace WHERE nspname = '{kept}';
  EXECUTE format('CREATE SCHEMA public AUTHORIZATION %I', owner);
  FOR item IN SELECT (aclexplode(nspacl)).* FROM pg_namespace WHERE nspname = '{kept}' LOOP
    EXECUTE format('GRANT %s ON SCHEMA public TO %s', item.privilege_type,
      CASE item.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(item.grantee)) END);
  END LOOP;
END $$;
"""
_AFTER = """
DO $$
BEGIN
  IF (SELECT array_agg(version_num::text ORDER BY version_num) FROM public.alembic_version)
     IS DISTINCT FROM ARRAY[{revisions}]::text[] THEN
    RAISE EXCEPTION 'the backup is not at {shown}';
  END IF;
END $$;
"""


@dataclass(frozen=True)
class Restored:
    kept: str
    seconds: float


def kept_name(moment: float) -> str:
    """The schema that what was there before is kept in."""
    return f"{KEPT}{name_stamp(moment)}".lower()


def check_rights(database: target.Target, commands: DatabaseCommands) -> None:
    """Refuse before anything is stopped or changed what the login may not do."""
    output = commands(
        [*streaming.PSQL, "--tuples-only", "--no-align", f"--dbname={database.address}", "-c", _RIGHTS],
        what="Looking at the rights in the database",
        shown="psql (rights)",
        environment=database.environment,
        remedy="Nothing was changed.",
    )
    lines = [line for line in output.split("\n") if line.count("|") == 6]
    if not lines:
        raise DeploymentError("The database has no schema public.", kind="no_rights")
    name, login, create, owns, owner, extensions, foreign = lines[0].split("|")
    obstacles = []
    if create != "t":
        obstacles.append(f"may not create schemas in {name} (GRANT CREATE ON DATABASE {name} TO {login})")
    if owns != "t":
        obstacles.append(
            f"does not own the schema public, {owner} does (ALTER SCHEMA public OWNER TO {login})"
        )
    if foreign:
        obstacles.append(f"does not own {foreign}")
    if obstacles:
        raise DeploymentError(
            f"A backup cannot be restored with the login {login}: it {'; it '.join(obstacles)}.",
            kind="no_rights",
            remedy="Nothing was changed. Have the database's administrator grant that or restore the backup.",
        )
    if extensions:
        raise DeploymentError(
            f"The schema public of {name} holds the extensions {extensions}, which would be moved away.",
            kind="extensions",
            remedy="Nothing was changed. Have the database's administrator restore the backup.",
        )


def _statements(kept: str, revisions: list[str], wait: float, lock_timeout: float) -> tuple[str, str]:
    """What is run in the transaction before the backup and after it."""
    before = _BEFORE.format(
        wait=int(wait * 1000),
        lock_timeout=int(lock_timeout * 1000),
        key=schema.ADVISORY_LOCK,
        kept=kept,
    )
    known = ", ".join(f"'{revision}'" for revision in sorted(revisions))
    return before, _AFTER.format(revisions=known, shown="+".join(sorted(revisions)))


def restore(
    dump: streaming.Readable,
    name: str,
    database: target.Target,
    commands: DatabaseCommands,
    *,
    revisions: list[str],
    moment: float,
    wait: float,
    lock_timeout: float,
    timeout: float,
    whole: Callable[[], None] = lambda: None,
) -> Restored:
    """Have the database as it is in the dump; what was there is in another schema.

    name: of the dump, for the log.
    whole: fails where what was read of the dump is not what was written.
    """
    started = time.monotonic()
    kept = kept_name(moment)
    before, after = _statements(kept, revisions, wait, lock_timeout)
    transaction = streaming.Transaction(before, after, whole)
    streaming.pour(dump, name, database, commands, transaction, timeout)
    return Restored(kept, round(time.monotonic() - started, 2))


def restore_release(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """What the module database_restore does, as the application's user. `parameters` are its options."""
    layout = Layout(Path(parameters["root"]))
    identifier = parameters["release"] or layout.current_release
    backend = layout.release(identifier or "-") / "backend"
    if not (backend / ".env").exists():
        raise DeploymentError(
            f"There is no release {identifier or ''} with a backend below {layout.releases}.",
            kind="no_release",
            remedy="List the releases (playbooks/releases.yml).",
        )
    head = schema.single_head(migrations.read_graph(migrations.directory_of(backend)))
    backup = _chosen(layout, parameters["backup"], head)
    database = schema.Database(backend, parameters["wait"], parameters["statement_lock_timeout"])
    environment, redactor = application_environment(account), Redactor(database.secrets)
    quiet = DatabaseCommands(NO_LOG, environment, redactor=redactor)
    before = database.current(quiet)
    login = target.target(database.url)
    check_rights(login, quiet)
    answer: dict[str, Any] = {
        "changed": True,
        "backup": str(backup),
        "before": before,
        "current": [head],
        "diff": {
            "before_header": "database",
            "after_header": "database",
            "before": f"schema {', '.join(before) or 'empty'}\n",
            "after": f"restore {backup}\nkeep what is there as public_before_<time>\nschema {head}\n",
        },
    }
    if check_mode:
        return answer
    commands = DatabaseCommands(layout.log / "migration.log", environment, redactor=redactor)
    privileges.stop_with(commands.cancel)
    with backup.open("rb") as dump:
        done = restore(
            dump,
            backup.name,
            login,
            commands,
            revisions=[head],
            moment=time.time(),
            wait=parameters["wait"],
            lock_timeout=parameters["statement_lock_timeout"],
            timeout=parameters["timeout"],
        )
    return {**answer, "kept": done.kept, "seconds": done.seconds}


def _chosen(layout: Layout, named: str | None, head: str) -> Path:
    if named:
        path = Path(named)
        if not path.is_file():
            raise DeploymentError(f"backup: there is no file {named}.", kind="no_backup")
        return path
    fit = [path for path in backups(layout.backups) if schema_of(path) == head]
    if not fit:
        raise DeploymentError(
            f"There is no backup in {layout.backups} of a database at {head}.",
            kind="no_backup",
            remedy="Name one (backup), or take the migrations back (database_migration, state: downgraded).",
        )
    newest: Path = fit[0]
    return newest
