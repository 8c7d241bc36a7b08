#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: adoption
short_description: Take over an installation that was set up by hand, or give it back
version_added: "1.0.0"
description:
  - Finds Mission Control as an operator sets it up after the product's guide (a checkout in the application
    root, user units C(mission-control-backend), C(-worker) and C(-frontend)), or as the product's installer
    leaves it (a checkout anywhere, units C(openclaw-mission-control-*), processes of no unit).
  - With O(state=taken) its units are stopped and put aside, processes of no unit are ended, and what lies
    where releases go is moved into a directory with the date in its name. Nothing is deleted, and
    O(state=restored) has all of it back and running. Both can be interrupted and repeated.
  - What was found is recorded in C(shared/adopted.json), which only the application's user can read, and
    before anything is touched in C(/var/lib/mission-control), which only root can. Root believes its own
    record. One of the user's that root has none of is ignored, with a warning.
options:
  state:
    description:
      - V(read) returns the settings, what they become below the inventory (RV(facts)), and a summary.
      - V(taken) takes the installation over.
      - V(restored) gives it back, unless a release has passed its gate since.
    type: str
    choices: [read, taken, restored]
    default: read
  secret_settings:
    description:
      - Names of settings of that installation whose values are never shown, besides those whose name or value
        says so.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Indicates this has a corresponding action plugin, which reads the variables of the inventory.
    support: full
  check_mode:
    description: Can run in check mode and tell what would be done.
    support: full
  diff_mode:
    description: Will return what is moved, stopped and started.
    support: full
extends_documentation_fragment:
  - openclaw.mission_control.application.home
  - openclaw.mission_control.application.lock
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Read what was set up by hand
  openclaw.mission_control.adoption:
    user: ubuntu
    root: ~/mission-control
  no_log: true
  register: found

- name: Take it over
  openclaw.mission_control.adoption:
    state: taken
    user: ubuntu
    root: ~/mission-control
"""

RETURN = r"""
found:
  description: Whether there is, or was, such an installation.
  type: bool
  returned: success
backend:
  description: Settings of backend and worker, with secrets.
  type: dict
  returned: with O(state=read), when found
frontend:
  description: Settings of the frontend.
  type: dict
  returned: with O(state=read), when found
adopting:
  description: Whether the take-over goes on, as no release has passed its gate since.
  type: bool
  returned: with O(state=read), when found
facts:
  description: Variables that carry the settings over where the inventory does not name them, with secrets.
  type: dict
  returned: with O(state=read), when found
summary:
  description: What is taken over and what becomes of each setting, secrets hidden.
  type: str
  returned: with O(state=read), when found
steps:
  description: What was, or in check mode would be, done.
  type: list
  elements: str
  returned: with O(state=taken) and O(state=restored)
kept:
  description: The directory in which the old things are.
  type: str
  returned: when found
"""

import signal

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._adoption.states import bring
from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.HOME,
            **module_options.LOCK,
            "state": {"type": "str", "choices": ["read", "taken", "restored"], "default": "read"},
            # Their names only.
            "secret_settings": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    # A lost connection must not stop the work halfway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    finish(module, lambda: bring(module.params, check=module.check_mode))


if __name__ == "__main__":
    main()
