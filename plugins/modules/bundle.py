#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: bundle
short_description: Have what a deployment would download on a host that reaches no registry
version_added: "1.0.0"
description:
  - Sends the parts of a bundle that a host uses and lacks, in one file, and checks their SHA-256 before
    anything uses them. M(openclaw.mission_control.bundle_build) makes bundles.
  - Offers the Debian packages in it to apt, as a repository that is used only with the settings in
    C(apt.conf) of O(directory); the host's own sources stay as they are.
  - What is there already is not sent again, so that a second bundle costs only what differs.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  state:
    description:
      - V(absent) removes everything of a bundle from the host. What was deployed from it stays.
    type: str
    choices: [present, absent]
    default: present
  path:
    description:
      - The bundle, a file on the controller. Required with O(state=present).
    type: path
  directory:
    description:
      - Where it lies on the host. It belongs to root, because root installs packages from it.
    type: path
    default: /var/lib/mission-control-bundle
  components:
    description:
      - What shall run on this host. It gets the parts that these use.
    type: list
    elements: str
    choices: [postgresql, redis, backend, worker, frontend, gateway, proxy]
    default: [postgresql, redis, backend, worker, frontend]
  parts:
    description: Set by the action plugin.
    type: dict
    default: {}
  archive:
    description: Set by the action plugin.
    type: path
attributes:
  action:
    description: Its first half runs on the controller, which has the bundle.
    support: full
  check_mode:
    description: Can run in C(check_mode) and return what would be sent.
    support: full
  diff_mode:
    description: Returns details of what would change.
    support: none
  platform:
    description: Target systems.
    support: full
    platforms: debian
seealso:
  - module: openclaw.mission_control.bundle_build
"""

EXAMPLES = r"""
- name: Have the bundle on the host
  openclaw.mission_control.bundle:
    path: /media/mission-control.tar
    components: [postgresql, redis, backend, worker, frontend]
  become: true

- name: Remove it
  openclaw.mission_control.bundle:
    state: absent
  become: true
"""

RETURN = r"""
missing:
  description: Names of the parts that were, or in check mode would be, sent.
  returned: with O(state=present)
  type: list
  elements: str
  sample: [packages.tar, wheels.tar]
removed:
  description: What was removed, because no bundle on this host needs it any more.
  returned: always
  type: list
  elements: str
uploaded_bytes:
  description: Size of what was sent.
  returned: with O(state=present)
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _bundle
from ..module_utils._ansible_module import finish


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "path": {"type": "path"},
            "directory": {"type": "path", "default": "/var/lib/mission-control-bundle"},
            "components": {
                "type": "list",
                "elements": "str",
                "choices": ["postgresql", "redis", "backend", "worker", "frontend", "gateway", "proxy"],
                "default": ["postgresql", "redis", "backend", "worker", "frontend"],
            },
            # From the controller's half.
            "parts": {"type": "dict", "default": {}},
            "archive": {"type": "path"},
        },
        required_if=[("state", "present", ["path"])],
        supports_check_mode=True,
    )
    work = {"present": _bundle.present, "absent": _bundle.absent}[module.params["state"]]
    finish(module, lambda: work(module.params, module.check_mode))


if __name__ == "__main__":
    main()
