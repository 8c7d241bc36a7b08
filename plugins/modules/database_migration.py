#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_migration
short_description: Bring the database of Mission Control to the schema of a release
version_added: "1.0.0"
description:
  - Compares the database with the migrations of a prepared release and applies those that are missing,
    once, under
    an advisory lock, before the release is started.
  - Refuses a release whose migrations end in several heads, and a database that is ahead of the release.
  - A release whose migration fails is marked as failed, with the reason.
  - A statement that waits for a lock gives up after O(statement_lock_timeout), so that the release that
    serves is
    not held up.
options:
  state:
    description:
      - V(upgraded) applies what is missing, V(inspected) only tells.
      - V(compared) tells too, also of a database that is ahead of the release, as before a rollback.
      - V(downgraded) takes back the migrations that the release does not know, with the code of the newest
        release on the host that knows them. What is only in the tables and columns of those migrations is
        lost, so back the database up and stop the services first.
    type: str
    choices: [upgraded, inspected, compared, downgraded]
    default: upgraded
  user:
    description: The application's user.
    type: str
    default: mission-control
  root:
    description: The application's root.
    type: path
    required: true
  release:
    description: Name of the prepared release; without it the current one is taken.
    type: str
    default: ""
  database_url:
    description:
      - Address of the database that the release will have. Check mode needs it for a release that is not
        made yet; otherwise the release's own settings name it.
    type: str
    default: ""
  wait:
    description: Seconds to wait for another migration of the same database.
    type: float
    default: 120
  made_by:
    description: Who deploys, for the description of a release whose migration failed.
    type: str
    default: ""
  statement_lock_timeout:
    description: Seconds that a statement of a migration may wait for a lock.
    type: float
    default: 5
attributes:
  check_mode:
    description:
      - Can run in check mode and shows the pending migrations. Of a release whose source is not on the host
        yet it says that they are not known.
    support: full
  diff_mode:
    description: Shows the revision before and after, with the migrations between.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Show what a release would change in the database
  openclaw.mission_control.database_migration:
    root: /home/mission-control/mission-control
    release: "{{ prepared.id }}"
    state: inspected

- name: Migrate before the release is started
  openclaw.mission_control.database_migration:
    root: /home/mission-control/mission-control
    release: "{{ prepared.id }}"
"""

RETURN = r"""
current:
  description: Revisions that the database is at.
  type: list
  elements: str
  returned: success
head:
  description: Revision that the release needs.
  type: str
  returned: success
pending:
  description: Migrations that are missing, in the order of their application.
  type: list
  elements: dict
  returned: success
  contains:
    revision:
      description: Its identifier.
      type: str
    message:
      description: Its first line.
      type: str
relation:
  description:
    - V(same), V(behind) when migrations are missing, or V(ahead) when the release does not know the
      database's revision.
  type: str
  returned: with O(state=compared)
  choices: [same, behind, ahead]
beyond:
  description:
    - Migrations that the database has and the release does not know, as far as another release on the host
      knows them, in the order of their application.
  type: list
  elements: dict
  returned: with O(state=compared) and O(state=downgraded)
backups:
  description: Backups that were taken when the database had the schema that the release needs, newest first.
  type: list
  elements: str
  returned: with O(state=compared)
code:
  description: The release whose code knows the database's schema, if there is one on the host.
  type: str
  returned: with O(state=compared) and O(state=downgraded)
known:
  description: V(false) when nothing can be said yet of the migrations, because the source is not on the host.
  type: bool
  returned: in check mode
taken_back:
  description: Identifiers of the migrations that were, or in check mode would be, taken back, in this order.
  type: list
  elements: str
  returned: with O(state=downgraded)
empty:
  description: Whether there is nothing in the database, so that there is nothing to back up either.
  type: bool
  returned: with O(state=inspected) and O(state=upgraded)
applied:
  description: Identifiers of the migrations that this run applied.
  type: list
  elements: str
  returned: success
