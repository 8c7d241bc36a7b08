#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_backup
short_description: Back up the database of Mission Control
version_added: "1.0.0"
description:
  - Takes a compressed backup of the database that a release uses with C(pg_dump) and reads it again from
    beginning to end with C(pg_restore). Only then it counts, and only then older ones are removed.
  - Backups are in C(shared/backups) below the root, readable only by the application's user. Their names tell
    the time and the schema. Files with other names are left alone.
  - The password is given to the programs in their environment, never as an argument.
requirements:
  - C(pg_dump) and C(pg_restore) on the host, not older than the server (Debian package C(postgresql-client)).
options:
  user:
    description: The application's user.
    type: str
    default: mission-control
  root:
    description: The application's root.
    type: path
    required: true
  release:
    description: Name of a release whose settings lead to the database; without it the current one is taken.
    type: str
    default: ""
  schema:
    description:
      - Revisions that the database is at, as M(openclaw.mission_control.database_migration) returns them.
    type: list
    elements: str
    default: []
  keep:
    description: How many of the newest backups are left.
    type: int
    default: 5
  protect:
    description: Backups that are left in any case.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the backup may take, and the reading again.
    type: float
    default: 1800
attributes:
  check_mode:
    description: Can run in check mode and says which backups would be removed.
    support: full
  diff_mode:
    description: Shows the new backup and the removed ones.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Back up the database before it is migrated
  openclaw.mission_control.database_backup:
    root: /home/mission-control/mission-control
    release: "{{ prepared.id }}"
    schema: "{{ migration.current }}"
"""

RETURN = r"""
path:
  description: The backup.
  type: str
  returned: when not in check mode
size:
  description: Its size in bytes.
  type: int
  returned: when not in check mode
tables:
  description: Number of tables with their data in it.
  type: int
  returned: when not in check mode
seconds:
  description: How long it took, the reading again included.
  type: float
  returned: when not in check mode
removed:
  description: Older backups that were, or in check mode would be, removed.
  type: list
  elements: str
  returned: success
output:
  description: The last lines of a program that failed.
  type: list
  elements: str
  returned: failure
"""

import signal
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import environment
from ..module_utils._application.layout import Layout
from ..module_utils._database import backup
from ..module_utils._host import errors, logged_commands, privileges
from ..module_utils._host.accounts import Account
from ..module_utils._host.errors import HostError
from ..module_utils._redaction import Redactor
from ..module_utils._release import records


def back_up(parameters: dict[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    keep = parameters["keep"]
    name = backup.name_of(parameters["schema"], time.time())
    final = layout.backups / name
    if check_mode:
        # The new one counts too.
        doomed = [
            str(path)
            for path in backup.backups(layout.backups)[max(keep, 1) - 1 :]
            if str(path) not in parameters["protect"]
        ]
        return {"changed": True, "removed": doomed, "diff": _difference(str(final), doomed)}
    identifier = parameters["release"] or records.current_release(layout)
    settings = layout.release(identifier or "-") / "backend" / ".env"
    try:
        text = settings.read_text(encoding="utf-8")
        values = environment.parse(text)
    except FileNotFoundError:
        raise errors.DeploymentError(
            f"There is no release {identifier or ''} with a backend below {layout.releases}.",
            kind="no_release",
            remedy="Prepare it first (module openclaw.mission_control.release, state: prepared).",
        ) from None
    redactor = Redactor(environment.secrets(text))
    commands = logged_commands.Commands(
        layout.log / "migration.log", logged_commands.application_environment(account), redactor=redactor
    )
    privileges.stop_with(commands)
    database = backup.settings_target(values)
    taken = backup.take(layout.backups, name, database, commands, parameters["timeout"])
    removed = []
    for path in backup.surplus(layout.backups, keep, parameters["protect"]):
        path.unlink()
        removed.append(str(path))
    return {
        "changed": True,
        "path": str(taken.path),
        "size": taken.size,
        "tables": taken.tables,
        "seconds": taken.seconds,
        "removed": removed,
        "diff": _difference(str(taken.path), removed),
    }


def _difference(path: str, removed: list[str]) -> dict[str, str]:
    lines = [f"back up the database into {path}", *(f"remove {name}" for name in removed)]
    return {"prepared": "".join(f"{line}\n" for line in lines)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "default": "mission-control"},
            "root": {"type": "path", "required": True},
            "release": {"type": "str", "default": ""},
            "schema": {"type": "list", "elements": "str", "default": []},
            "keep": {"type": "int", "default": 5},
            "protect": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 1800},
        },
        supports_check_mode=True,
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    parameters: dict[str, Any] = module.params
    try:
        answer = privileges.as_user(
            parameters["user"], lambda account: back_up(parameters, module.check_mode, account)
        )
    except HostError as error:
        if module.check_mode and error.kind == "no_such_user":
            # The user would have been created before, so there is nothing to back up.
            module.exit_json(changed=False, removed=[])
        module.fail_json(**error.result())
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
