# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole table of causes, from the machine to the logs."""

from __future__ import annotations

from ..explanation import Row
from . import (
    address,
    backup,
    configuration,
    cors,
    database,
    disk_full,
    front_door,
    frontend,
    gateway,
    health,
    host,
    log,
    maintenance,
    membership,
    not_deployed,
    queue,
    service,
    sessions,
    settling,
    user_manager,
)

# A new row needs nothing else than its place in the file of its check. Several have those that come first.
_ALL = (
    not_deployed.ROW,
    maintenance.ROW,
    disk_full.ROW,
    user_manager.ROW,
    settling.ROW,
    *database.ROWS,
    *queue.ROWS,
    *host.ROWS,
    *service.ROWS,
    *health.ROWS,
    *membership.ROWS,
    *configuration.ROWS,
    *cors.ROWS,
    *front_door.ROWS,
    *frontend.ROWS,
    *gateway.ROWS,
    *sessions.ROWS,
    *backup.ROWS,
    *log.ROWS,
    address.ROW,
)
ROWS: tuple[Row, ...] = tuple(dict.fromkeys(_ALL))
