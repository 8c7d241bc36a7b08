# SPDX-License-Identifier: GPL-3.0-or-later
"""What troubles of the database explain."""

from __future__ import annotations

from ..explanation import Match, Row
from . import disk_full, not_deployed
from .units import BACKEND, BROKEN_START, ENDED
from .words import API, BAD, LOGS, NO_WORK_DONE, NOT_REACHED, kinds

ROWS: tuple[Row, ...] = (
    not_deployed.ROW,
    disk_full.ROW,
    Row(
        name="lock",
        causes=(kinds("lock_held"),),
        effects=(
            kinds("database_slow", "transaction_long", "server_error", "slow", *BROKEN_START),
            kinds("agents_stale", "agents_stuck", "no_worker", "worker_hung", *NO_WORK_DONE),
            kinds(*NOT_REACHED, at=API),
            LOGS,
        ),
        reason="Who waits for a lock answers nobody; who asks him runs into his own time limit.",
    ),
    Row(
        name="database login",
        causes=(Match(at=("database.login", "database.connection"), states=BAD),),
        effects=(
            kinds("server_error", "database_down", "database_login", "database_missing", "timeout"),
            kinds(*BROKEN_START),
            Match(at=("database",), but=frozenset({"disk_full"})),
            LOGS,
            kinds(*NOT_REACHED, at=API),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            Match(kinds=frozenset({"port_closed"}), same="port"),
        ),
        reason="The backend cannot work without its database, and nobody listens where PostgreSQL should.",
    ),
    Row(
        name="database writes",
        causes=(Match(at=("database.writes",), states=BAD),),
        effects=(
            kinds("server_error", "agents_stale", "agents_stuck", *ENDED),
            Match(at=("database.agents",)),
            kinds(*NOT_REACHED, at=API),
            kinds("no_worker", *NO_WORK_DONE),
            LOGS,
        ),
        reason="What reads and cannot save answers questions and fails at everything else.",
    ),
    Row(
        name="hidden rows",
        causes=(kinds("database_rows_hidden"),),
        effects=(Match(at=API), LOGS),
        reason="What the database does not show is gone for the API: users, boards, agents.",
    ),
    Row(
        name="database connections",
        causes=(Match(at=("database.connections",)),),
        effects=(kinds("server_error", "timeout", "slow"), LOGS),
        reason="A backend that gets no connection fails, or waits for one.",
    ),
    Row(
        name="database schema",
        causes=(Match(at=("database.migrations",)),),
        effects=(
            kinds("server_error", "migration_missing", *ENDED),
            LOGS,
            kinds(*NOT_REACHED, at=API),
            Match(at=("database.agents",)),
        ),
        reason="Code that finds another schema than its own fails, or does not start.",
    ),
)
