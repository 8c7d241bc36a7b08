#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: database_migration_info
short_description: Tell how the database of Mission Control stands to the schema of a release
version_added: "1.0.0"
description:
  - Compares the database with the migrations of a prepared release, without running any.
options:
  refuse_newer:
    description:
      - Whether a database that is ahead of the release is a failure, as before a deployment. Before a
        rollback it is an answer.
    type: bool
    default: true
attributes:
  check_mode:
    description: Changes nothing, so check mode is the same.
    support: full
  diff_mode:
    description: Shows what a migration would do.
    support: full
extends_documentation_fragment:
  - openclaw.mission_control.application
  - openclaw.mission_control.application.migration
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
seealso:
  - module: openclaw.mission_control.database_migration
"""

EXAMPLES = r"""
- name: Show what a release would change in the database
  openclaw.mission_control.database_migration_info:
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
  returned: success
  choices: [same, behind, ahead]
beyond:
  description:
    - Migrations that the database has and the release does not know, as far as another release on the host
      knows them, in the order of their application.
  type: list
  elements: dict
  returned: success
backups:
  description: Backups that were taken when the database had the schema that the release needs, newest first.
  type: list
  elements: str
  returned: success
code:
  description: The release whose code knows the database's schema, if there is one on the host.
  type: str
  returned: success
known:
  description: V(false) when nothing can be said yet of the migrations, because the source is not on the host.
  type: bool
  returned: in check mode
empty:
  description: Whether there is nothing in the database, so that there is nothing to back up either.
  type: bool
  returned: when the database is not ahead
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
            "refuse_newer": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    # In check mode the user would have been created before, so there is no release of his to look at.
    nothing = {**migration.unknown(source_known=False), "changed": False}
    run_as_user(
        module,
        lambda account: migration.inspect(module.params, module.check_mode, account),
        without_user=nothing if module.check_mode else None,
    )


if __name__ == "__main__":
    main()
