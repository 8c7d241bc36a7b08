# SPDX-License-Identifier: GPL-3.0-or-later
"""What ended with its cause: since when a unit, and what it needs of this host, have been up as they are.

Whoever cures a fault starts something anew: the unit, or a server that it needs. What was logged before that
is told, and not failed on. What systemd restarted by itself because it had crashed was cured by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .._application.components import service_unit
from .._host.proc_files import all_pids, owner_of, started, stat_fields, status_of, unit_of_process
from .._host.unit_status import UnitStatus

PROC = Path("/proc")
# Of other users a process of that name counts only where its owner is one of the system's.
SERVERS = frozenset({"postgres", "redis-server"})
SYSTEM_UIDS = 1000
GATEWAY = service_unit("gateway")
NEEDED_BY = frozenset({service_unit("backend"), service_unit("worker")})
# Seconds that a server takes to answer after its start, in which those who need it still complain.
GETS_READY = 5.0


def newest_server(proc: Path = PROC) -> float:
    """When the last of database, queue and gateway on this host was started; 0 where none runs here."""
    oldest: dict[str, float] = {}
    for pid in all_pids(proc):
        owner = owner_of(pid, proc)
        fields = stat_fields(pid, proc)
        if owner is None or fields is None:
            continue
        if owner < SYSTEM_UIDS:
            name = status_of(pid, proc).get("Name", "")
            server = name if name in SERVERS else ""
        else:
            server = GATEWAY if unit_of_process(pid, proc) == GATEWAY else ""
        if server:
            begun = started(fields, proc)
            oldest[server] = min(begun, oldest.get(server, begun))
    return max(oldest.values(), default=0.0)


def fresh_since(states: Mapping[str, UnitStatus], servers: float) -> dict[str, float]:
    """By unit: what was logged before then belongs to the past.

    :param servers: when the last server that they need was started.
    """
    found = {}
    for name, status in states.items():
        own = status.started if status.active and status.started and not status.restarts else 0.0
        needed = servers + GETS_READY if servers and name in NEEDED_BY else 0.0
        if moment := max(own, needed):
            found[name] = moment
    return found
