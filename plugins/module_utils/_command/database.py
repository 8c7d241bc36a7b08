# SPDX-License-Identifier: GPL-3.0-or-later
"""psql on the application's database."""

from __future__ import annotations

import argparse
from urllib.parse import unquote, urlsplit

from .._application.installation import Installation
from .._database.address import LIBPQ_PARAMETERS, NO_FILES, libpq_parameters
from .._host.accounts import find_account
from .._redaction import Redactor
from .common import CommandError, Configuration, apart, environment_for, execute, permitted
from .terminal import converse


def psql_environment(url: str) -> dict[str, str]:
    """The address of the database as variables for psql: an argument would show the password to everybody."""
    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise CommandError("DATABASE_URL of the deployed environment file is not a PostgreSQL address.")
    values = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    values |= {LIBPQ_PARAMETERS[name]: value for name, value in libpq_parameters(parts.query).items()}
    return {name: value for name, value in values.items() if value} | NO_FILES


def command_db(configuration: Configuration, options: argparse.Namespace) -> int:
    """psql as the application, read only unless asked otherwise."""
    account = find_account(configuration.user)
    permitted(account)
    host = Installation(user=account.name, root=configuration.root, env_file="", redactor=Redactor())
    url = host.environment.get("DATABASE_URL", "")
    if not url:
        raise CommandError(
            f"No database is known: {host.env_file} does not hold DATABASE_URL. Is the backend here?"
        )
    try:
        variables = psql_environment(url)
    except ValueError:
        raise CommandError("DATABASE_URL of the deployed environment file cannot be read.") from None
    variables["PGAPPNAME"] = "mission-control-db"
    variables.setdefault("PGCONNECT_TIMEOUT", "10")
    if not options.write:
        read_only = "-c default_transaction_read_only=on"
        variables["PGOPTIONS"] = f"{variables.get('PGOPTIONS', '')} {read_only}".strip()
    environment = environment_for(account, variables)
    if not apart(account):
        execute(["psql", *options.arguments], environment)
    # Nor does the user's own start file run commands while root looks on.
    try:
        return converse(["psql", "--no-psqlrc", *options.arguments], environment, account)
    except FileNotFoundError:
        raise CommandError("psql is not installed. Try: apt-get install postgresql-client") from None
