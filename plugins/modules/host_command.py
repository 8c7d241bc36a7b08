#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_command
short_description: Install or remove the command mission-control on an application host
version_added: "1.0.0"
description:
  - Installs one executable file, C(mission-control), with the checks of this collection in it, its
    configuration (0640, of root and the application's group) and its completion for bash.
  - The command works without Ansible, as root and as the application's user. The configuration holds no
    secret. The token and the database's address are read from the deployed environment file.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: Says what would be done, and does not do it.
    support: full
  diff_mode:
    description: Shows which files differ, and the configuration before and after.
    support: full
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
options:
  completion:
    description: Set by the action plugin.
    type: str
    default: ''
  sources_digest:
    description: Set by the action plugin.
    type: str
    default: ''
  sources:
    description: Set by the action plugin, where the command on the host is made of other sources.
    type: path
  state:
    description:
      - Whether the command shall be there.
    type: str
    choices: [present, absent]
    default: present
  user:
    description:
      - The application's user. It must exist.
    type: str
  gateway_user:
    description:
      - The user as whom the gateway runs. Without it, O(user).
    type: str
    default: ''
  root:
    description:
      - The application's root directory. A leading C(~) is the home of O(user).
    type: str
    default: ~/mission-control
  services:
    description:
      - The services that run on this host.
    type: list
    elements: str
    choices: [gateway, backend, worker, frontend]
    default: [backend, worker, frontend]
  verify:
    description:
      - What C(mission-control verify) does. C(checks), C(skip), C(waivers), C(suite_deadline),
        C(options) (options of M(openclaw.mission_control.verify) that hold for all checks) and
        C(check_options) (by the checks' names).
    type: dict
    default: {}
  path:
    description:
      - Where the command is installed.
    type: path
    default: /usr/local/bin/mission-control
  completion_path:
    description:
      - Where its completion for bash is installed.
    type: path
    default: /usr/local/share/bash-completion/completions/mission-control
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Install the command
  openclaw.mission_control.host_command:
    user: mission-control
    verify:
      options:
        public_url: http://mission-control.example.com:3000
  become: true

- name: Remove it
  openclaw.mission_control.host_command:
    state: absent
  become: true
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done.
  type: list
  elements: dict
  returned: always
  contains:
    path: {description: The file., type: str, returned: always}
    action: {description: V(install) or V(remove)., type: str, returned: always}
    reason: {description: What differed., type: str, returned: always}
missing_packages:
  description: Debian packages without which a part of it does not work, such as C(psql) or the completion.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._command.archive import SPECIFICATION
from ..module_utils._command.installation import bring, nothing_done


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **SPECIFICATION,
            "completion": {"type": "str", "default": ""},
            "sources_digest": {"type": "str", "default": ""},
            "sources": {"type": "path"},
        },
        required_if=[("state", "present", ["user"])],
        supports_check_mode=True,
    )
    so_far = nothing_done()
    finish(module, lambda: bring(module.params, check=module.check_mode, so_far=so_far), so_far)


if __name__ == "__main__":
    main()
