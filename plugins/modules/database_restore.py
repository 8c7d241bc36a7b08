#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_restore
short_description: Restore a backup of the database of Mission Control
version_added: "1.0.0"
description:
  - Reads a backup of M(openclaw.mission_control.database_backup) back into the database, in one transaction.
    Afterwards the database is either as in the backup or as it was.
  - What was there stays in a schema of its own, C(public_before_<time>), in the same database, until somebody
    drops it.
  - It is done with the application's login. That has to own the schema C(public) with its tables and may have
    to create a schema, as the owner of a database may. Without these rights, or with extensions in the schema
    C(public), it is refused before anything is changed.
  - Stop the services first. A program that is connected goes on with the tables that were renamed.
requirements:
  - C(pg_restore) and C(psql) on the host, not older than the server (Debian package C(postgresql-client)).
options:
  release:
    description:
      - The release whose settings lead to the database and whose migrations the backup has to fit. Without it
        the current one is taken.
    type: str
    default: ""
  backup:
    description: The backup. Without it the newest that has the schema of the release is taken.
    type: path
  timeout:
    description: Seconds that the reading of the backup may take, and the restoration.
    type: float
    default: 1800
attributes:
  check_mode:
    description: Can run in check mode, looks at the rights and says what would be restored.
    support: full
  diff_mode:
    description: Shows the schema before and after.
    support: full
extends_documentation_fragment:
  - openclaw.mission_control.application
  - openclaw.mission_control.application.schema
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Have the database as it was before the last migration
  openclaw.mission_control.database_restore:
    root: /home/mission-control/mission-control
    release: "{{ older.id }}"
"""

RETURN = r"""
backup:
  description: The backup that was, or in check mode would be, restored.
  type: str
  returned: success
before:
  description: Revisions that the database was at.
  type: list
  elements: str
  returned: success
current:
  description: Revisions that the database is at.
  type: list
  elements: str
  returned: success
kept:
  description: The schema that what was there before is in now.
  type: str
  returned: when not in check mode
seconds:
  description: How long it took.
  type: float
  returned: when not in check mode
output:
  description: The last lines of a program that failed.
  type: list
  elements: str
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._database.restore import restore_release


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            **module_options.SCHEMA,
            "release": {"type": "str", "default": ""},
            "backup": {"type": "path"},
            "timeout": {"type": "float", "default": 1800},
        },
        supports_check_mode=True,
    )
    run_as_user(module, lambda account: restore_release(module.params, module.check_mode, account))


if __name__ == "__main__":
    main()
