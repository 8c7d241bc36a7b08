# SPDX-License-Identifier: GPL-3.0-or-later
"""A database as PostgreSQL's programs are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from .._host.deployment_errors import DeploymentError
from .address import AddressError, libpq_parameters

_REMEDY = "Set mission_control_database_url to postgresql://user:password@host:5432/database."


@dataclass(frozen=True)
class Target:
    """A database as libpq wants it: an address without a password, and the password by itself."""

    address: str
    password: str

    @property
    def environment(self) -> dict[str, str]:
        # In the environment only the user and root can read it, in the arguments anybody could.
        return {"PGPASSWORD": self.password} if self.password else {}


def target(url: str) -> Target:
    """Part a SQLAlchemy URL; the driver's name is left out."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        raise DeploymentError(
            "DATABASE_URL of the release is not a PostgreSQL address.",
            kind="no_database",
            remedy=_REMEDY,
        )
    try:
        query = libpq_parameters(parts.query)
    except AddressError as error:
        raise DeploymentError(str(error), kind="no_database", remedy=_REMEDY) from None
    password = query.pop("password", "") or unquote(parts.password or "")
    login, _separator, host = parts.netloc.rpartition("@")
    user = login.split(":", 1)[0]
    netloc = f"{user}@{host}" if user else host
    return Target(urlunsplit(("postgresql", netloc, parts.path, urlencode(query), "")), password)
