#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: service_logs
short_description: Read the logs of the services of Mission Control
version_added: "1.0.0"
description:
  - Returns the last journal records of backend, worker and frontend that fit a time, a level and a
    pattern.
  - The level is recognised from the text, in the product's text and JSON formats, because the journal's
    own priority is the same for all lines.
  - A traceback is one record.
  - Memory is bounded by O(lines), however long the journal is. Secrets of the deployment are taken out.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.application.services
  - openclaw.mission_control.attributes
options:
  services:
    description:
      - The services whose logs are wanted.
    type: list
    elements: str
    choices: [gateway, backend, worker, frontend]
    default: [backend, worker, frontend]
  lines:
    description:
      - How many records at most. The last ones are returned.
    type: int
    default: 100
  since:
    description:
      - The earliest time, for example V(10m), V(2 hours ago), V(yesterday), V(14:30), V(2026-01-31
        14:30:00) or V(2026-01-31T14:30:00Z). Without a zone it is the host's.
    type: str
    default: ''
  until:
    description:
      - The latest time, written like O(since).
    type: str
    aliases: [before]
    default: ''
  level:
    description:
      - The lowest level wanted.
    type: str
    choices: ['', trace, debug, info, warning, error, critical]
    default: ''
  pattern:
    description:
      - A regular expression that the message or the logger's name must contain. Without capitals it
        ignores case.
    type: str
    default: ''
seealso:
  - module: openclaw.mission_control.log_check
"""

EXAMPLES = r"""
- name: The errors of the last hour
  openclaw.mission_control.service_logs:
    user: mission-control
    since: 1h
    level: error
  become: true
  register: logs
"""

RETURN = r"""
entries:
  description: The records, oldest first.
  type: list
  elements: dict
  returned: always
  contains:
    time: {description: Its time in UTC., type: str, returned: always}
    epoch: {description: Its time in seconds since the epoch., type: float, returned: always}
    service: {description: The service., type: str, returned: always}
    unit: {description: The unit., type: str, returned: always}
    pid: {description: The process., type: int, returned: always}
    level: {description: The level., type: str, returned: always}
    logger: {description: The logger's name., type: str, returned: always}
    message: {description: What it says., type: str, returned: always}
    source: {description: The format that it was recognised in., type: str, returned: always}
    fields: {description: What else a JSON or access line tells., type: dict, returned: always}
more:
  description: Whether there are earlier records that fit, too.
  type: bool
  returned: always
read:
  description: Number of journal lines read.
  type: int
  returned: always
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import module_options
from ..module_utils._application.components import APPLICATION, SERVICES
from ..module_utils._application.installation import Installation
from ..module_utils._application.log_format import LEVELS
from ..module_utils._failing import fail
from ..module_utils._gateway.holder import account_asked_for
from ..module_utils._host.accounts import find_account
from ..module_utils._host.errors import HostError
from ..module_utils._redaction import Redactor
from ..module_utils._services.logs import as_data, collect, question_of


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.SERVICES,
            "services": {
                "type": "list",
                "elements": "str",
                "choices": list(SERVICES),
                "default": list(APPLICATION),
            },
            "lines": {"type": "int", "default": 100},
            "since": {"type": "str", "default": ""},
            "until": {"type": "str", "default": "", "aliases": ["before"]},
            "level": {"type": "str", "choices": ["", *LEVELS], "default": ""},
            "pattern": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    options = module.params
    now = time.time()
    nothing: dict[str, object] = {"entries": [], "more": False, "read": 0}
    try:
        question = question_of(options, now)
    except ValueError as error:
        fail(module, {"msg": str(error), **nothing})
    try:
        account = find_account(options["user"] or None)
        redactor = Redactor()
        _ = Installation(user=account.name, root=options["root"], env_file="", redactor=redactor).environment
        gateway = account_asked_for(options, account)
        found = collect(account, question, now, redactor=redactor, gateway_account=gateway)
    except HostError as error:
        fail(module, {**error.result(), **nothing})
    module.exit_json(
        changed=False, entries=[as_data(record) for record in found.records], more=found.more, read=found.read
    )


if __name__ == "__main__":
    main()
