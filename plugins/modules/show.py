#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: show
short_description: Show a text on the terminal, or write it into a file
version_added: "1.0.0"
description:
  - Shows a text as it is, such as a table, whatever callback plugin is in use.
  - With O(path) it is written into a file on the controller instead, which only its owner may read.
  - It runs on the controller. The host is not called.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: The text is shown in check mode, too. A file is not written then.
    support: full
  diff_mode:
    description: Returns details on what has changed in diff mode. The text may be private.
    support: none
  platform:
    description: Systems on which it runs.
    support: full
    platforms: posix
options:
  text:
    description:
      - The text.
    type: str
    required: true
  path:
    description:
      - File on the controller. It is replaced at once, its permissions are 0600.
    type: path
"""

EXAMPLES = r"""
- name: Show how the services stand
  openclaw.mission_control.show:
    text: "{{ {inventory_hostname: status} | openclaw.mission_control.status_table }}"
"""

RETURN = r"""
path:
  description: The file that was written.
  type: str
  returned: with O(path)
lines:
  description: Number of lines.
  type: int
  returned: always
"""
