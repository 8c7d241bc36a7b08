#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_call
short_description: Call methods of an OpenClaw gateway as Mission Control's device
version_added: "1.0.0"
description:
  - Connects once, as the device whose identity is given, and calls any number of the gateway's methods in
    order.
  - It shows what a backend would see, without the backend between, and makes sessions and history entries
    without a language model (C(sessions.patch), C(chat.inject)).
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  url:
    description:
      - Address of the gateway.
    type: str
    required: true
  token:
    description:
      - The gateway's token.
    type: str
    required: true
  identity:
    description:
      - The device identity to connect with. The device has to be paired, see
        M(openclaw.mission_control.gateway_pairing).
    type: path
    required: true
  user:
    description:
      - The backend's user, with whose rights O(identity) is read.
    type: str
    required: true
  calls:
    description:
      - The calls, in order. The first that fails ends the task.
    type: list
    elements: dict
    required: true
    suboptions:
      method:
        description:
          - Name of the method, for example V(sessions.list).
        type: str
        required: true
      parameters:
        description:
          - Its parameters.
        type: dict
        default: {}
  protocol_min:
    description:
      - Lowest protocol to offer.
    type: int
    default: 3
  protocol_max:
    description:
      - Highest protocol to offer.
    type: int
    default: 3
  validate_certs:
    description:
      - Whether the certificate of a C(wss://) gateway is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates (PEM) of the authorities that may have signed the certificate of a C(wss://)
        gateway. Without it those of the system are trusted.
    type: path
  trusted_users:
    description:
      - Users besides root to whom the token may be sent without TLS where they listen on the host of this
        task. Anybody where none is named.
    type: list
    elements: str
    default: []
  platform:
    description:
      - Platform to name, which has to be the one that the gateway pinned with the pairing.
      - Without it, the operating system of the host.
    type: str
    default: ''
  timeout:
    description:
      - Seconds that connecting, and each call, may take.
    type: float
    default: 30
  deadline:
    description:
      - Seconds during which a gateway that is starting is tried again. Nothing is repeated once the first
        call was sent.
    type: float
    default: 30
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: partial
    details: Methods that only read are called, at the first other one the task ends.
  diff_mode:
    description: Does not return a difference.
    support: none
  platform:
    description: Target systems.
    support: full
    platforms: posix
requirements:
  - The command openssl.
"""

EXAMPLES = r"""
- name: Make a session with a history entry
  openclaw.mission_control.gateway_call:
    url: ws://127.0.0.1:18789
    token: "{{ gateway_token }}"
    identity: /home/mission-control/mission-control/shared/identity/device.json
    user: mission-control
    calls:
      - method: sessions.patch
        parameters: {key: "agent:mc-demo-1:main", label: Demo agent}
      - method: chat.inject
        parameters: {sessionKey: "agent:mc-demo-1:main", message: All checks are green., label: ops}
  become: true
"""

RETURN = r"""
results:
  description: The answers, in the order of the calls.
  returned: success
  type: list
  elements: raw
gateway_version:
  description: The version that the gateway names.
  returned: success
  type: str
method:
  description: The method that failed; empty when there was no connection.
  returned: on failure
  type: str
kind:
  description: Why it failed, for example V(unauthorized), V(pairing_required), V(rejected).
  returned: on failure
  type: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._gateway.connection import call


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "token": {"type": "str", "required": True, "no_log": True},
            "identity": {"type": "path", "required": True},
            "user": {"type": "str", "required": True},
            "calls": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "method": {"type": "str", "required": True},
                    "parameters": {"type": "dict", "default": {}},
                },
            },
            "protocol_min": {"type": "int", "default": 3},
            "protocol_max": {"type": "int", "default": 3},
            "validate_certs": {"type": "bool", "default": True},
            "ca_path": {"type": "path"},
            "trusted_users": {"type": "list", "elements": "str", "default": []},
            "platform": {"type": "str", "default": ""},
            "timeout": {"type": "float", "default": 30.0},
            "deadline": {"type": "float", "default": 30.0},
        },
        supports_check_mode=True,
    )
    run_as_user(module, lambda _account: call(module.params, module.check_mode))


if __name__ == "__main__":
    main()
