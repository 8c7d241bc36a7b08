# SPDX-License-Identifier: GPL-3.0-or-later
"""The extensions of PostgreSQL that migrations create, and whether the application's role can create them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .._application.migrations import Revision
from .._host.deployment_errors import DeploymentError
from .administrator import database_option, identifier

# Asked by the release's own driver (see schema). From PostgreSQL 13 on an extension that is trusted can be
# created by whoever may create in the database.
COLUMNS = (
    "e.name",
    "e.installed_version is not null",
    "(select rolsuper from pg_roles where rolname = current_user)"
    " or (coalesce(v.trusted, false) and has_database_privilege(current_database(), 'CREATE'))",
)
SOURCE = (
    "from pg_available_extensions e"
    " left join pg_available_extension_versions v on v.name = e.name and v.version = e.default_version"
)
QUERY = f"select {', '.join(COLUMNS)} {SOURCE}"


class Extension(NamedTuple):
    """An extension that the server has: whether it is created in the database, and whether it could be."""

    created: bool
    creatable: bool


def needed(revisions: Iterable[Revision]) -> dict[str, str]:
    """The extensions that migrations create, each with the first revision that does."""
    found: dict[str, str] = {}
    for revision in revisions:
        for name in revision.extensions:
            found.setdefault(name, revision.identifier)
    return found


def refuse_missing(wanted: Mapping[str, str], there: Mapping[str, Extension], database: str) -> None:
    """Raise DeploymentError for what a migration would fail at.

    :param wanted: revision by the name of the extension that it creates.
    :param there: what the server has.
    :param database: its name.
    """
    for name, revision in wanted.items():
        extension = there.get(name)
        if extension is None:
            raise DeploymentError(
                f"Migration {revision} creates the extension {name}, which PostgreSQL does not have.",
                kind="no_extension",
                remedy="Name its Debian package in mission_control_database_extensions (for example "
                "{vector: postgresql-17-pgvector}) and deploy again; on an external server have it "
                "installed.",
            )
        if not (extension.created or extension.creatable):
            raise DeploymentError(
                f"Migration {revision} creates the extension {name}, which a superuser only may create.",
                kind="extension_right",
                remedy="Whoever runs the server creates it once: runuser -u postgres -- psql -d "
                f"{database_option(database)} -c {shlex.quote(f'CREATE EXTENSION {identifier(name)}')}",
            )
