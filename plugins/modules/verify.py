#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Verify a Mission Control, all checks at once
version_added: "1.0.0"
description:
  - Runs any set of checks side by side in one task, over pooled connections.
  - It takes as long as its slowest check.
  - Each check's options stand below its name. The common ones hold for all checks.
  - A check that fails is tried again by itself while O(deadline) lasts. A pass that needed this is V(flaky).
  - Findings that explain one another are brought into order. RV(root_causes) names what to cure.
  - Nothing is changed, in check mode neither, where the checks are really done.
  - Where the command of M(openclaw.mission_control.host_command) has the same checks on board, it runs them,
    which saves the sending of this module. With C(async), without pipelining or with another Python than the
    distribution's the module runs.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.attributes
  - openclaw.mission_control.checks
  - openclaw.mission_control.checks.verify
attributes:
  diff_mode:
    support: full
    details: With O(baseline), the states before and after.
seealso:
  - module: openclaw.mission_control.health_check
  - module: openclaw.mission_control.cors_check
  - module: openclaw.mission_control.membership_check
  - module: openclaw.mission_control.agents_check
  - module: openclaw.mission_control.gateway_check
  - module: openclaw.mission_control.sessions_check
  - module: openclaw.mission_control.session_check
  - module: openclaw.mission_control.metrics_check
  - module: openclaw.mission_control.frontend_check
  - module: openclaw.mission_control.service_check
  - module: openclaw.mission_control.log_check
  - module: openclaw.mission_control.database_check
  - module: openclaw.mission_control.queue_check
  - module: openclaw.mission_control.host_check
  - module: openclaw.mission_control.configuration_check
  - module: openclaw.mission_control.front_door_check
  - module: openclaw.mission_control.backup_check
"""

EXAMPLES = r"""
- name: Verify everything as seen from the host
  openclaw.mission_control.verify:
    token: "{{ mission_control_token }}"
    public_url: http://mission-control.example.com:3000
    user: mission-control

- name: Wait up to two minutes until a deployment is healthy
  openclaw.mission_control.verify:
    checks: [health, membership, service]
    token: "{{ mission_control_token }}"
    user: mission-control
    deadline: 120
    successes: 2

- name: As users see it, from the controller
  openclaw.mission_control.verify:
    checks: [health, cors, frontend]
    url: http://mission-control.example.com:8000
    public_url: http://mission-control.example.com:3000
    view: controller
    health:
      latency_warning: "300"
  delegate_to: localhost
"""

# Written by docs/write_docs.py from docs/writer/returns.py: change it there.
RETURN = r"""
state:
  description: The worst state of all parts.
  type: str
  returned: always
  choices: [skip, pass, flaky, warn, fail, error]
summary:
  description: One line on what was found.
  type: str
  returned: always
verdicts:
  description: One verdict for each check, as a tree. Parts are below C(checks) and look the same.
  type: list
  elements: dict
  returned: always
  contains:
    name: {description: Name of the check or part., type: str, returned: always}
    state: {description: Its state., type: str, returned: always}
    summary: {description: One line., type: str, returned: always}
    cause: {description: Why., type: str, returned: always}
    remedy: {description: What to do., type: str, returned: always}
    cure: {description: What the remedy takes., type: dict, returned: always}
    kind: {description: The cause as one word for programs., type: str, returned: always}
    evidence: {description: What was seen., type: dict, returned: always}
    measures: {description: Figures with their thresholds., type: list, elements: dict, returned: always}
    duration_ms: {description: Time taken., type: float, returned: always}
    attempts: {description: Number of attempts., type: int, returned: always}
    consequence_of: {description: Path of the finding that explains this one., type: str, returned: always}
    checks: {description: Parts., type: list, elements: dict, returned: always}
root_causes:
  description: Findings that nothing else explains, worst first.
  type: list
  elements: dict
  returned: always
counts:
  description: Number of checks by state.
  type: dict
  returned: always
schema:
  description: Version of this structure.
  type: int
  returned: always
host:
  description: Name of the host that looked.
  type: str
  returned: always
view:
  description: From where the check looked.
  type: str
  returned: always
begun:
  description: When it began, in UTC.
  type: str
  returned: always
duration_ms:
  description: How long it took in all.
  type: float
  returned: always
requests:
  description: Number of HTTP requests sent.
  type: int
  returned: always
comparison:
  description: What changed since O(baseline), with C(decision) PROCEED, REVIEW or ROLLBACK.
  type: dict
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._verify.check import Run
from ..module_utils._verify.checks import (
    agents,
    backup,
    configuration,
    cors,
    database,
    front_door,
    frontend,
    gateway,
    health,
    host,
    log,
    membership,
    metrics,
    queue,
    service,
    session,
    sessions,
)
from ..module_utils._verify.module import end
from ..module_utils._verify.options import verify_specification
from ..module_utils._verify.verification import verify

RUNS: dict[str, Run] = {
    "health": health.run,
    "cors": cors.run,
    "membership": membership.run,
    "agents": agents.run,
    "gateway": gateway.run,
    "sessions": sessions.run,
    "session": session.run,
    "metrics": metrics.run,
    "frontend": frontend.run,
    "service": service.run,
    "log": log.run,
    "database": database.run,
    "queue": queue.run,
    "host": host.run,
    "configuration": configuration.run,
    "front_door": front_door.run,
    "backup": backup.run,
}


def main() -> None:
    module = AnsibleModule(argument_spec=verify_specification(), supports_check_mode=True)
    end(module, verify(module.params, RUNS.__getitem__, diff=module._diff))


if __name__ == "__main__":
    main()
