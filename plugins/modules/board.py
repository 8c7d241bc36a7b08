#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: board
short_description: Keep a board of Mission Control, bound to a gateway
version_added: "1.0.0"
description:
  - Creates, updates or deletes a board. The sessions of a gateway are looked at through a board that is bound
    to it.
  - A board needs a gateway that is registered and has its main agent, see
    M(openclaw.mission_control.gateway).
  - Fields that are not given are left as they are.
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
      - Name of the board.
    type: str
    required: true
  slug:
    description:
      - Short name, by which the board is recognised. Made from O(name) when omitted.
    type: str
  description:
    description:
      - What the board is for. The product insists on one; when omitted, a new board gets its name.
    type: str
  gateway:
    description:
      - Name of the registered gateway that the board is bound to. Required with O(state=present) unless
        O(gateway_id) is given.
    type: str
  gateway_id:
    description:
      - UUID of the registered gateway, instead of O(gateway).
    type: str
  board_type:
    description:
      - Kind of the board. The product's own default is V(goal).
    type: str
    choices: [goal, general]
  objective:
    description:
      - What a goal board is to reach.
    type: str
  max_agents:
    description:
      - How many agents the board may have.
    type: int
  fields:
    description:
      - More fields of the API by name, for example C(require_review_before_done).
    type: dict
    default: {}
  state:
    description:
      - Whether the board is there. V(absent) deletes it with its tasks and agents.
    type: str
    choices: [present, absent]
    default: present
  deadline:
    description:
      - Seconds during which what Mission Control answers with "not now" is tried again.
    type: float
    default: 60
  timeout:
    description:
      - Seconds that one request may take.
    type: float
    default: 60
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
    description: Returns the difference.
    support: full
  platform:
    description: Where it runs.
    support: full
    platforms: posix
seealso:
  - module: openclaw.mission_control.gateway
"""

EXAMPLES = r"""
- name: Keep a board
  openclaw.mission_control.board:
    url: http://127.0.0.1:8000
    token: "{{ mission_control_token }}"
    name: Operations
    description: What keeps the company running
    gateway: main

- name: Delete a board
  openclaw.mission_control.board:
    url: http://127.0.0.1:8000
    token: "{{ mission_control_token }}"
    name: Operations
    state: absent
"""

RETURN = r"""
board:
  description: The board as it stands afterwards; empty when there is none.
  returned: always
  type: dict
  sample: {id: 20813ec1-faa7-4945-8f4d-1ddf076e7bd2, slug: operations, gateway_id:
  b3cbeefd-3dd2-404b-8135-5db1c1ffea32}
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
from ..module_utils._gateway.boards import BOARD_OPTIONS, keep


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **BOARD_OPTIONS,
            "url": {"type": "str", "default": "http://127.0.0.1:8000"},
            "token": {"type": "str", "required": True, "no_log": True},
            "gateway": {"type": "str"},
            "gateway_id": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "deadline": {"type": "float", "default": 60.0},
            "timeout": {"type": "float", "default": 60.0},
            "validate_certs": {"type": "bool", "default": True},
            "ca_path": {"type": "path"},
            "trusted_users": {"type": "list", "elements": "str", "default": []},
        },
        mutually_exclusive=[("gateway", "gateway_id")],
        required_if=[("state", "present", ("gateway", "gateway_id"), True)],
        supports_check_mode=True,
    )
    finish(module, lambda: keep(module.params, check=module.check_mode), {"board": {}})


if __name__ == "__main__":
    main()
