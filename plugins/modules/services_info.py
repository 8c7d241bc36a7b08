#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: services_info
short_description: Tell how the services of Mission Control stand
version_added: "1.0.0"
description:
  - Returns the state of backend, worker and frontend, since when, automatic restarts, memory, the
    release that each of them runs, and its port.
  - systemd is asked once for all of them. It works as root and as the application's user.
  - A host whose user or systemd manager is missing is described, too. The module does not fail for it.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.application.services
  - openclaw.mission_control.attributes
options:
  services:
    description:
      - The services to look at.
    type: list
    elements: str
    choices: [gateway, backend, worker, frontend]
    default: [backend, worker, frontend]
seealso:
  - module: openclaw.mission_control.services
  - module: openclaw.mission_control.service_check
"""

EXAMPLES = r"""
- name: How do the services stand?
  openclaw.mission_control.services_info:
    user: mission-control
  become: true
  register: status

- name: Show them
  openclaw.mission_control.show:
    text: "{{ {inventory_hostname: status} | openclaw.mission_control.status_table }}"
"""

RETURN = r"""
services:
  description: The services in the order of starting.
  type: list
  elements: dict
  returned: always
  contains:
    service: {description: Its short name., type: str, returned: always}
    unit: {description: Its unit., type: str, returned: always}
    state:
      description: >-
        V(running), V(starting), V(restarting), V(stopping), V(stopped), V(failed), V(masked) or V(not
        deployed).
      type: str
      returned: always
    enabled: {description: Whether it starts at boot., type: bool, returned: always}
    since:
      description: When it got into this state, in seconds since the epoch.
      type: float
      returned: always
    restarts: {description: Automatic restarts., type: int, returned: always}
    memory_bytes: {description: What its processes hold in memory., type: int, returned: always}
    release: {description: The release that it runs., type: str, returned: always}
    stale: {description: Whether another release is deployed., type: bool, returned: always}
    ports: {description: TCP ports that it listens on., type: list, elements: int, returned: always}
    address: {description: Address that it listens on., type: str, returned: always}
    ports_unknown:
      description: Whether the ports are not known because too many files are open to look at all of them.
      type: bool
      returned: always
    pid: {description: Its main process., type: int, returned: always}
    result: {description: systemd's word for how it ended., type: str, returned: always}
    exit_status: {description: How its last main process ended., type: int, returned: always}
    socket: {description: The socket unit that starts it., type: str, returned: always}
    socket_active: {description: Whether that socket is open., type: bool, returned: always}
    need_daemon_reload: {description: Whether its unit file changed since., type: bool, returned: always}
current:
  description: The release that is deployed.
  type: str
  returned: always
maintenance:
  description: Since when and why there is maintenance, as a sentence; empty when there is none.
  type: str
  returned: always
problem:
  description: Why the services are not known. Empty when they are.
  type: str
  returned: always
remedy:
  description: What to do about it.
  type: str
  returned: always
time:
  description: The host's clock, in seconds since the epoch.
  type: float
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import module_options
from ..module_utils._application.components import APPLICATION, SERVICES
from ..module_utils._gateway.holder import account_asked_for
from ..module_utils._host.accounts import expand_home, find_account
from ..module_utils._host.deployment_errors import os_error
from ..module_utils._host.errors import HostError
from ..module_utils._services.control import Services


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.SERVICES,
            "services": {
                "type": "list",
                "elements": "str",
                "choices": list(SERVICES),
                "default": list(APPLICATION),
            },
        },
        supports_check_mode=True,
    )
    result = {
        "changed": False,
        "services": [],
        "current": None,
        "maintenance": "",
        "problem": "",
        "remedy": "",
        "time": time.time(),
    }
    try:
        account = find_account(module.params["user"] or None)
        gateway = account_asked_for(module.params, account)
        root = expand_home(module.params["root"], account)
        services = Services(account, root, gateway_account=gateway)
        states = services.states(module.params["services"])
        result["services"] = [state.as_dict() for state in states.values()]
        result["current"] = services.current
        result["maintenance"] = services.maintenance
    except HostError as error:
        result["problem"], result["remedy"] = error.message, error.remedy
    except OSError as error:
        result["problem"], result["remedy"] = os_error(error).message, os_error(error).remedy
    module.exit_json(**result)


if __name__ == "__main__":
    main()