"""

import re
import signal
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import migrations
from ..module_utils._application.layout import Layout
from ..module_utils._database import backup, schema
from ..module_utils._host import errors, logged_commands, privileges
from ..module_utils._host.accounts import Account
from ..module_utils._host.errors import HostError
from ..module_utils._redaction import Redactor
from ..module_utils._release import outcome, records, source


def migrate(parameters: dict[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    identifier = parameters["release"] or records.current_release(layout)
    if identifier and (layout.release(identifier) / "backend" / ".env").exists():
        backend = layout.release(identifier) / "backend"
        versions = backend / "migrations" / "versions"
        predicted = False
    elif check_mode:
        predicted = True
        # The release would have been prepared before. Its source may be there, and the current release
        # leads to the database.
        backend = layout.current / "backend"
        versions = (
            source.SourceStore(layout.root).tree(identifier or "-") / "backend" / "migrations" / "versions"
        )
        if not versions.is_dir() or not (backend / ".env").exists():
            return unknown(versions.is_dir())
    else:
        raise errors.DeploymentError(
            f"There is no prepared release {identifier or ''} with a backend below {layout.releases}.",
            kind="no_release",
            remedy="Prepare it first (module openclaw.mission_control.release, state: prepared).",
        )
    graph = migrations.read_graph(versions)
    head = schema.single_head(graph)
    waits = (parameters["wait"], parameters["statement_lock_timeout"])
    database = schema.Database(backend, *waits)
    wanted = schema.Database(backend, *waits, parameters["database_url"]) if predicted else database
    environment, redactor = logged_commands.application_environment(account), Redactor(database.secrets)
    redactor.add(*wanted.secrets)
    commands = logged_commands.Commands(logged_commands.NO_LOG, environment, redactor=redactor)
    current, empty = (predict(database, wanted, commands), False) if predicted else database.look(commands)
    if parameters["state"] == "compared":
        return compare(layout, graph, head, current)
    if parameters["state"] == "downgraded":
        return downgrade(parameters, check_mode, account, layout, graph, database)
    schema.check_known(graph, current)
    pending = graph.pending(current)
    answer: dict[str, Any] = {
        "changed": bool(pending),
        "current": current,
        "head": head,
        "pending": [{"revision": item.identifier, "message": item.message} for item in pending],
        "applied": [],
        "empty": empty,
        "diff": {
            "before_header": "schema of the database",
            "after_header": "schema of the database",
            "before": "".join(f"at {name}\n" for name in current) or "empty\n",
            "after": "".join(f"apply {item.identifier}: {item.message}\n" for item in pending)
            + f"at {head}\n",
        },
    }
    if not pending:
        answer["diff"]["after"] = answer["diff"]["before"]
    if parameters["state"] == "inspected":
        return {**answer, "changed": False}
    if pending and not check_mode:
        log = layout.log / "migration.log"
        try:
            reached = database.upgrade(logged_commands.Commands(log, environment, redactor=redactor))
            if reached != [head]:
                raise errors.DeploymentError(
                    f"The migration left the database at {', '.join(reached) or 'nothing'}, not at {head}.",
                    kind="not_at_head",
                    details={"log": str(log)},
                )
        except errors.DeploymentError as error:
            # Not one whose database was busy or away: it may do when it is tried again.
            if error.kind in ("command_failed", "not_at_head") and records.document(backend.parent):
                reason = f"migration: {_why(error)}"
                outcome.mark(layout, str(identifier), "failed", parameters["made_by"], reason)
            raise
        answer.update(current=reached, applied=[item.identifier for item in pending], log=str(log))
    return answer


def predict(
    present: schema.Database, wanted: schema.Database, commands: logged_commands.Commands
) -> list[str]:
    """What the database of a release that check mode has not made is at; one that is to be made is empty."""
    try:
        return list(wanted.current(commands))
    except errors.DeploymentError as error:
        if error.kind != "no_database":
            raise
    # A password that is still to be set, or another database.
    return list(present.current(commands)) if wanted.name == present.name else []


def _why(error: errors.DeploymentError) -> str:
    """The line of a program's output that names its failure: of a traceback the first after the frames."""
    lines = [
        line.strip()
        for line in error.details.get("output", [])
        if re.match(r"[\w.]+(Error|Exception)\b", line)
    ]
    return str(lines[-1] if lines else error.message)[:200]


