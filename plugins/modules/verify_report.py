#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_report
short_description: Show verdicts as a table and write reports
version_added: "1.0.0"
description:
  - Shows what M(openclaw.mission_control.verify) or any check returned as a table, the worst first.
  - Writes any number of reports from it, without asking the host again.
  - This is an action. It runs on the controller and has no call to the host.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  results:
    description:
      - Registered results of M(openclaw.mission_control.verify) or of single checks. One for each view.
      - What has no verdicts, as the result of a skipped task, is left out.
    type: list
    elements: dict
    required: true
  name:
    description: Name in the reports and of their files. Without it, the host's name in the inventory.
    type: str
  directory:
    description:
      - Directory on the controller for the reports. It is made when it is missing.
      - A relative one is below the directory in which C(ansible-playbook) was started.
    type: path
  formats:
    description: Formats to write.
    type: list
    elements: str
    choices: [json, junit, prometheus, nagios, tap, markdown, html]
    default: []
  baseline:
    description: The JSON report of an earlier run to compare with.
    type: path
  fail_on:
    description: From which state on the task fails.
    type: str
    choices: [never, fail, warn]
    default: fail
  show:
    description: Whether the table is shown, and a line with the paths of the reports that were written.
    type: bool
    default: true
attributes:
  check_mode:
    description: Can run in check mode and return the same.
    support: full
    details: Reports are written in check mode too, since nothing on the host changes.
  diff_mode:
    description: Returns details on what has changed, or what differs, in diff mode.
    support: none
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
seealso:
  - module: openclaw.mission_control.verify
"""

EXAMPLES = r"""
- name: Verify
  openclaw.mission_control.verify:
    token: "{{ mission_control_token }}"
    fail_on: never
  register: verified

- name: Show the verdicts and write reports
  openclaw.mission_control.verify_report:
    results: ["{{ verified }}"]
    directory: reports
    formats: [json, junit, html]
"""

RETURN = r"""
state:
  description: The worst state of all views.
  type: str
  returned: always
summary:
  description: One line.
  type: str
  returned: always
counts:
  description: Number of checks by state.
  type: dict
  returned: always
comparison:
  description: What changed since O(baseline), with C(decision) PROCEED, REVIEW or ROLLBACK.
  type: dict
  returned: always
files:
  description: Path of each report by its format.
  type: dict
  returned: always
table:
  description: The table; empty with O(show), which has shown it already.
  type: str
  returned: always
"""
