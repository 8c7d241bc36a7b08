#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance
short_description: Answer every user with a maintenance page
version_added: "1.0.0"
description:
  - During maintenance the units of backend and frontend run a small program on their listening sockets. It
    answers people with a page and programs with JSON, both with status 503 and C(Retry-After). The worker
    stands still.
  - No connection is refused at the beginning and at the end, and a boot changes nothing. The mode is a
    drop-in of the units and the file C(shared/maintenance.json).
  - Requests that are open at the beginning are finished within the units' grace time.
extends_documentation_fragment:
  - openclaw.mission_control.application
  - openclaw.mission_control.application.lock
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: Can run in check mode and says whether something would be changed.
    support: full
  diff_mode:
    description: Shows what is told before and after.
    support: full
options:
  state:
    description:
      - V(present) begins maintenance, or changes what is told.
      - V(absent) ends it. When a service does not start then, maintenance is begun again and the module
        fails.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description:
      - Why, for users and operators. It is shown to everybody.
    type: str
    default: ""
  until:
    description:
      - When it is expected to end, as a duration from now (V(45m), V(2h)) or a time with its zone. Nothing
        happens then.
    type: str
    default: ""
  made_by:
    description:
      - Who does it, for operators.
    type: str
    default: ""
  services:
    description:
      - The services of this host. Those that have no unit are passed over.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: [backend, worker, frontend]
  program:
    description:
      - Text of the program that stands in. Required for O(state=present). With O(state=absent) it is what
        stands in again when a service does not start; without it, what lies on the host does.
    type: str
    default: ""
  restart:
    description:
      - Whether the services are started anew at the end of maintenance. Without, they are as they are, as
        before a removal.
    type: bool
    default: true
  timeout:
    description:
      - Seconds that one unit may take to end and start.
    type: float
    default: 240"""

EXAMPLES = r"""
- name: Begin maintenance
  openclaw.mission_control.maintenance:
    root: /home/mission-control/mission-control
    reason: The database is being restored.
    until: 45m
    program: "{{ lookup('ansible.builtin.file', 'maintenance.py') }}"
  become: true

- name: End it
  openclaw.mission_control.maintenance:
    root: /home/mission-control/mission-control
    state: absent
  become: true
"""

RETURN = r"""
notice:
  description: What is told now; nothing when there is no maintenance.
  type: dict
  returned: always
  contains:
    since: {description: When it began., type: str, returned: always}
    reason: {description: Why., type: str, returned: always}
    until: {description: When it is expected to end., type: str, returned: always}
    by: {description: Who began it., type: str, returned: always}
said:
  description: The same as a sentence.
  type: str
  returned: always
restarted:
  description: Units that were started anew.
  type: list
  elements: str
  returned: always
journal:
  description: The last lines of a unit that failed.
  type: list
  elements: str
  returned: failure
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options
from ..module_utils._application.maintenance_mode import Maintenance


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            **module_options.LOCK,
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reason": {"type": "str", "default": ""},
            "until": {"type": "str", "default": ""},
            "made_by": {"type": "str", "default": ""},
            "services": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": ["backend", "worker", "frontend"],
            },
            "program": {"type": "str", "default": ""},
            "restart": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 240.0},
        },
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        maintenance = Maintenance(module.params)
        present = module.params["state"] == "present"
        return (maintenance.begin if present else maintenance.end)(module.check_mode)

    finish(module, work, {"journal": []})


if __name__ == "__main__":
    main()
