#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Tell which releases of Mission Control a host has, and where a rollback leads
version_added: "1.0.0"
description:
  - Lists the complete releases, with what became of each, which one serves and which one a rollback would
    take.
  - With O(choose) it says all that a rollback has to know of one release instead.
options:
  choose:
    description: Whether one release is chosen to go back to; there has to be one then.
    type: bool
    default: false
  id:
    description:
      - With O(choose), name of the release, or the start of it. Empty means the previous good one.
    type: str
    default: ""
  needed:
    description:
      - What has to run on this host after a rollback. With O(choose) a release that lacks one of them is
        refused; else such a one is not where a rollback leads.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: []
attributes:
  check_mode:
    description: Changes nothing, so check mode is the same.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
extends_documentation_fragment:
  - openclaw.mission_control.application
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.release
"""

EXAMPLES = r"""
- name: List the releases
  openclaw.mission_control.release_info:
    root: /home/mission-control/mission-control

- name: Choose the previous good one
  openclaw.mission_control.release_info:
    root: /home/mission-control/mission-control
    choose: true
    needed: [backend, worker]
"""

RETURN = r"""
current:
  description: Name of the release that is current.
  type: str
  returned: success
fallback:
  description:
    - The release that a rollback leads to, if there is one.
    - With O(choose), the one that serves again when the chosen one does not pass. It may lack parts when
      there is no better one.
  type: str
  returned: success
releases:
  description: Every complete release with its description, oldest first.
  type: list
  elements: dict
  returned: without O(choose)
id:
  description: Name of the chosen release.
  type: str
  returned: with O(choose)
path:
  description: Its directory.
  type: str
  returned: with O(choose)
outcome:
  description: What is recorded of it, V(verified), V(failed), V(left) or nothing.
  type: str
  returned: with O(choose)
components:
  description: What runs from it.
  type: list
  elements: str
  returned: with O(choose)
fingerprints:
  description: By part, a digest of all that its processes are started from.
  type: dict
  returned: with O(choose)
described:
  description: Its source as people name it.
  type: str
  returned: with O(choose)
gateway_platform:
  description: What its backend calls its platform to gateways, which pin it with the pairing.
  type: str
  returned: with O(choose)
renewed_from:
  description: The release that it was made from with other secrets, if it was.
  type: str
  returned: with O(choose)
outdated:
  description:
    - Names of its settings that belong to the installation and are not what the current release has. See
      C(state=renewed) of M(openclaw.mission_control.release).
  type: list
  elements: str
  returned: with O(choose)
lacks:
  description: What it does not have of backend, worker and frontend.
  type: list
  elements: str
  returned: with O(choose)
units_known:
  description: Whether it brings its units along, and so does RV(fallback).
  type: bool
  returned: with O(choose)
units:
  description: The units that it was verified with.
  type: list
  elements: dict
  returned: with O(choose)
known:
  description: The releases of the host in one line.
  type: str
  returned: with O(choose)
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._release import overview


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            "choose": {"type": "bool", "default": False},
            "id": {"type": "str", "default": ""},
            "needed": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": [],
            },
        },
        supports_check_mode=True,
    )
    work = overview.choose if module.params["choose"] else overview.listed
    # In check mode the user would have been created before, so nothing of his can be there.
    run_as_user(
        module,
        lambda _account: work(module.params),
        without_user=overview.nothing() if module.check_mode else None,
    )


if __name__ == "__main__":
    main()
