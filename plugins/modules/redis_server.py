#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_server
short_description: Ask and tell the Redis server of this host
version_added: "1.0.0"
description:
  - All that the role redis asks Redis, and tells it. It is for that role.
  - The server is reached as O(configuration) has it, by the socket, else with TLS where the file names a port
    for it, else without. Who listens there has to be root or the server's user, else nothing secret is sent.
  - Passwords stand in no argument list, result or message.
options:
  state:
    description:
      - V(asked) says what the server runs with and who may enter. One that is down is no failure.
      - V(configured) has O(main), O(configuration) and their directory belong to root, so that the server can
        read and not change them, also after an upgrade of the package. Lines about users are taken out of
        O(main), with a warning, and its last line includes O(configuration).
      - V(persistent) has the running server write its append-only file.
      - V(started) waits until the server runs with O(configuration).
      - V(certified) has the running server show O(certificate).
      - V(both) has the server take O(password) beside the one in use.
      - V(alone) has O(password) be the only one, and removes all users that O(configuration) does not name.
        Where there are some, or a second password, all connections are ended.
    type: str
    choices: [asked, configured, persistent, started, certified, both, alone]
    default: asked
  configuration:
    description: The file that the role redis writes. It names the users, and where the server listens.
    type: path
    default: /etc/redis/mission-control.conf
  main:
    description: The server's own file.
    type: path
    default: /etc/redis/redis.conf
  content:
    description: With O(state=configured), what O(configuration) is to hold. Without it, it stays as it is.
    type: str
  port:
    description: Where the server listens while there is no O(configuration).
    type: int
    default: 6379
  passwords:
    description: Those that may let in, tried in this order; the last one that does counts.
    type: list
    elements: str
    default: []
  password:
    description: The new one. When empty, V(alone) leaves the passwords as they are.
    type: str
    default: ''
  settings:
    description: Names of settings that V(asked) is to tell the values of.
    type: list
    elements: str
    default: []
  disconnect:
    description: Whether V(alone) ends all connections also where it finds nobody foreign.
    type: bool
    default: false
  plain:
    description: Whether the server goes on to listen without TLS after V(alone).
    type: bool
    default: true
  certificate:
    description: With O(state=certified), the certificate's file.
    type: path
  key:
    description: With O(state=certified), the file of its key.
    type: path
attributes:
  check_mode:
    description: Can run in check mode and says what would be changed.
    support: full
  diff_mode:
    description: Will return who was taken out of O(main), without passwords, and whose files were changed.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.queue_check
"""

EXAMPLES = r"""
- name: Ask the server who may enter
  openclaw.mission_control.redis_server:
    passwords: ["{{ redis_password }}"]
  become: true
  register: asked

- name: Remove whoever is foreign
  openclaw.mission_control.redis_server:
    state: alone
    passwords: ["{{ redis_password }}"]
    password: "{{ redis_password }}"
  become: true
  when: asked.foreign | length > 0
"""

RETURN = r"""
running:
  description: Whether the server answers.
  type: bool
  returned: with O(state=asked)
why:
  description: Why it does not.
  type: str
  returned: with O(state=asked)
transport:
  description: By which way it was reached.
  type: str
  returned: with O(state=asked)
  sample: socket
open:
  description: Whether it answers without a password.
  type: bool
  returned: with O(state=asked)
known:
  description: Whether one of O(passwords) lets in, or none is needed.
  type: bool
  returned: with O(state=asked)
stated:
  description: Whether O(configuration) asks for one of O(passwords), or for none.
  type: bool
  returned: with O(state=asked)
hides:
  description: Whether it does not tell its settings.
  type: bool
  returned: with O(state=asked)
in_force:
  description: The values of O(settings).
  type: dict
  returned: with O(state=asked)
itself:
  description: What it says of itself (INFO), of policy, append-only file and keys.
  type: dict
  returned: with O(state=asked)
foreign:
  description: Users that O(configuration) does not name.
  type: list
  elements: str
  returned: with O(state=asked)
passwords:
  description: How many passwords the user default has.
  type: int
  returned: with O(state=asked)
kept:
  description: Whether the files are as V(configured) has them.
  type: bool
  returned: with O(state=asked)
removed:
  description: Who was removed, or what was taken out of O(main).
  type: list
  elements: str
  returned: with O(state=alone) and O(state=configured)
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._redis_server.files import Files
from ..module_utils._redis_server.states import STATES, work
from ..module_utils._terminal import clean


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(STATES), "default": "asked"},
            "configuration": {"type": "path", "default": "/etc/redis/mission-control.conf"},
            "main": {"type": "path", "default": "/etc/redis/redis.conf"},
            "content": {"type": "str", "no_log": True},
            "port": {"type": "int", "default": 6379},
            "passwords": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "password": {"type": "str", "default": "", "no_log": True},
            "settings": {"type": "list", "elements": "str", "default": []},
            "disconnect": {"type": "bool", "default": False},
            "plain": {"type": "bool", "default": True},
            "certificate": {"type": "path"},
            "key": {"type": "path", "no_log": False},
        },
        required_if=[("state", "certified", ("certificate", "key"))],
        supports_check_mode=True,
    )

    def run(argv: Any) -> tuple[int, str, str]:
        status, said, complaint = module.run_command(list(argv))
        return status, said, complaint

    files = Files(Path(module.params["main"]), Path(module.params["configuration"]))

    def answer() -> dict[str, Any]:
        found = work(module.params, files, run, module.check_mode)
        for words in found.pop("warnings", []):
            module.warn(clean(words))
        return found

    finish(module, answer)


if __name__ == "__main__":
    main()
