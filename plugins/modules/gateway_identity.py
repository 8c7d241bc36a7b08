#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_identity
short_description: Give Mission Control's backend another identity at gateways
version_added: "1.1.0"
description:
  - Gateways know a backend by its key, which outlives every release. This module makes another one, puts it
    into the place of the present one once a gateway has approved it, and goes back where something fails.
  - A connection that stands goes on with the identity that it was made with.
  - All work is done by the identity's user. No key is returned.
options:
  state:
    description:
      - V(prepared) has a new identity beside the present one.
      - V(current) has it take the place of the present one, which is kept.
      - V(returned) puts the one of before back, and removes the new one.
      - V(settled) removes the one of before.
    type: str
    choices: [prepared, current, returned, settled]
    required: true
attributes:
  check_mode:
    description: Can run in check mode and says what would be changed.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
requirements:
  - The command openssl on the host.
extends_documentation_fragment:
  - openclaw.mission_control.application
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.gateway_pairing
"""

EXAMPLES = r"""
- name: Have a new identity
  openclaw.mission_control.gateway_identity:
    state: prepared
    root: /home/mission-control/mission-control
  register: prepared

- name: Ask the gateway to approve it
  openclaw.mission_control.gateway_pairing:
    state: requested
    user: mission-control
    url: ws://127.0.0.1:18789
    token: "{{ gateway_token }}"
    identity: "{{ prepared.path }}"
"""

RETURN = r"""
path:
  description: File with the identity that RV(device_id) is of.
  type: str
  returned: success
device_id:
  description: With O(state=prepared) the new identity's id, else that of the present one.
  type: str
  returned: success
former:
  description: Id of the identity of before, empty where there is none any more.
  type: str
  returned: success
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._application.layout import Layout
from ..module_utils._gateway import identity_change


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            "state": {
                "type": "str",
                "choices": ["prepared", "current", "returned", "settled"],
                "required": True,
            },
        },
        supports_check_mode=True,
    )
    work = identity_change.STATES[module.params["state"]]
    path = Layout(Path(module.params["root"])).identity
    run_as_user(module, lambda _account: work(path, module.check_mode))


if __name__ == "__main__":
    main()
