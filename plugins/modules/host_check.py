#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_check
short_description: Check the host below the application
version_added: "1.0.0"
description:
  - Checks that clock, disk, memory, ports and sandboxing of the host are right, that it reaches itself and
    the application's files, and that its servers start at the next boot.
  - Nothing is changed. The module fails only when an expectation is not met, and then returns the same keys.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.attributes
  - openclaw.mission_control.checks
  - openclaw.mission_control.checks.host
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Check disk, memory and ports
  openclaw.mission_control.host_check:
    user: mission-control
    ports:
      - port: 8000
        bind: any
        unit: mission-control-backend
      - port: 5432
        bind: loopback
  become: true
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

from ..module_utils._verify.check_options.host import OPTIONS
from ..module_utils._verify.checks.host import run
from ..module_utils._verify.explanations.host import ROWS
from ..module_utils._verify.module import check_module


def main() -> None:
    check_module("host", run, OPTIONS, ROWS)


if __name__ == "__main__":
    main()
