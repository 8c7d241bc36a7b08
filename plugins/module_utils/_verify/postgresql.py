# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of PostgreSQL's troubles, as tables: its words, and its figures."""

from __future__ import annotations

import re

from .._host.symptoms import Symptom
from .limits import Limit

# What PostgreSQL says when it refuses a statement.
STATEMENT: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile("(statement|lock) timeout"),
        kind="database_slow",
        cause="The statement took longer than it may: the database is overloaded or locked.",
        remedy="See what it waits for (pg_stat_activity).",
    ),
    Symptom(
        pattern=re.compile("No space left on device|could not extend file"),
        kind="disk_full",
        cause="PostgreSQL has no room left for its data.",
        remedy="Make room where it keeps them (on its host: df -h /var/lib/postgresql), or give it more.",
    ),
    Symptom(
        pattern=re.compile("read-only transaction|during recovery"),
        kind="database_read_only",
        cause="PostgreSQL takes no writes from the application.",
        remedy="See why: runuser -u postgres -- psql -c 'SELECT pg_is_in_recovery()' -c "
        "'SHOW default_transaction_read_only'",
    ),
    Symptom(
        pattern=re.compile("permission denied"),
        kind="database_rights",
        cause="The application's role lacks a right that it needs.",
        remedy="Give the tables back to the application's role; whose they are: mission-control db -c '\\dp'",
    ),
    Symptom(
        pattern=re.compile("out of memory for query result|cannot allocate memory for input buffer"),
        kind="database_answer",
        cause="The database answers more than a check has memory for: something endless stands in the place "
        "of a table, a view or a function.",
        remedy="See what is not a table of the product's (mission-control db -c '\\dtv *.*'), and restore a "
        "backup from before it was made.",
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
SLOTS = Limit(
    name="slots",
    option="slots",
    label="log kept for a slot",
    unit="B",
    digits=None,
    kind="replication_slot",
    cause="The replication slot {name} keeps PostgreSQL's log for a replica or a program that does not fetch "
    "it: the log grows until the disk is full.",
    remedy="Start again who fetches it. Where nobody does any more: {command}",
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
