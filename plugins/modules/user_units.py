#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: user_units
short_description: Install and run systemd user units
version_added: "1.0.0"
description:
  - Brings any number of a user's units to the wanted state in one call. All files are written before the
    first is used, the manager is reloaded when needed, and units are started in the given order.
  - A unit is restarted exactly when its content or O(units[].restart_on) is not what its process was started
    from. The process itself tells, so that an interrupted run is made up for by the next one.
  - A unit of C(Type=notify) counts as started when it reports to be ready. When a unit fails, its last
    journal lines are returned.
  - Runs as root for any user, or as the user itself. The user must linger, or be logged in.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  user:
    description:
      - The user whose units these are.
    type: str
    required: true
  units:
    description:
      - The units, in the order in which they are to be started.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the unit. C(.service) is added where no type is named.
        type: str
        required: true
      content:
        description:
          - Content of the unit file. When omitted, the file is left as it is.
        type: str
      enabled:
        description:
          - Whether the unit is started with the user's manager. When omitted, that is left as it is.
        type: bool
      state:
        description:
          - V(started) also restarts a unit that runs from an older version of itself.
          - V(present) installs and leaves alone whether it runs.
          - V(absent) stops, disables and removes it.
        type: str
        choices: [started, stopped, restarted, present, absent]
        default: started
      restart_on:
        description:
          - Anything that names what the process is started from besides the unit, for example a release and
            the digest of an environment file. A change restarts the unit. Must not be secret.
        type: str
  timeout:
    description:
      - Seconds that one unit may take to start or stop.
    type: float
    default: 180
  settle:
    description:
      - Seconds that a service which cannot report its readiness (C(Type=simple), C(Type=exec)) has to stay up
        after its start. Services of C(Type=notify) need no such time.
    type: float
    default: 1
  journal_lines:
    description:
      - Number of journal lines returned for a unit that fails.
    type: int
    default: 40
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: full
  diff_mode:
    description: Returns the difference of the unit files.
    support: full
  platform:
    description: Target systems.
    support: full
    platforms: posix
notes:
  - When a socket has to be opened anew, its service is stopped before and started after, since systemd
    refuses to open a socket for a service that already runs.
"""

EXAMPLES = r"""
- name: Install and start a service
  openclaw.mission_control.user_units:
    user: mission-control
    units:
      - name: mission-control-backend
        content: "{{ lookup('ansible.builtin.template', 'backend.service.j2') }}"
        enabled: true
        restart_on: "{{ release }} {{ environment_digest }}"
  become: true

- name: Remove it
  openclaw.mission_control.user_units:
    user: mission-control
    units:
      - name: mission-control-backend
        state: absent
  become: true
"""

RETURN = r"""
actions:
  description: What was done (in check mode, would be), in order, each with its reason.
  returned: always
  type: list
  elements: dict
  sample: [{unit: mission-control-backend.service, action: restart, reason: its unit file differs}]
restarted:
  description: Units that were started or restarted.
  returned: always
  type: list
  elements: str
units:
  description: State of each unit afterwards, by full name.
  returned: when not in check mode
  type: dict
unit:
  description: The unit that failed.
  returned: on failure
  type: str
result:
  description: What systemd says about its end, for example V(exit-code).
  returned: on failure
  type: str
journal:
  description: Last journal lines of the unit that failed, without secrets.
  returned: on failure
  type: list
  elements: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._host.unit_changes import bring, nothing_done
from ..module_utils._host.units import STATES


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "units": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "content": {"type": "str"},
                    "enabled": {"type": "bool"},
                    "state": {"type": "str", "choices": list(STATES), "default": "started"},
                    "restart_on": {"type": "str"},
                },
            },
            "timeout": {"type": "float", "default": 180},
            "settle": {"type": "float", "default": 1},
            "journal_lines": {"type": "int", "default": 40},
        },
        supports_check_mode=True,
    )
    so_far = nothing_done()
    finish(module, lambda: bring(module.params, check=module.check_mode, so_far=so_far), so_far)


if __name__ == "__main__":
    main()
