#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: user_file_info
short_description: Read a user's file with that user's rights
version_added: "1.0.0"
description:
  - Reads a file below a place that a user can write to. M(ansible.builtin.slurp) as root would follow a link
    that the user put there to any file of the host's, or wait for ever at a pipe.
  - Only a regular file of at most 1 MiB is read.
options:
  user:
    description: The user whose file it is.
    type: str
    required: true
  path:
    description: The file. A leading C(~) is the home of O(user).
    type: str
    required: true
attributes:
  check_mode:
    description: Can run in check mode, as it changes nothing.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Read the settings that the backend runs with
  openclaw.mission_control.user_file_info:
    user: mission-control
    path: ~/mission-control/current/backend/.env
  become: true
  no_log: true
  register: settings
"""

RETURN = r"""
exists:
  description: Whether there is such a file.
  type: bool
  returned: success
text:
  description: Its text, empty where there is none.
  type: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._failing import fail
from ..module_utils._host.accounts import expand_home, find_account
from ..module_utils._host.deployment_errors import os_error
from ..module_utils._host.errors import HostError
from ..module_utils._host.user_file_text import read_user_file


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "path": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    user = module.params["user"]
    try:
        text = read_user_file(user, expand_home(module.params["path"], find_account(user)))
    except HostError as error:
        fail(module, error.result())
    except OSError as error:
        fail(module, os_error(error).result())
    module.exit_json(changed=False, exists=text is not None, text=text or "")


if __name__ == "__main__":
    main()
