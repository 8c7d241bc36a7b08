#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_check
short_description: Check the metrics of all ranges
version_added: "1.0.0"
description:
  - Checks that the metrics answer for the asked ranges, in shape, and within thresholds.
  - That the answered range is the asked one is checked too, because a backend ignores a parameter it
    does not know.
  - Nothing is changed. The module fails only when an expectation is not met, and then returns the same keys.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.attributes
  - openclaw.mission_control.checks
  - openclaw.mission_control.checks.metrics
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Check all ranges, fail when more than a tenth of the activity failed
  openclaw.mission_control.metrics_check:
    token: "{{ mission_control_token }}"
    kpi_warning:
      error_rate_pct: "5"
    kpi_critical:
      error_rate_pct: "10"
    change_warning:
      throughput: "-50:"
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

from ..module_utils._verify.check_options.metrics import OPTIONS
from ..module_utils._verify.checks.metrics import run
from ..module_utils._verify.module import check_module


def main() -> None:
    check_module("metrics", run, OPTIONS)


if __name__ == "__main__":
    main()
