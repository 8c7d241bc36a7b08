#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: services
short_description: Start, stop and restart the services of Mission Control in order
version_added: "1.0.0"
description:
  - Starts the backend before the worker before the frontend, and stops them the other way round.
  - A service counts as started when it is healthy. The backend has to answer C(/readyz), the frontend
    its page, and the worker has to stay up.
  - The module ends at the first service that fails, with its cause and its last journal lines. Those
    that follow are left as they are.
  - A service and the socket that starts it are stopped and started together. A restart leaves the
    socket open, so no connection is refused meanwhile.
extends_documentation_fragment:
  - openclaw.mission_control.application.services
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: Says what would be done, and does not do it.
    support: full
  diff_mode:
    description: Shows the state of each service before and after.
    support: full
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
options:
  services:
    description:
      - The services to act upon. All of them must be deployed on the host.
    type: list
    elements: str
    choices: [gateway, backend, worker, frontend]
    default: [backend, worker, frontend]
  state:
    description:
      - What they shall be.
    type: str
    choices: [started, stopped, restarted]
    default: started
  timeout:
    description:
      - Seconds after which a service that is not healthy, or has not ended, counts as failed.
    type: float
    default: 180
seealso:
  - module: openclaw.mission_control.services_info
  - module: openclaw.mission_control.user_units
"""

EXAMPLES = r"""
- name: Restart everything, one after the other
  openclaw.mission_control.services:
    user: mission-control
    state: restarted
  become: true

- name: Stop the worker
  openclaw.mission_control.services:
    user: mission-control
    services: [worker]
    state: stopped
  become: true
"""

RETURN = r"""
actions:
  description: What was done, or in check mode would be done, in this order.
  type: list
  elements: dict
  returned: always
  contains:
    service: {description: The service., type: str, returned: always}
    action: {description: "V(start), V(stop) or V(restart).", type: str, returned: always}
    unit: {description: Its unit., type: str, returned: always}
    reason: {description: Why., type: str, returned: always}
services:
  description: How the services stand now, as M(openclaw.mission_control.services_info) describes them.
  type: list
  elements: dict
  returned: always
remedy:
  description: What to do about a failure.
  type: str
  returned: failure
kind:
  description: The cause of a failure as one word for programs.
  type: str
  returned: failure
unit:
  description: The unit that failed.
  type: str
  returned: failure
journal:
  description: Its last journal lines, without secrets.
  type: list
  elements: str
  returned: failure
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options
from ..module_utils._application.components import APPLICATION, SERVICES
from ..module_utils._application.installation import Installation
from ..module_utils._failing import fail
from ..module_utils._host.accounts import expand_home, find_account
from ..module_utils._redaction import Redactor
from ..module_utils._services.orders import carry_out, nothing_done


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
            "state": {"type": "str", "choices": ["started", "stopped", "restarted"], "default": "started"},
            "timeout": {"type": "float", "default": 180.0},
        },
        supports_check_mode=True,
    )
    options = module.params
    so_far = nothing_done()
    if options["timeout"] <= 0:
        fail(module, {"msg": f"timeout: {options['timeout']} is too small, it must be above 0", **so_far})

    def work() -> dict[str, Any]:
        account = find_account(options["user"] or None)
        redactor, root = Redactor(), expand_home(options["root"], account)
        # Known secrets of the deployment are taken out of journal lines.
        _ = Installation(user=account.name, root=root, env_file="", redactor=redactor).environment
        return carry_out(options, account, redactor, check=module.check_mode, so_far=so_far)

    finish(module, work, so_far)


if __name__ == "__main__":
    main()
