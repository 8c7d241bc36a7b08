#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_migration
short_description: Bring the database of Mission Control to the schema of a release
version_added: "1.0.0"
description:
  - Compares the database with the migrations of a prepared release and applies those that are missing,
    once, under
    an advisory lock, before the release is started.
  - Refuses a release whose migrations end in several heads, and a database that is ahead of the release.
  - A release whose migration fails is marked as failed, with the reason.
  - A statement that waits for a lock gives up after O(statement_lock_timeout), so that the release that
    serves is
    not held up.
options:
  state:
    description:
      - V(upgraded) applies what is missing.
      - V(downgraded) takes back the migrations that the release does not know, with the code of the newest
        release on the host that knows them. What is only in the tables and columns of those migrations is
        lost, so back the database up and stop the services first.
    type: str
    choices: [upgraded, downgraded]
    default: upgraded
  made_by:
    description: Who deploys, for the description of a release whose migration failed.
    type: str
    default: ""
attributes:
  check_mode:
    description:
      - Can run in check mode and shows the pending migrations. Of a release whose source is not on the host
        yet it says that they are not known.
    support: full
  diff_mode:
    description: Shows the revision before and after, with the migrations between.
    support: full
extends_documentation_fragment:
  - openclaw.mission_control.application
  - openclaw.mission_control.application.migration
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.database_migration_info
"""

EXAMPLES = r"""
- name: Migrate before the release is started
  openclaw.mission_control.database_migration:
    root: /home/mission-control/mission-control
    release: "{{ prepared.id }}"
"""

RETURN = r"""
current:
  description: Revisions that the database is at.
  type: list
  elements: str
  returned: success
head:
  description: Revision that the release needs.
  type: str
  returned: success
pending:
  description: Migrations that are missing, in the order of their application.
  type: list
  elements: dict
  returned: success
  contains:
    revision:
      description: Its identifier.
      type: str
    message:
      description: Its first line.
      type: str
relation:
  description:
    - V(same), V(behind) when migrations are missing, or V(ahead) when the release does not know the
      database's revision.
  type: str
  returned: with O(state=downgraded)
  choices: [same, behind, ahead]
beyond:
  description:
    - Migrations that the database has and the release does not know, as far as another release on the host
      knows them, in the order of their application.
  type: list
  elements: dict
  returned: with O(state=downgraded)
backups:
  description: Backups that were taken when the database had the schema that the release needs, newest first.
  type: list
  elements: str
  returned: with O(state=downgraded)
code:
  description: The release whose code knows the database's schema, if there is one on the host.
  type: str
  returned: with O(state=downgraded)
known:
  description: V(false) when nothing can be said yet of the migrations, because the source is not on the host.
  type: bool
  returned: in check mode
taken_back:
  description: Identifiers of the migrations that were, or in check mode would be, taken back, in this order.
  type: list
  elements: str
  returned: with O(state=downgraded)
empty:
  description: Whether there is nothing in the database, so that there is nothing to back up either.
  type: bool
  returned: with O(state=upgraded)
applied:
  description: Identifiers of the migrations that this run applied.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible_module import run_as_user
from ..module_utils._application import module_options
from ..module_utils._database import migration


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **module_options.APPLICATION,
            **module_options.MIGRATION,
            "state": {
                "type": "str",
                "choices": ["upgraded", "downgraded"],
                "default": "upgraded",
            },
            "made_by": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    # In check mode the user would have been created before, so there is no release of his to look at.
    run_as_user(
        module,
        lambda account: migration.STATES[module.params["state"]](module.params, module.check_mode, account),
        without_user=migration.unknown(source_known=False) if module.check_mode else None,
    )


if __name__ == "__main__":
    main()
