#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: gateway_preflight
short_description: Find mistakes in the settings of a gateway before anything is changed
version_added: "1.0.0"
description:
  - Looks at the settings of a gateway, its registrations and boards on the controller. No host is asked.
  - Among others it refuses a gateway that speaks another protocol than the backend, and names the versions
    that fit.
  - All problems are reported at once, each with its variable and a remedy.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  deployed:
    description: Whether the collection deploys the gateway. If not, only registrations and boards matter.
    type: bool
    default: true
  version:
    description: Version of OpenClaw.
    type: str
    default: ""
  backend_protocol:
    description: The gateway protocol that the backend speaks, or the lowest and the highest one.
    type: list
    elements: int
    default: [3]
  policy:
    description: Whether a gateway that the backend cannot talk to stops the play or only warns.
    type: str
    choices: [refuse, warn]
    default: refuse
  host:
    description: The gateway's host in the inventory.
    type: str
    default: ""
  backend_hosts:
    description: The backend's hosts in the inventory.
    type: list
    elements: str
    default: []
  bind:
    description: Where the gateway listens.
    type: str
    default: loopback
  bind_host:
    description: Address to listen on with O(bind=custom).
    type: str
    default: ""
  port:
    description: Port of the gateway.
    type: int
    default: 18789
  url:
    description: Address of the gateway as the backend reaches it.
    type: str
    default: ""
  token:
    description: The gateway's token, where it is given.
    type: str
    default: ""
  allowed_origins:
    description: Origins of web pages that may open the gateway's control interface.
    type: list
    elements: str
    default: []
  configuration:
    description: Further settings of the gateway.
    type: dict
    default: {}
  registrations:
    description: The registrations with Mission Control, see C(mission_control_gateways).
    type: list
    elements: dict
    default: []
  boards:
    description: The boards, see C(mission_control_boards).
    type: list
    elements: dict
    default: []
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: none
  platform:
    description: It runs on the controller.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Check the gateway's settings
  openclaw.mission_control.gateway_preflight:
    version: 2026.4.2
    bind: lan
    host: "{{ inventory_hostname }}"
    backend_hosts: "{{ groups['mission_control_backend'] }}"
"""

RETURN = r"""
version:
  description: The version that was looked at.
  returned: always
  type: str
problems:
  description: What stops a deployment, one line each.
  returned: always
  type: list
  elements: str
  sample:
    - >-
      gateway_version (2026.9.6): OpenClaw 2026.9.6 speaks gateway protocol 4 (tried with this collection),
      the backend speaks 3: the gateway would answer every connection with "protocol mismatch".
"""
