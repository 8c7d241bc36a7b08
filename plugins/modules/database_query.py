#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_query
short_description: Ask the database a question that only reads
version_added: "1.0.0"
description:
  - Sends one question to PostgreSQL and returns its rows as data.
  - The server enforces that it only reads. The question runs as a cursor in a read-only transaction, so
    a second statement, a C(DELETE), or a function that writes is refused by PostgreSQL itself, and
    nothing is changed.
  - The password appears in no result, no error, no process list.
  - Columns whose name says that they are secret, such as the tokens of gateways, are masked.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
extends_documentation_fragment:
  - openclaw.mission_control.application.installed
  - openclaw.mission_control.attributes
requirements:
  - psycopg2 (Debian package python3-psycopg2)
options:
  query:
    description:
      - One statement that returns rows, such as C(SELECT), C(WITH), C(VALUES), C(TABLE), C(SHOW) or
        C(EXPLAIN).
    type: str
    required: true
  parameters:
    description:
      - Values for the placeholders of O(query). A list fills C(%s) in order, a dictionary fills
        C(%(name)s). With parameters a plain C(%) is written C(%%).
    type: raw
  limit:
    description:
      - How many rows at most.
    type: int
    default: 1000
  timeout:
    description:
      - Seconds after which the server ends the query.
    type: float
    default: 10
  mask:
    description:
      - Whether columns with secrets are masked.
    type: bool
    default: true
  database_url:
    description:
      - Where the database is, C(postgresql://user:password@host:5432/name) or the product's
        C(postgresql+psycopg://) form. Without it, C(DATABASE_URL) of the deployed environment file.
    type: str
  env_file:
    description:
      - The environment file to read C(DATABASE_URL) from. Without it C(current/backend/.env) below
        O(root).
    type: str
    default: ''
seealso:
  - module: openclaw.mission_control.database_check
"""

EXAMPLES = r"""
- name: Which agents are there?
  openclaw.mission_control.database_query:
    user: mission-control
    query: SELECT name, status FROM agents
  become: true
  register: agents

- name: Those that are offline, from a database elsewhere
  openclaw.mission_control.database_query:
    database_url: "{{ mission_control_database_url }}"
    query: SELECT name FROM agents WHERE status = %(status)s
    parameters:
      status: offline
"""

RETURN = r"""
rows:
  description: The rows, each by the names of its columns.
  type: list
  elements: dict
  returned: always
  sample: [{"name": "Scout", "status": "online"}]
columns:
  description: The names of the columns in their order.
  type: list
  elements: str
  returned: always
types:
  description: PostgreSQL's types of the columns.
  type: list
  elements: str
  returned: always
row_count:
  description: Number of rows returned.
  type: int
  returned: always
truncated:
  description: Whether there were more rows than O(limit).
  type: bool
  returned: always
table:
  description: The rows as a table for a terminal.
  type: str
  returned: always
duration_ms:
  description: Time from the connection to the last row.
  type: float
  returned: always
kind:
  description: Why there is no answer, as one word for programs.
  type: str
  returned: failure
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import finish
from ..module_utils._application import module_options
from ..module_utils._application.installation import Installation
from ..module_utils._database.question import answer, no_answer, refuse
from ..module_utils._redaction import Redactor


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.INSTALLED,
            "query": {"type": "str", "required": True},
            "parameters": {"type": "raw"},
            "limit": {"type": "int", "default": 1000},
            "timeout": {"type": "float", "default": 10.0},
            "mask": {"type": "bool", "default": True},
            "database_url": {"type": "str", "no_log": True},
            "env_file": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    options = module.params

    def work() -> dict[str, Any]:
        refuse(options)
        redactor = Redactor()
        place = {"root": options["root"], "env_file": options["env_file"]}
        host = Installation(user=options["user"] or "", redactor=redactor, **place)
        url = options["database_url"] or host.environment.get("DATABASE_URL", "")
        return answer(options, url, host, redactor)

    finish(module, work, no_answer())


if __name__ == "__main__":
    main()
