# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of several modules, as module_utils/_application/module_options.py asks for them."""

from __future__ import annotations


class ModuleDocFragment:
    # APPLICATION there
    DOCUMENTATION = r"""
options:
  user:
    description: The application's user.
    type: str
    default: mission-control
  root:
    description: The application's root.
    type: path
    required: true
"""

    HOME = r"""
options:
  user:
    description: The application's user.
    type: str
    default: mission-control
  root:
    description: The application's root. A leading C(~) is the home of O(user).
    type: str
    required: true
"""

    INSTALLED = r"""
options:
  user:
    description: The application's user. Without it, whoever runs the module.
    type: str
  root:
    description:
      - The application's root, with C(current) and C(releases). A leading C(~) is the home of O(user).
      - The deployed environment file below it names the database and the secrets to take out of texts.
    type: str
    default: ~/mission-control
"""

    SERVICES = r"""
options:
  user:
    description: The application's user. Without it, whoever runs the module.
    type: str
  root:
    description:
      - The application's root, with C(current) and C(releases). A leading C(~) is the home of O(user).
      - The deployed environment file below it names the secrets to take out of texts.
    type: str
    default: ~/mission-control
  gateway_user:
    description:
      - The user as whom the gateway shall run. Without it, and while it runs as somebody else still, the one
        as whom it runs.
    type: str
"""

    LOCK = r"""
options:
  lock_timeout:
    description: Seconds to wait for another run that works on the same root.
    type: int
    default: 900
"""

    SCHEMA = r"""
options:
  wait:
    description: Seconds to wait for another migration of the same database.
    type: float
    default: 120
  statement_lock_timeout:
    description:
      - Seconds that a statement may wait for a lock in the database. Then it gives up, so that the release
        that serves is not held up.
    type: float
    default: 5
"""

    MIGRATION = r"""
options:
  release:
    description: Name of the prepared release; without it the current one is taken.
    type: str
    default: ""
  database_url:
    description:
      - Address of the database that the release will have. Check mode needs it for a release that is not
        made yet; empty, the release's own settings name it.
    type: str
    default: ""
  wait:
    description: Seconds to wait for another migration of the same database.
    type: float
    default: 120
  statement_lock_timeout:
    description:
      - Seconds that a statement may wait for a lock in the database. Then it gives up, so that the release
        that serves is not held up.
    type: float
    default: 5
"""
