#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Tell the history of deployments of Mission Control on a host
version_added: "1.0.0"
description:
  - Returns the last deployments and rollbacks, as M(openclaw.mission_control.deployment) has recorded them,
    and the run that goes on.
options:
  lines:
    description: How many of the last records are returned.
    type: int
    default: 20
attributes:
  check_mode:
    description: Changes nothing, so check mode is the same.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
extends_documentation_fragment:
  - openclaw.mission_control.application.home
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.deployment
"""

EXAMPLES = r"""
- name: Look at the last deployments
  openclaw.mission_control.deployment_info:
    root: /home/mission-control/mission-control
    lines: 5
  become: true
"""

RETURN = r"""
history:
  description: The last deployments and rollbacks, oldest first. See docs/releases.md for the fields.
  type: list
  elements: dict
  returned: success
revisions:
  description:
    - The commits that were deployed from Git, the last one at the end, as root has remembered them. What a
      release says of itself its user can change.
  type: list
  elements: str
  returned: for root
running:
  description: The run that goes on, if there is one; only root can tell.
  type: dict
  returned: when there is one
holder:
  description: The same in one sentence.
  type: str
  returned: when there is one
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options
from ..module_utils._release.deployments import listed


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.HOME,
            "lines": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    finish(module, lambda: listed(module.params))


if __name__ == "__main__":
    main()
