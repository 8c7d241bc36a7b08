#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: front_door_check
short_description: Check the front door as its users meet it
version_added: "1.0.0"
description:
  - Checks that users come in by TLS, and a proxy in front does nothing to what the product relies on.
  - Looks at certificate, versions of TLS, the way from http, HSTS, what goes to the backend and what to the
    frontend, CORS, streams of events, large bodies, forwarded addresses, and what answers past the door.
  - It is meant for the controller, which sees what users see. It judges proxies of the operator's own, too.
  - Nothing is changed. The module fails only when an expectation is not met, and then returns the same keys.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.attributes
  - openclaw.mission_control.checks
  - openclaw.mission_control.checks.front_door
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Check the door from the controller
  openclaw.mission_control.front_door_check:
    url: https://mission-control.example.com
    public_url: https://mission-control.example.com
    token: "{{ mission_control_token }}"
    direct: [http://mission-control.example.com:8000, http://mission-control.example.com:3000]
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
cause:
  description: Why, in the operator's terms. Empty when nothing is wrong.
  type: str
  returned: always
remedy:
  description: The setting or command that cures it.
  type: str
  returned: always
evidence:
  description: What the check saw, without secrets; by parts of the check where it has some.
  type: dict
  returned: always
verdict:
  description: The verdict as a tree. Its parts are below RV(verdict.checks) and look the same.
  type: dict
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
"""

from ..module_utils._verify.check_options.front_door import OPTIONS
from ..module_utils._verify.checks.front_door import run
from ..module_utils._verify.explanations.front_door import ROWS
from ..module_utils._verify.module import check_module


def main() -> None:
    check_module("front_door", run, OPTIONS, ROWS)


if __name__ == "__main__":
    main()
