#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_info
short_description: List the restore points of a host
version_added: "1.0.0"
description:
  - Lists the restore points of this host and environment in the repository, the newest first, and tells how
    the last runs went. Changes nothing.
  - A host without backups is no failure.
options: {}
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
  diff_mode:
    description: Has nothing to show.
    support: none
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.backup
"""

EXAMPLES = r"""
- name: List the restore points
  openclaw.mission_control.backup_info:
  become: true
  register: found
"""

RETURN = r"""
points:
  description: The restore points, the newest first.
  type: list
  elements: dict
  returned: success
  contains:
    name: {description: Its name., type: str, returned: always}
    time: {description: "When it was made, in the host's time zone.", type: str, returned: always}
    moment: {description: The same in seconds since the epoch., type: float, returned: always}
    snapshot: {description: Its snapshot., type: str, returned: always}
    parts: {description: What it has., type: list, elements: str, returned: always}
    purpose: {description: What it was made for., type: str, returned: always}
    size: {description: Bytes before compression and deduplication., type: int, returned: always}
    complete: {description: Whether it can be restored., type: bool, returned: always}
repository:
  description: The repository's address; empty where backups are not set up.
  type: str
  returned: always
leaves_the_host:
  description: Whether the repository outlives the host, as far as its address tells.
  type: bool
  returned: success
state:
  description: How the last runs went.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._backup.listing import tell


def main() -> None:
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    finish(module, tell)


if __name__ == "__main__":
    main()
