# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to PostgreSQL: its library, and why there is none."""

from __future__ import annotations

import re
import shlex
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from .._cures import DECISION, DELIBERATE, DEPLOYMENT, START_POSTGRESQL, TYPED, WAITING, Cure
from .._host.libraries import MissingLibraryError
from .._host.symptoms import Symptom, recognize
from .sqlstate import sqlstate

# What libpq says when there is no connection. Braces: host, port, user, name, where, line.
LOGIN: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"password authentication failed|no password supplied"),
        kind="database_login",
        cause="PostgreSQL refuses the password of {user}: "
        "the one in DATABASE_URL is not the one of the role, or the role's has expired (VALID UNTIL).",
        remedy="Deploy again (role postgresql sets the role's password, and that it does not expire), or "
        "correct mission_control_database_url.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"role \".*\" does not exist"),
        kind="database_login",
        cause="The database role {user} does not exist.",
        remedy="Deploy again (role postgresql makes it), or correct mission_control_database_user.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"database \".*\" does not exist"),
        kind="database_missing",
        cause="The database {name} does not exist.",
        remedy="Deploy again (role postgresql makes it), or correct mission_control_database_name.",
        cure=DELIBERATE,
    ),
    Symptom(
        pattern=re.compile(r"no pg_hba.conf entry|pg_hba"),
        kind="database_login",
        cause="PostgreSQL does not let {user} in from {where}: no line of its pg_hba.conf does, or one that "
        "comes first refuses it.",
        remedy="Put a line before the others, as root on PostgreSQL's host: {line}",
        cure=TYPED,
    ),
    Symptom(
        pattern=re.compile(r"too many clients|remaining connection slots"),
        kind="database_connections",
        cause="All connections of PostgreSQL are in use.",
        remedy="See who holds them (pg_stat_activity), end them, or raise max_connections.",
    ),
    Symptom(
        pattern=re.compile(r"starting up|shutting down|in recovery"),
        kind="database_starting",
        cause="PostgreSQL is starting or stopping.",
        remedy="Wait; if it stays so, look at its journal: journalctl -u postgresql@*.",
        cure=WAITING,
    ),
    Symptom(
        pattern=re.compile(r"could not translate host name|Name or service not known"),
        kind="database_dns",
        cause="The name {host} cannot be resolved from {where}.",
        remedy="Correct the host in mission_control_database_url.",
    ),
    Symptom(
        pattern=re.compile(r"session is read-only|server is in hot standby mode"),
        kind="database_read_only",
        cause="DATABASE_URL asks for a server that takes writes, and the one at {host} port {port} does not.",
        remedy="Name the primary in mission_control_database_url and deploy; or see why this one is read "
        "only: runuser -u postgres -- psql -c 'SELECT pg_is_in_recovery()' -c "
        "'SHOW default_transaction_read_only'",
    ),
    # What the address of a server on the same host asks for: role postgresql, __postgresql_proof_parameters.
    Symptom(
        pattern=re.compile(
            r"authentication method requirement|channel binding|incorrect server signature"
            r"|server does not support SSL, but SSL was required"
        ),
        kind="database_stranger",
        cause="What answers at {host} port {port} does not prove that it is the application's PostgreSQL: "
        "another user has taken the port while it was down or stands in between, or the server's ssl or "
        "password_encryption was changed. The password was not sent.",
        remedy="See who listens (ss -ltnp 'sport = :{port}'). If it is not PostgreSQL, end it, start "
        "PostgreSQL again and change the password (playbooks/rotate.yml -e secret=database); if it is, "
        "deploy again.",
    ),
    Symptom(
        pattern=re.compile(r"certificate|SSL"),
        kind="database_tls",
        cause="TLS with PostgreSQL fails: its certificate has expired, is another authority's, or names "
        "another host; or the file with the authority's certificate is missing.",
        remedy="Deploy again (role postgresql renews its certificate and hands over the authority's), or "
        "correct sslmode or the certificates named in mission_control_database_url.",
        cure=DEPLOYMENT,
    ),
    Symptom(
        pattern=re.compile(r"timeout expired|timed out"),
        kind="database_timeout",
        cause="PostgreSQL at {host} port {port} does not answer: a firewall, or the server hangs.",
        remedy="Check the firewall and the server's load.",
    ),
    Symptom(
        pattern=re.compile(r"[Cc]onnection refused|No such file or directory|server closed the connection"),
        kind="database_down",
        cause="PostgreSQL does not answer at {host} port {port}: it is stopped, or bound to another address.",
        remedy="systemctl start postgresql; if it does not stay up: journalctl -u 'postgresql@*'.",
        cure=START_POSTGRESQL,
    ),
)
# The same by SQLSTATE, for words in another language: which of the kinds above it is.
# PostgreSQL's documentation, appendix "PostgreSQL Error Codes".
STATES: dict[str, str] = {
    "28P01": "password authentication failed",
    "28000": "no pg_hba.conf entry",
    "3D000": 'database "" does not exist',
    "53300": "too many clients",
    "57P03": "starting up",
    "57P01": "shutting down",
    "57P02": "shutting down",
}
_FROM = re.compile(r'pg_hba.conf .* host "([0-9A-Fa-f.:]+)"')
LOGIN_UNKNOWN = Symptom(
    pattern=re.compile(""),
    kind="database_failed",
    cause="The connection to PostgreSQL fails for a reason that this collection does not know.",
    remedy="Look at the error in the evidence and at PostgreSQL's log.",
)


