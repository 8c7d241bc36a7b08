#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_pairing
short_description: Pair Mission Control's device with an OpenClaw gateway
version_added: "1.0.0"
description:
  - A gateway lets a client from another host in only after its device was approved. This module does both
    halves, each on its own host, so that no private key leaves the backend and no token is needed on a
    command line.
  - With O(state=requested), on the backend's host, it connects to the gateway exactly as the backend does.
    That tells whether the two can talk, and an unknown device becomes a request that waits on the gateway for
    five minutes. A gateway approves a device that connects over the loopback interface by itself.
  - With O(state=approved), on the gateway's host, it approves the waiting request of exactly this device, and
    nothing else. The id of a device is the digest of its public key, so another key cannot take its place.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  state:
    description:
      - What is wanted. V(absent) takes the approval back.
    type: str
    choices: [requested, approved, absent]
    default: approved
  url:
    description:
      - Address of the gateway as the backend reaches it. Required with O(state=requested).
    type: str
  token:
    description:
      - The gateway's token. Required with O(state=requested).
    type: str
  identity:
    description:
      - The backend's device identity, a file of O(user). Required with O(state=requested).
    type: path
  protocol_min:
    description:
      - Lowest protocol that the backend speaks.
    type: int
    default: 3
  protocol_max:
    description:
      - Highest protocol that the backend speaks.
    type: int
    default: 3
  validate_certs:
    description:
      - Whether the certificate of a C(wss://) gateway is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates (PEM) of the authorities that may have signed the certificate of a
        C(wss://) gateway. Without it those of the system are trusted.
    type: path
  trusted_users:
    description:
      - Users besides root to whom the token may be sent without TLS where they listen on the host of this
        task. Anybody where none is named.
    type: list
    elements: str
    default: []
  device_id:
    description:
      - Id of the device. Required with O(state=approved) and O(state=absent).
    type: str
  user:
    description:
      - The gateway's user, or with O(state=requested) the backend's, with whose rights O(identity) is read.
    type: str
    required: true
  root:
    description:
      - Directory of the gateway's programs. A leading C(~) is the home of O(user).
    type: str
    default: ~/openclaw-gateway
  state_directory:
    description:
      - The gateway's own directory.
    type: str
    default: ~/.openclaw
  platform:
    description:
      - Platform that the backend names when it connects. The gateway pins it with the pairing.
      - Without it, the operating system of the host with O(state=requested), and any with O(state=approved).
    type: str
    default: ''
  scopes:
    description:
      - Scopes that may be approved. A request for more is refused.
    type: list
    elements: str
    default: [operator.read, operator.admin, operator.approvals, operator.pairing]
  deadline:
    description:
      - Seconds during which a gateway that is starting is tried again.
    type: float
    default: 60
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: partial
    details: With O(state=requested) connecting is the request itself, so check mode does not connect.
  diff_mode:
    description: Returns which device is approved.
    support: full
  platform:
    description: Target systems.
    support: full
    platforms: posix
requirements:
  - The command openssl on the backend's host.
"""

EXAMPLES = r"""
- name: Ask for pairing, on the backend's host
  openclaw.mission_control.gateway_pairing:
    state: requested
    url: ws://gateway.example.com:18789
    token: "{{ vault_gateway_token }}"
    identity: /home/mission-control/mission-control/shared/identity/device.json
    user: mission-control
  become: true
  register: pairing

- name: Approve exactly this device, on the gateway's host
  openclaw.mission_control.gateway_pairing:
    state: approved
    device_id: "{{ pairing.device_id }}"
    user: mission-control
  become: true
  delegate_to: gateway.example.com
  when: not pairing.connected
"""

RETURN = r"""
connected:
  description: Whether the device was let in.
  returned: with O(state=requested)
  type: bool
device_id:
  description: Id of the device.
  returned: always
  type: str
request_id:
  description: Id of the waiting request, empty where there is none.
  returned: always
  type: str
gateway_version:
  description: The version that the gateway names.
  returned: with O(state=requested), when connected
  type: str
protocol:
  description: The protocol that was agreed upon.
  returned: with O(state=requested), when connected
  type: int
kind:
  description: Why there is no connection, for example V(unauthorized), V(protocol_mismatch), V(unreachable).
  returned: on failure
  type: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish, run_as_user
from ..module_utils._gateway.client import BACKEND_SCOPES
from ..module_utils._gateway.connection import ask_for_pairing
from ..module_utils._gateway.pairing import keep


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["requested", "approved", "absent"], "default": "approved"},
            "url": {"type": "str"},
            "token": {"type": "str", "no_log": True},
            "identity": {"type": "path"},
            "protocol_min": {"type": "int", "default": 3},
            "protocol_max": {"type": "int", "default": 3},
            "validate_certs": {"type": "bool", "default": True},
            "ca_path": {"type": "path"},
            "trusted_users": {"type": "list", "elements": "str", "default": []},
            "device_id": {"type": "str"},
            "user": {"type": "str", "required": True},
            "root": {"type": "str", "default": "~/openclaw-gateway"},
            "state_directory": {"type": "str", "default": "~/.openclaw"},
            "platform": {"type": "str", "default": ""},
            "scopes": {"type": "list", "elements": "str", "default": list(BACKEND_SCOPES)},
            "deadline": {"type": "float", "default": 60.0},
        },
        required_if=[
            ("state", "requested", ("url", "token", "identity")),
            ("state", "approved", ("device_id",)),
            ("state", "absent", ("device_id",)),
        ],
        supports_check_mode=True,
    )
    options, check_mode, so_far = (
        module.params,
        module.check_mode,
        {"device_id": module.params["device_id"] or ""},
    )
    if options["state"] == "requested":
        run_as_user(module, lambda _account: ask_for_pairing(options, check_mode), so_far=so_far)
    finish(module, lambda: keep(options, check_mode), so_far)


if __name__ == "__main__":
    main()
