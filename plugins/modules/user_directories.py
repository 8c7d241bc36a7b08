#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: user_directories
short_description: Have directories of a user's, made with that user's rights
version_added: "1.0.0"
description:
  - Makes directories below a place that a user can write to. M(ansible.builtin.file) as root would follow a
    link that the user put there, and give what is behind it away; here the user's own rights are used.
  - A link in a path is refused with a message, unless it belongs to root.
  - Root makes only what is missing above O(root), and only where root alone can change what lies there.
options:
  user:
    description: The user whose directories they are.
    type: str
    required: true
  root:
    description:
      - The outermost directory that belongs to the user, normally the application's root. What is missing
        above it is made as root's. A leading C(~) is the home of O(user).
    type: str
    required: true
  directories:
    description: Directories below O(root).
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Absolute path, or one with a leading C(~), the home of O(user).
        type: str
        required: true
      mode:
        description: Permissions of a directory that is made; one that is there keeps its own.
        type: str
        default: "0755"
attributes:
  check_mode:
    description: Can run in check mode and tell what would be made.
    support: full
  diff_mode:
    description: Will return the directories that are made.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Have the directories of the application
  openclaw.mission_control.user_directories:
    user: mission-control
    root: ~/mission-control
    directories:
      - path: ~/mission-control/releases
      - path: ~/mission-control/shared/backups
        mode: "0700"
  become: true
"""

RETURN = r"""
created:
  description: Directories that were, or in check mode would be, made.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._host.directories import bring


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "root": {"type": "str", "required": True},
            "directories": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "path": {"type": "str", "required": True},
                    "mode": {"type": "str", "default": "0755"},
                },
            },
        },
        supports_check_mode=True,
    )
    finish(module, lambda: bring(module.params, check=module.check_mode))


if __name__ == "__main__":
    main()
