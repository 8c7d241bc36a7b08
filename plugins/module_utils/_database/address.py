# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's address: as the product has it, and as libpq may know it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What an address may tell libpq. Left out is what names files to write or to take passwords from
# (sslkeylogfile, passfile, service), and what has it talk to another host than the one that is named.
LIBPQ_PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
    "gssencmode": "PGGSSENCMODE",
    "channel_binding": "PGCHANNELBINDING",
    "require_auth": "PGREQUIREAUTH",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
# What libpq opens. A key with a colon would name a library, which is loaded (OpenSSL's engines).
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
# Passwords come from the address only.
NO_FILES = {"PGPASSFILE": "/dev/null", "PGSERVICEFILE": "/dev/null", "PGSYSCONFDIR": "/nonexistent"}


class AddressError(ValueError):
    """What was given is not the address of a PostgreSQL database."""


def libpq_parameters(query: str) -> dict[str, str]:
    """Of an address's query what libpq may know. Raises AddressError."""
    known = {key: value for key, value in parse_qsl(query) if key in LIBPQ_PARAMETERS}
    for name in _FILES:
        value = known.get(name, "/")
        if not (value.startswith("/") and ":" not in value) and (name, value) != ("sslrootcert", "system"):
            raise AddressError(f"database_url: {name} is not the absolute path of a file, without a colon")
    return known


def libpq_url(url: str) -> str:
    """The product's SQLAlchemy address as libpq understands it. Raises AddressError."""
    parts = urlsplit(url)
    scheme = parts.scheme.split("+")[0]
    if scheme not in ("postgresql", "postgres"):
        raise AddressError(f"database_url: {scheme or 'nothing'} is not PostgreSQL")
    query = urlencode(libpq_parameters(parts.query))
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))
