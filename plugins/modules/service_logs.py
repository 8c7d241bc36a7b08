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
  - openclaw.mission_control.attributes
options:
  user:
    description:
      - The application's user. Without it, whoever runs the module.
    type: str
  gateway_user:
    description:
      - The user that runs the gateway. Without it, O(user).
    type: str
  root:
    description:
      - The application's root directory. The deployed environment file below it names the secrets to
        take out.
    type: str
    default: ~/mission-control
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

from ..module_utils._application.components import APPLICATION, SERVICES
from ..module_utils._application.log_format import LEVELS
from ..module_utils._application.target import Host
from ..module_utils._durations import moment
from ..module_utils._host.accounts import find_account
from ..module_utils._host.errors import HostError
from ..module_utils._redaction import Redactor
from ..module_utils._services.logs import Question, as_data, collect, compiled

MOST_LINES = 100000


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str"},
            "gateway_user": {"type": "str"},
            "root": {"type": "str", "default": "~/mission-control"},
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
    times: dict[str, float | None] = {"since": None, "until": None}
    problems = []
    for name in times:
        if options[name]:
            try:
                times[name] = moment(options[name], now)
            except ValueError as error:
                problems.append(f"{name}: {error}")
    since, until = times["since"], times["until"]
    if since is not None and until is not None and since > until:
        problems.append(f"since: {options['since']!r} lies after until ({options['until']!r})")
    if not 1 <= options["lines"] <= MOST_LINES:
        problems.append(f"lines: {options['lines']} is not between 1 and {MOST_LINES}")
    pattern = None
    if options["pattern"]:
        try:
            pattern = compiled(options["pattern"])
        except ValueError as error:
            problems.append(f"pattern: {error}")
    if problems:
        module.fail_json(msg="; ".join(problems), entries=[], more=False, read=0)
    question = Question(
        services=options["services"],
        lines=options["lines"],
        since=since,
        until=until,
        level=options["level"],
        pattern=pattern,
    )
    try:
        account = find_account(options["user"] or None)
        redactor = Redactor()
        _ = Host(user=account.name, root=options["root"], env_file="", redactor=redactor).environment
        gateway = find_account(options["gateway_user"]) if options["gateway_user"] else None
        found = collect(account, question, now, redactor=redactor, gateway_account=gateway)
    except HostError as error:
        module.fail_json(msg=f"{error.message} {error.remedy}".strip(), entries=[], more=False, read=0)
    module.exit_json(
        changed=False, entries=[as_data(record) for record in found.records], more=found.more, read=found.read
    )


if __name__ == "__main__":
    main()