class Refusal(NamedTuple):
    """Why there is no connection."""

    kind: str
    summary: str
    cause: str
    remedy: str
    evidence: dict[str, Any]
    cure: Cure = DECISION


def load_psycopg2() -> Any:
    """The library, or one clear message."""
    try:
        import psycopg2
    except ImportError as error:
        raise MissingLibraryError("psycopg2", "python3-psycopg2") from error
    return psycopg2


def _quoted(name: str) -> str:
    """A database or role as pg_hba.conf names it; quoted, keywords are names like others."""
    return '"' + name.replace('"', '""') + '"'


def entry_line(message: str, database: str, user: str) -> str:
    """The command that lets a role in from where PostgreSQL says it comes from.

    :param message: what libpq said.
    """
    found = _FROM.search(message)
    address = found[1] if found else "127.0.0.1"
    whole = f"{address}/{128 if ':' in address else 32}"
    local = found is None and "[local]" in message
    words = ["local" if local else "host", _quoted(database), _quoted(user), *([] if local else [whole])]
    line = " ".join(words)
    # sed's own words in the text of `i`.
    text = f"{line} scram-sha-256".replace("\\", "\\\\")
    return (
        f"sed -i {shlex.quote(f'1i {text}')} \"$(runuser -u postgres -- psql -Atc 'SHOW hba_file')\" "
        "&& runuser -u postgres -- psql -c 'SELECT pg_reload_conf()'"
    )


def refusal(message: str, url: str, where: str) -> Refusal:
    """Why there is no connection, in the operator's terms.

    A message that nobody knows, such as one in another language, has the login tried once more for its code.

    :param message: what libpq said, without secrets.
    :param url: the address that was tried.
    :param where: the host that tried it.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "the local socket", parts.port or 5432
    user, name = unquote(parts.username or ""), parts.path.lstrip("/")
    first = next((line for line in message.splitlines() if line.strip()), message).strip()
    evidence: dict[str, Any] = {
        "error": message[:500],
        "host": host,
        "port": port,
        "user": user,
        "database": name,
    }
    words = {"host": host, "port": port, "user": user, "name": name, "where": where}
    words["line"] = entry_line(message, name, user)
    found = recognize(message, LOGIN, words)
    if found is None and url:
        code = evidence["sqlstate"] = sqlstate(url)
        found = recognize(STATES.get(code, ""), LOGIN, words)
    found = found or LOGIN_UNKNOWN
    return Refusal(found.kind, first, found.cause, found.remedy, evidence, found.cure)
