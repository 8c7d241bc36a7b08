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
extends_documentation_fragment:
  - openclaw.mission_control.application
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

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._database.backup import back_up


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            "release": {"type": "str", "default": ""},
            "schema": {"type": "list", "elements": "str", "default": []},
            "keep": {"type": "int", "default": 5},
            "protect": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 1800},
        },
        supports_check_mode=True,
    )
    run_as_user(module, lambda account: back_up(module.params, module.check_mode, account))


if __name__ == "__main__":
    main()
