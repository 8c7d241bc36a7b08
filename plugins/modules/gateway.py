#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: gateway
short_description: Register an OpenClaw gateway with Mission Control
version_added: "1.0.0"
description:
  - Creates, updates or deletes the registration of a gateway in Mission Control.
  - Mission Control connects to the gateway while it answers, and the gateway may restart itself meanwhile.
    Answers that mean "not now" are tried again until O(deadline). An attempt that failed halfway is
    completed, not repeated.
  - The gateway itself is deployed by the role C(gateway), its device pairing is approved by
    M(openclaw.mission_control.gateway_pairing).
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  url:
    description:
      - Address of Mission Control's API as seen from where the task runs.
    type: str
    default: http://127.0.0.1:8000
  token:
    description:
      - The bearer token (C(LOCAL_AUTH_TOKEN)) of an owner or admin.
    type: str
    required: true
  name:
    description:
      - Name of the registration. A registration of this name is updated; where there is none, one with the
        same O(gateway_url) is renamed.
    type: str
    required: true
  id:
    description:
      - UUID of the registration, where several have the same name.
    type: str
  gateway_url:
    description:
      - Address of the gateway as seen from the backend's host, C(ws://) or C(wss://), with its port.
      - Required with O(state=present).
    type: str
  gateway_token:
    description:
      - The token that the gateway was started with. When omitted, the token of an existing registration is
        left alone.
    type: str
  workspace_root:
    description:
      - Directory on the gateway's host below which Mission Control makes the workspaces of its agents.
      - Required when a registration is created.
    type: str
  allow_insecure_tls:
    description:
      - Whether the certificate of a C(wss://) gateway is not checked. With an authority of your own, rather
        set C(SSL_CERT_FILE) for the backend.
    type: bool
    default: false
  disable_device_pairing:
    description:
      - Whether Mission Control connects as the gateway's control interface instead of a paired device. The
        gateway then has to run with C(gateway.controlUi.dangerouslyDisableDeviceAuth), and whoever knows its
        token controls it. Rather approve the backend's device with
        M(openclaw.mission_control.gateway_pairing).
    type: bool
    default: false
  boards:
    description:
      - Boards to keep at this gateway, in the same call, as M(openclaw.mission_control.board) keeps them.
        A board that is named no longer is left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the board.
        type: str
        required: true
      slug:
        description: Short name, by which the board is recognised. Made from the name when omitted.
        type: str
      description:
        description: What the board is for. A new board gets its name when omitted.
        type: str
      board_type:
        description: Kind of the board.
        type: str
        choices: [goal, general]
      objective:
        description: What a goal board is to reach.
        type: str
      max_agents:
        description: How many agents the board may have.
        type: int
      fields:
        description: More fields of the API by name.
        type: dict
        default: {}
  state:
    description:
      - Whether the registration is there. V(absent) also removes the gateway's main agent from Mission
        Control.
    type: str
    choices: [present, absent]
    default: present
  deadline:
    description:
      - Seconds during which what Mission Control answers with "not now" is tried again.
    type: float
    default: 90
  timeout:
    description:
      - Seconds that one request may take. Creating a registration provisions an agent, which takes a while.
    type: float
    default: 120
  validate_certs:
    description:
      - Whether the TLS certificate of the API is checked.
    type: bool
    default: true
  ca_path:
    description:
      - File with the certificates of the authorities to trust.
    type: path
  trusted_users:
    description:
      - Users besides root to whom the token may be sent without TLS where they listen on the host of this
        task. Anybody where none is named.
    type: list
    elements: str
    default: []
requirements:
  - The Python library C(requests) where the task runs.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: full
  diff_mode:
    description: Returns the difference. That tokens differ is shown, tokens are not.
    support: full
  platform:
    description: Where it runs.
    support: full
    platforms: posix
seealso:
  - module: openclaw.mission_control.board
  - module: openclaw.mission_control.gateway_pairing
  - module: openclaw.mission_control.gateway_check
"""

EXAMPLES = r"""
- name: Register the gateway
  openclaw.mission_control.gateway:
    url: http://127.0.0.1:8000
    token: "{{ mission_control_token }}"
    name: main
    gateway_url: ws://gateway.example.com:18789
    gateway_token: "{{ vault_gateway_token }}"
    workspace_root: /home/mission-control/.openclaw

- name: Remove the registration
  openclaw.mission_control.gateway:
    url: http://127.0.0.1:8000
    token: "{{ mission_control_token }}"
    name: main
    state: absent
"""

RETURN = r"""
gateway:
  description: The registration as it stands afterwards, its token hidden; empty when there is none.
  returned: always
  type: dict
  sample: {id: b3cbeefd-3dd2-404b-8135-5db1c1ffea32, name: main, url: "ws://gateway.example.com:18789", token:
  "********"}
boards:
  description: The boards of O(boards) as they stand afterwards.
  returned: success
  type: list
  elements: dict
action:
  description: What was done (in check mode, would be).
  returned: success
  type: str
  sample: create
fields:
  description: Names of the fields that were set.
  returned: success
  type: list
  elements: str
attempts:
  description: How many attempts it took.
  returned: success
  type: int
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
status:
  description: HTTP status of the refusal, 0 where there was no answer.
  returned: on failure
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._gateway.boards import BOARD_OPTIONS
from ..module_utils._gateway.gateways import keep


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "default": "http://127.0.0.1:8000"},
            "token": {"type": "str", "required": True, "no_log": True},
            "name": {"type": "str", "required": True},
            "id": {"type": "str"},
            "gateway_url": {"type": "str"},
            "gateway_token": {"type": "str", "no_log": True},
            "workspace_root": {"type": "str"},
            "allow_insecure_tls": {"type": "bool", "default": False},
            "disable_device_pairing": {"type": "bool", "default": False},
            "boards": {"type": "list", "elements": "dict", "default": [], "options": BOARD_OPTIONS},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "deadline": {"type": "float", "default": 90.0},
            "timeout": {"type": "float", "default": 120.0},
            "validate_certs": {"type": "bool", "default": True},
            "ca_path": {"type": "path"},
            "trusted_users": {"type": "list", "elements": "str", "default": []},
        },
        required_if=[("state", "present", ("gateway_url",))],
        supports_check_mode=True,
    )
    finish(module, lambda: keep(module.params, check=module.check_mode), {"gateway": {}})


if __name__ == "__main__":
    main()
