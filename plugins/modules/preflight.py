#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Find every foreseeable mistake before anything is changed
version_added: "1.0.0"
description:
  - Checks the variables of a deployment, the inventory's groups and an inspected host, and fails with all
    problems at once. Each line names the variable, its value (never a secret), what is wrong and what to do.
  - Runs on the controller only. Nothing is asked from the host; what is known of it comes from
    M(openclaw.mission_control.host_info).
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  host:
    description:
      - What M(openclaw.mission_control.host_info) returned. When omitted, only variables and groups are
        checked.
    type: dict
  components:
    description:
      - Parts that run on this host. By default they follow from the inventory's groups.
    type: list
    elements: str
    choices: [postgresql, redis, backend, worker, frontend, gateway, proxy]
  variables:
    description:
      - Values by the names of public variables (C(mission_control_...)), before those of the inventory.
    type: dict
    default: {}
  ports:
    description:
      - Ports that have to be free or held by this deployment. By default those of backend and frontend.
    type: list
    elements: dict
    suboptions:
      port:
        description: Number of the port.
        type: int
        required: true
      variable:
        description: Variable to name in a message.
        type: str
        required: true
  disk:
    description:
      - Free space that is needed.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: A path that O(host) has figures of.
        type: str
        required: true
      bytes:
        description: Bytes that have to be free.
        type: int
        required: true
      variable:
        description: Variable to name in a message.
        type: str
        required: true
  memory:
    description:
      - Bytes of memory that the host has to have.
    type: int
    default: 0
  bundle:
    description:
      - A bundle, a file on the controller, that the host is deployed from. It has to fit the host, and what
        the roles' variables ask for. Empty means that there is none.
    type: str
    default: ""
  gateway_support:
    description:
      - What M(openclaw.mission_control.source) returned of the same name. With it only what follows from the
        source is checked; the rest belongs before it.
    type: dict
    default: {}
  bundle_directory:
    description:
      - Where the bundle will lie on the host; O(host) has the free space there.
    type: str
    default: ""
attributes:
  action:
    description: It is an action plugin and runs on the controller.
    support: full
  check_mode:
    description: Can run in C(check_mode) and return the same, because nothing is ever changed.
    support: full
  diff_mode:
    description: Returns details of what would change.
    support: N/A
    details: Nothing is ever changed.
  platform:
    description: Target systems.
    support: full
    platforms: posix
"""

EXAMPLES = r"""
- name: Look at the host
  openclaw.mission_control.host_info:
    user: mission-control
  register: host

- name: Check everything before anything is changed
  openclaw.mission_control.preflight:
    host: "{{ host }}"
"""

RETURN = r"""
problems:
  description: What has to be put right first.
  returned: always
  type: list
  elements: dict
  sample:
    - rule: public_url
      variable: mission_control_public_url
      value: http://host:3000/
      message: ends with a slash, and an origin is compared to the letter
      remedy: give scheme, host and port only, such as http://host:3000
warnings:
  description: What may be meant.
  returned: when there are any
  type: list
  elements: str
components:
  description: Parts that this host runs.
  returned: always
  type: list
  elements: str
"""
