# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of several modules. What they mean is said in plugins/doc_fragments/application.py."""

from __future__ import annotations

from typing import Any, Final

Specification = dict[str, dict[str, Any]]

_USER: Final[Specification] = {"user": {"type": "str", "default": "mission-control"}}

# A module that works in the application's root, as its user.
APPLICATION: Final[Specification] = {**_USER, "root": {"type": "path", "required": True}}
# The same where the user may not exist yet, so that its home is asked for later.
HOME: Final[Specification] = {**_USER, "root": {"type": "str", "required": True}}
# A module for the daily work with what is installed.
INSTALLED: Final[Specification] = {
    "user": {"type": "str"},
    "root": {"type": "str", "default": "~/mission-control"},
}
# With services, of which the gateway may have a user of its own.
SERVICES: Final[Specification] = {**INSTALLED, "gateway_user": {"type": "str"}}
# One that waits for another run.
LOCK: Final[Specification] = {"lock_timeout": {"type": "int", "default": 900}}
# One that compares or changes the database's schema.
SCHEMA: Final[Specification] = {
    "wait": {"type": "float", "default": 120},
    "statement_lock_timeout": {"type": "float", "default": 5},
}
# To the schema of a release that is prepared.
MIGRATION: Final[Specification] = {
    **SCHEMA,
    "release": {"type": "str", "default": ""},
    "database_url": {"type": "str", "default": "", "no_log": True},
}
