# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the addresses of PostgreSQL and Redis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ...module_utils._redaction import Redactor
from .model import PREFIX, Context, Problem

_URL_SAFE = re.compile(r"[A-Za-z0-9_.~-]+")
# In these the server's superuser works: what an application creates there could be run by it. The role
# postgresql knows them, too.
RESERVED = ("postgres", "template0", "template1")
_NO_ADDRESS = "is not a valid address (look at the port and at brackets)"
_NUMBER = re.compile(r"[0-9]{1,9}")
_ROLE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


# --- database and queue --------------------------------------------------------------------------


def database_url_fault(url: str) -> str:
    if not url.strip():
        return "is empty"
    if "%" in url:
        return "holds a %, at which the product's migrations fail"
    return database_address_fault(url)


def database_address_fault(url: str) -> str:
    """What makes it no address of a database at all."""
    if any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in ("postgresql+psycopg", "postgresql", "postgres"):
        return f"starts with {parts.scheme or 'no scheme'}:, and the product wants postgresql+psycopg://"
    if not parts.path.strip("/"):
        return "names no database"
    return ""


def redis_url_fault(url: str) -> str:
    if any(character.isspace() for character in url):
        return "holds blanks"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in ("redis", "rediss", "unix"):
        return f"starts with {parts.scheme or 'no scheme'}:, and it has to be redis:// or rediss://"
    if parts.scheme != "unix" and not parts.hostname:
        return "names no host"
    number = parts.path.strip("/")
    if parts.scheme != "unix" and number and not _NUMBER.fullmatch(number):
        return f"names database {number}, and Redis has numbers"
    return ""


def database(context: Context) -> Iterator[Problem]:
    url = context.get("database_url", None)
    if url is not None and (fault := database_url_fault(str(url))):
        yield Problem(
            "database",
            f"{PREFIX}_database_url",
            message=fault,
            remedy="give postgresql+psycopg://user:password@host:5432/name, its password of letters, "
            "digits, _ -",
            value=Redactor().text(str(url)),
        )
    for name in ("database_name", "database_user"):
        value = str(context.get(name, PREFIX))
        if not _ROLE_NAME.fullmatch(value):
            yield Problem(
                "database",
                f"{PREFIX}_{name}",
                message="is not a plain PostgreSQL name",
                remedy="use lower-case letters, digits and underscores",
                value=value,
            )
    if str(context.get("database_name")) in RESERVED and not url:
        yield Problem(
            "database",
            f"{PREFIX}_database_name",
            message="is a database in which the server's superuser works, and no application's",
            remedy=f"leave it out: a database of its own ({PREFIX}) is made. Where an installation that is "
            "taken over has its data there, move them to a database of their own first (pg_dump, createdb, "
            "pg_restore), and name that in its DATABASE_URL",
            value=str(context.get("database_name")),
        )
    if str(context.get("database_user")) == "postgres" and not url:
        yield Problem(
            "database",
            f"{PREFIX}_database_user",
            message="is the superuser, and the application needs no such rights",
            remedy=f"leave it out: a login of its own ({PREFIX}) is made",
            value="postgres",
        )
    password = str(context.get("database_password"))
    if password and not _URL_SAFE.fullmatch(password):
        what = (
            "holds a %, at which the product's migrations fail"
            if "%" in password
            else "holds characters that a URL changes"
        )
        yield Problem(
            "database",
            f"{PREFIX}_database_password",
            message=what,
            remedy="use letters, digits, _ . ~ and - only, or leave it out: one is generated",
        )


def queue(context: Context) -> Iterator[Problem]:
    url = context.get("redis_url", None)
    if url is not None and (fault := redis_url_fault(str(url))):
        yield Problem(
            "queue",
            f"{PREFIX}_redis_url",
            message=fault,
            remedy="give redis://:password@host:6379/0",
            value=Redactor().text(str(url)),
        )
