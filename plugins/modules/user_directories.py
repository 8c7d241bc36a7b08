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

import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.accounts import Account, expand_home, find_account
from ..module_utils._host.directories import Directory, ensure
from ..module_utils._host.errors import HostError


def mode(text: str) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise HostError(
            f"directories: the mode {text!r} is not an octal number.",
            kind="bad_mode",
            remedy='Write it like "0755".',
        )
    return int(text, 8)


def find(user: str, *, missing: bool) -> Account | None:
    try:
        return find_account(user)
    except HostError:
        # Check mode has not created the user on a bare host.
        if missing:
            return None
        raise


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
    options: dict[str, Any] = module.params
    try:
        account = find(options["user"], missing=module.check_mode)

        def place(path: str) -> str:
            return expand_home(path, account) if account else path.replace("~", f"/home/{options['user']}", 1)

        wanted = [Directory(place(item["path"]), mode(item["mode"])) for item in options["directories"]]
        created = ensure(wanted, account, options["user"], place(options["root"]), check=module.check_mode)
    except HostError as error:
        module.fail_json(**error.result())
    after = "".join(f"{path}/\n" for path in created)
    module.exit_json(changed=bool(created), created=created, diff={"before": "", "after": after})


if __name__ == "__main__":
    main()
