#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Make a restore point of Mission Control, prove one by a drill, or export
version_added: "1.0.0"
description:
  - Makes one restore point of everything that a deployment cannot make anew - the database, settings and
    identity, the gateway's state - in the repository that the role P(openclaw.mission_control.backup#role)
    has set up, and removes those that are too old.
  - A restore point counts only when all of it has been saved. What a run that failed has left is removed by
    the next one.
  - A drill restores a restore point into a scratch database and a scratch directory, and compares schema,
    rows and digests with its manifest. Nothing of the running system is touched.
requirements:
  - C(restic) 0.17 or newer on the host, and C(pg_dump) and C(pg_restore), not older than the server.
options:
  state:
    description:
      - V(made) makes a restore point, V(drilled) proves one, V(opened) only sees that the repository can be
        opened, and makes it where there was none.
      - V(exported) writes an archive of plain files into O(directory), that needs neither restic nor us.
    type: str
    choices: [made, drilled, opened, exported]
    default: made
  snapshot:
    description: For a drill, the name or the snapshot of the restore point. Without it the newest is taken.
    type: str
    default: ""
  time:
    description: For a drill, the last restore point before this time is taken.
    type: str
    default: ""
  purpose:
    description: What the restore point is for; it is shown in the list.
    type: str
    choices: [scheduled, asked for, before a restoration]
    default: asked for
  directory:
    description: For an export, an empty directory of mode 0700. Its owner gets the files.
    type: path
  secrets:
    description: Whether secrets are exported, the gateway's state with them. Without, they are masked.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode, and does nothing then.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.backup_info
  - module: openclaw.mission_control.backup_restore
"""

EXAMPLES = r"""
- name: Back up now
  openclaw.mission_control.backup:
  become: true

- name: Prove that the newest restore point can be restored
  openclaw.mission_control.backup:
    state: drilled
  become: true
"""

RETURN = r"""
name:
  description: The restore point.
  type: str
  returned: when one was made
snapshot:
  description: Its snapshot in the repository.
  type: str
  returned: when one was made
size:
  description: How many bytes were saved, before compression and deduplication.
  type: int
  returned: when one was made
added:
  description: How many bytes the repository has grown by.
  type: int
  returned: when one was made
release:
  description: The release that was deployed.
  type: str
  returned: when one was made or exported
warning:
  description: What went wrong besides, such as that older ones were not removed or a file could not be read.
  type: str
  returned: when one was made
repository_made:
  description: Whether the repository was made by this run.
  type: bool
  returned: when one was made or the repository was opened
files:
  description: What was exported.
  type: list
  elements: str
  returned: after an export
rows:
  description: The rows of each table that was exported.
  type: dict
  returned: after an export
point:
  description: The restore point that was drilled.
  type: dict
  returned: after a drill
parts:
  description: What was saved or drilled of it, with figures.
  type: raw
  returned: success
seconds:
  description: How long it took.
  type: float
  returned: success
output:
  description: The last lines of a program that failed.
  type: list
  elements: str
  returned: failure
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._backup.work import do


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["made", "drilled", "opened", "exported"], "default": "made"},
            "directory": {"type": "path"},
            "secrets": {"type": "bool", "default": False, "no_log": False},
            "snapshot": {"type": "str", "default": ""},
            "time": {"type": "str", "default": ""},
            "purpose": {
                "type": "str",
                "choices": ["scheduled", "asked for", "before a restoration"],
                "default": "asked for",
            },
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        return do(module.params, check=module.check_mode)

    finish(module, work)


if __name__ == "__main__":
    main()
