#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_restore
short_description: Restore what is in a restore point of Mission Control
version_added: "1.0.0"
description:
  - Restores the database (in one transaction), settings and identity, and the gateway's state, or one file.
    What stands there is kept until the restoration is kept or taken back.
  - Stop what uses it first, as C(playbooks/restore.yml) does; that also makes a safety backup and verifies
    afterwards.
  - Everything that can be seen beforehand is refused before anything is changed - a restore point that is not
    there, a newer schema or server, too little room, missing rights.
requirements:
  - C(restic) 0.17 or newer on the host, and C(pg_restore) and C(psql), not older than the server.
options:
  state:
    description:
      - V(restored) restores, V(returned) takes the last restoration back, V(kept) ends it - from then on
        there is no way back by itself.
    type: str
    choices: [restored, returned, kept]
    default: restored
  snapshot:
    description: Name or snapshot of the restore point. Without it the newest is taken.
    type: str
    default: ""
  time:
    description: The last restore point before this time is taken, such as V(2026-11-28 14:30:00) or V(2h).
    type: str
    default: ""
  parts:
    description: What of it is restored. Without it all that this host has.
    type: list
    elements: str
    choices: [database, settings, gateway]
    default: []
  release:
    description:
      - The release whose settings lead to the database and whose schema it has to fit. Without it the current
        one is taken.
    type: str
    default: ""
  present_only:
    description: Whether parts that the restore point does not have are left out instead of refused.
    type: bool
    default: false
  file:
    description: Only this file of the settings or the gateway, by its path on the host.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in check mode, and tells what would come back and what would be lost.
    support: full
  diff_mode:
    description: Shows the number of rows of each table that would change.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.backup
"""

EXAMPLES = r"""
- name: Have the database as it was yesterday evening
  openclaw.mission_control.backup_restore:
    time: yesterday
    parts: [database]
  become: true
"""

RETURN = r"""
point:
  description: The restore point.
  type: dict
  returned: when something is restored
parts:
  description: What was, or in check mode would be, restored.
  type: list
  elements: str
  returned: when something is restored
release:
  description: The release that the restore point was made with.
  type: str
  returned: when something is restored
rows:
  description: Each table with its rows now and in the restore point.
  type: list
  elements: dict
  returned: when the database is restored
moment:
  description: The second to which the database comes back, where the write-ahead log is archived (O(time)).
  type: float
  returned: with O(time), where point in time is set up
migrates:
  description: Whether the database has to be migrated afterwards.
  type: bool
  returned: when something is restored
kept:
  description: Where what stood there is kept.
  type: dict
  returned: when something was restored
files:
  description: The file that was restored, and where the one before is.
  type: list
  elements: str
  returned: when one file was restored
returned:
  description: What was taken back.
  type: list
  elements: str
  returned: when a restoration was taken back or kept
output:
  description: The last lines of a program that failed.
  type: list
  elements: str
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._backup.returning import bring_back


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["restored", "returned", "kept"], "default": "restored"},
            "snapshot": {"type": "str", "default": ""},
            "time": {"type": "str", "default": ""},
            "parts": {
                "type": "list",
                "elements": "str",
                "choices": ["database", "settings", "gateway"],
                "default": [],
            },
            "release": {"type": "str", "default": ""},
            "present_only": {"type": "bool", "default": False},
            "file": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    finish(module, lambda: bring_back(module.params, check=module.check_mode))


if __name__ == "__main__":
    main()
