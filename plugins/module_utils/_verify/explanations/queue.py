# SPDX-License-Identifier: GPL-3.0-or-later
"""What troubles of Redis and its queue explain."""

from __future__ import annotations

from ..explanation import Match, Row
from .units import BROKEN_START, WORKER
from .words import LOGS, NO_WORK_DONE, kinds

ROWS: tuple[Row, ...] = (
    Row(
        name="Redis",
        causes=(Match(at=("queue.connection", "queue.writes")),),
        effects=(
            Match(at=("queue",)),
            Match(kinds=frozenset({"port_closed"}), same="port"),
            kinds("redis_down", "spinning"),
            LOGS,
            kinds(*BROKEN_START, at=(f"service.{WORKER}",)),
        ),
        reason="Without a Redis that takes writes no work is done; the worker ends or tries without a pause.",
    ),
    Row(
        name="workers",
        causes=(Match(at=("queue.workers",)),),
        effects=(kinds(*NO_WORK_DONE),),
        reason="Nobody takes work from the queue.",
    ),
    Row(
        name="failing task",
        causes=(kinds("task_fails", at=("queue.oldest",)),),
        effects=(Match(at=(f"log.{WORKER}",)),),
        reason="What the worker fails at it logs, each time that it tries.",
    ),
)