def unknown(source_known: bool) -> dict[str, Any]:
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


def compare(layout: Layout, graph: migrations.Graph, head: str, current: list[str]) -> dict[str, Any]:
    relation = schema.compare(graph, current)
    code, newer = outcome.knowing(layout, current) if relation == "ahead" else (None, None)
    beyond = schema.beyond(graph, newer, current) if newer is not None else []
    pending = graph.pending(current) if relation == "behind" else []
    return {
        "changed": False,
        "current": current,
        "head": head,
        "relation": relation,
        "code": code,
        "pending": [{"revision": item.identifier, "message": item.message} for item in pending],
        "beyond": [{"revision": item.identifier, "message": item.message} for item in beyond],
        "backups": [str(path) for path in backup.backups(layout.backups) if backup.schema_of(path) == head],
        "applied": [],
    }


def downgrade(
    parameters: dict[str, Any],
    check_mode: bool,
    account: Account,
    layout: Layout,
    graph: migrations.Graph,
    database: schema.Database,
) -> dict[str, Any]:
    environment, redactor = logged_commands.application_environment(account), Redactor(database.secrets)
    current = database.current(
        logged_commands.Commands(logged_commands.NO_LOG, environment, redactor=redactor)
    )
    head = schema.single_head(graph)
    answer = compare(layout, graph, head, current)
    code = answer["code"]
    if answer["relation"] != "ahead":
        return {**answer, "taken_back": []}
    newer = (
        migrations.read_graph(layout.release(code) / "backend" / "migrations" / "versions") if code else None
    )
    if newer is None or head not in newer.ancestors(current):
        raise errors.DeploymentError(
            f"The database is at {', '.join(current)}. No release on this host knows the way back to {head}.",
            kind="no_code",
            remedy="Restore a backup from before those migrations, or deploy a newer release.",
        )
    taken_back = [item["revision"] for item in reversed(answer["beyond"])]
    lines = "".join(
        f"take back {item['revision']}: {item['message']}\n" for item in reversed(answer["beyond"])
    )
    answer.update(
        changed=True,
        taken_back=taken_back,
        diff={
            "before_header": "schema of the database",
            "after_header": "schema of the database",
            "before": "".join(f"at {name}\n" for name in current),
            "after": f"{lines}at {head}\n",
        },
    )
    if check_mode:
        return answer
    log = layout.log / "migration.log"
    # The code that knows the migrations, the settings that lead to the database.
    able = schema.Database(
        layout.release(code) / "backend",
        parameters["wait"],
        parameters["statement_lock_timeout"],
        url=database.url,
    )
    reached = able.downgrade(logged_commands.Commands(log, environment, redactor=redactor), head)
    if reached != [head]:
        raise errors.DeploymentError(
            f"After that the database is at {', '.join(reached) or 'nothing'}, not at {head}.",
            kind="not_at_head",
            details={"log": str(log)},
        )
    return {**answer, "current": reached, "log": str(log)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": ["upgraded", "inspected", "compared", "downgraded"],
                "default": "upgraded",
            },
            "user": {"type": "str", "default": "mission-control"},
            "root": {"type": "path", "required": True},
            "release": {"type": "str", "default": ""},
            "database_url": {"type": "str", "default": "", "no_log": True},
            "made_by": {"type": "str", "default": ""},
            "wait": {"type": "float", "default": 120},
            "statement_lock_timeout": {"type": "float", "default": 5},
        },
        supports_check_mode=True,
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parameters = module.params
    try:
        answer = privileges.as_user(
            parameters["user"], lambda account: migrate(parameters, module.check_mode, account)
        )
    except HostError as error:
        if module.check_mode and error.kind == "no_such_user":
            # The user would have been created before, so there is no release of his to look at.
            module.exit_json(**unknown(source_known=False))
        module.fail_json(**error.result())
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
