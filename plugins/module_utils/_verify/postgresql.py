# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known of PostgreSQL's troubles, as tables: its words, and its figures."""

from __future__ import annotations

import re

from .._services.diagnosis import Symptom
from .limits import Limit

# What libpq says when there is no connection. Braces: host, port, user, name, where.
LOGIN: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"password authentication failed|no password supplied"),
        kind="database_login",
        cause="PostgreSQL refuses the password of {user}: "
        "the one in DATABASE_URL is not the one of the role.",
        remedy="Deploy again (role postgresql sets the role's password), or correct "
        "mission_control_database_url.",
    ),
    Symptom(
        pattern=re.compile(r"role \".*\" does not exist"),
        kind="database_login",
        cause="The database role {user} does not exist.",
        remedy="Deploy again (role postgresql makes it), or correct mission_control_database_user.",
    ),
    Symptom(
        pattern=re.compile(r"database \".*\" does not exist"),
        kind="database_missing",
        cause="The database {name} does not exist.",
        remedy="Deploy again (role postgresql makes it), or correct mission_control_database_name.",
    ),
    Symptom(
        pattern=re.compile(r"no pg_hba.conf entry|pg_hba"),
        kind="database_login",
        cause="PostgreSQL does not let {user} in from {where}.",
        remedy="Add an entry to pg_hba.conf (role postgresql does) and reload PostgreSQL.",
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
    ),
    Symptom(
        pattern=re.compile(r"could not translate host name|Name or service not known"),
        kind="database_dns",
        cause="The name {host} cannot be resolved from {where}.",
        remedy="Correct the host in mission_control_database_url.",
    ),
    Symptom(
        pattern=re.compile(r"certificate|SSL"),
        kind="database_tls",
        cause="TLS with PostgreSQL fails.",
        remedy="Correct sslmode or the certificates named in mission_control_database_url.",
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
    ),
)
LOGIN_UNKNOWN = Symptom(
    pattern=re.compile(""),
    kind="database_failed",
    cause="The connection to PostgreSQL fails for a reason that this collection does not know.",
    remedy="Look at the error in the evidence and at PostgreSQL's log.",
)

# What PostgreSQL says when it refuses a statement.
STATEMENT: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile("statement timeout"),
        kind="database_slow",
        cause="The statement took longer than statement_timeout: the database is overloaded or locked.",
        remedy="See what it waits for (pg_stat_activity).",
    ),
)
STATEMENT_UNKNOWN = Symptom(
    pattern=re.compile(""),
    kind="database_statement",
    cause="The application's role may not do this, or the schema is another one.",
    remedy="Compare the deployed revision and the migrations; look at the role's privileges.",
)

TRANSACTION = Limit(
    name="transactions",
    option="transaction",
    label="oldest transaction",
    unit="s",
    kind="transaction_long",
    cause="A session keeps a transaction open: it blocks cleaning up and may hold locks.",
    remedy="See which: SELECT pid, xact_start, query FROM pg_stat_activity; "
    "end it: SELECT pg_terminate_backend(pid).",
)
LOCKS = Limit(
    name="locks",
    option="locks",
    label="waiting for locks",
    kind="locks",
    cause="Another session holds a lock that these wait for, a migration for example.",
    remedy="See which: SELECT pid, pg_blocking_pids(pid), query FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock'.",
)
CONNECTIONS = Limit(
    name="connections",
    option="connections",
    label="connections",
    unit="%",
    kind="database_connections",
    cause="The server's connections are nearly used up; further ones will be refused.",
    remedy="See who holds them (pg_stat_activity), end idle ones, or raise max_connections.",
)
SIZE = Limit(
    name="size",
    option="size",
    label="database size",
    unit="B",
    kind="database_size",
    cause="The database has grown beyond what was expected.",
    remedy="See which tables grow; remove old activity, or raise size_warning.",
)
DISK = Limit(
    name="disk",
    option="disk",
    label="database disk free",
    unit="%",
    kind="disk_full",
    cause="The file system of the database ({path}) is nearly full; PostgreSQL stops when it is.",
    remedy="Make room there, or give it more space.",
)
BACKUP = Limit(
    name="backup",
    option="backup_age",
    label="backup age",
    unit="s",
    digits=None,
    kind="backup_old",
    cause="The timer that makes backups does not run, or its backups fail.",
    remedy="Look at the journal of the backup timer; make a backup now (playbook backup).",
)
