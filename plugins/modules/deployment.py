#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment
short_description: Keep deployments of Mission Control apart and record them
version_added: "1.0.0"
description:
  - With O(state=begun) the run of C(ansible-playbook) enters itself on the host. Another run finds out who
    deploys, what, from where and since when, waits for O(wait) seconds and then fails with that.
  - The entry counts as long as a small process lives on the host. That is started through the connection and
    ends with the run, however the run ends. A reboot ends it too, the loss of the connection, and a minute
    without a word of the run. There is nothing to clean up by hand.
  - With O(state=ended) the run is recorded in C(shared/history.jsonl) below the root, and the next may begin.
    A run that ended without this is recorded as interrupted by the next one.
  - No secret is recorded.
options:
  state:
    description:
      - V(begun) enters the run, V(ended) records it.
    type: str
    choices: [begun, ended]
    required: true
  action:
    description: What the run does.
    type: str
    choices: [deploy, rollback, restore, rotate, uninstall]
    default: deploy
  by:
    description: Who runs it. Without it, the user and host that run Ansible.
    type: str
    default: ""
  source:
    description: What is deployed from, for those who wait.
    type: str
    default: ""
  revision:
    description:
      - Which revision of it, for those who wait.
      - With O(state=ended) and O(result=deployed) the commit that was deployed. Root remembers the last
        fifty, see RV(openclaw.mission_control.deployment_info#module:revisions). V(none) where the source is
        no Git repository; those before it are forgotten then.
    type: str
    default: ""
  rotated:
    description: What a rotation of secrets is about, in words such as C(token); never a value.
    type: list
    elements: str
    default: []
  wait:
    description: Seconds to wait for another run. Its holder is shown while this one waits.
    type: int
    default: 0
  result:
    description:
      - How the run ended, for O(state=ended). V(deployed) is recorded as C(unchanged) when no release was
        made, tried or switched to. V(removed) is recorded only if there still is a history.
      - V(failed) and V(returned) make this task fail with O(reason) once that is recorded. V(returned) says
        that the release of before serves again.
    type: str
    choices: [deployed, rolled_back, restored, rotated, removed, failed, returned]
  release:
    description: The release that was deployed, or was tried to be. Without it the current one is taken.
    type: str
    default: ""
  failed_task:
    description: Name of the task that failed.
    type: str
    default: ""
  failed_checks:
    description: Names of the checks that failed.
    type: list
    elements: str
    default: []
  reason:
    description: Why it failed.
    type: str
    default: ""
  schema:
    description: What was done to the database.
    type: dict
    default: {}
  run:
    description: Set by the controller's half of this module.
    type: str
    default: ""
attributes:
  check_mode:
    description: In check mode nobody is entered or recorded.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
extends_documentation_fragment:
  - openclaw.mission_control.application.home
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.deployment_info
"""

EXAMPLES = r"""
- name: Keep other deployments away
  openclaw.mission_control.deployment:
    state: begun
    root: /home/mission-control/mission-control
    by: "{{ lookup('ansible.builtin.env', 'USER') }}"
    wait: 600

- name: Record the deployment
  openclaw.mission_control.deployment:
    state: ended
    root: /home/mission-control/mission-control
    result: deployed
"""

RETURN = r"""
running:
  description: The run that goes on, without O(state=begun) for another one, if there is one.
  type: dict
  returned: success
holder:
  description: The same in one sentence.
  type: str
  returned: when there is one
waited:
  description: Whether another run had to be waited for.
  type: bool
  returned: with O(state=begun)
interrupted:
  description: The run before this one, which ended without saying how, as it was recorded.
  type: dict
  returned: with O(state=begun), when there is one
recorded:
  description: The line of the history.
  type: dict
  returned: with O(state=ended), if the run had begun
"""

import signal

from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options
from ..module_utils._discreet import DiscreetModule
from ..module_utils._release import deployments


def main() -> None:
    module = DiscreetModule(
        argument_spec={
            **module_options.HOME,
            "state": {"type": "str", "choices": ["begun", "ended"], "required": True},
            "action": {
                "type": "str",
                "choices": ["deploy", "rollback", "restore", "rotate", "uninstall"],
                "default": "deploy",
            },
            "by": {"type": "str", "default": ""},
            "source": {"type": "str", "default": ""},
            "revision": {"type": "str", "default": ""},
            "rotated": {"type": "list", "elements": "str", "default": []},
            "wait": {"type": "int", "default": 0},
            "result": {
                "type": "str",
                "choices": [
                    "deployed",
                    "rolled_back",
                    "restored",
                    "rotated",
                    "removed",
                    "failed",
                    "returned",
                ],
            },
            "release": {"type": "str", "default": ""},
            "failed_task": {"type": "str", "default": ""},
            "failed_checks": {"type": "list", "elements": "str", "default": []},
            "reason": {"type": "str", "default": ""},
            "schema": {"type": "dict", "default": {}},
            "run": {"type": "str", "default": ""},
        },
        required_if=[("state", "ended", ["result"])],
        supports_check_mode=True,
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    work = {"begun": deployments.begin, "ended": deployments.end}[module.params["state"]]
    finish(module, lambda: work(module.params, module.check_mode))


if __name__ == "__main__":
    main()
