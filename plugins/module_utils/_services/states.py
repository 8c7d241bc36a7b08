# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of a host: what state they are in, and starting, stopping, restarting them in order.

`plan` is pure: found and wanted state in, actions out. `Services` asks systemd and carries the actions out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._application.service_order import socket_unit
from .._host import addresses
from .._host.listeners import Listener
from .._host.processes import ProcessEvidence
from .._host.unit_status import UnitStatus, unit_status
from .._host.written_addresses import bare
from .._release.places import release_of, same_part


@dataclass
class ServiceState:
    """One service as it stands."""

    service: str
    unit: str
    state: str
    enabled: bool = False
    since: float | None = None
    restarts: int = 0
    memory_bytes: int | None = None
    release: str | None = None
    stale: bool = False
    ports: list[int] = field(default_factory=list)
    address: str | None = None
    # Others' processes, or its own, have more files open than is looked at: which ports it has is not known.
    ports_unknown: bool = False
    pid: int | None = None
    result: str = ""
    exit_status: int | None = None
    socket: str | None = None
    socket_active: bool = False
    need_daemon_reload: bool = False

    @property
    def exists(self) -> bool:
        return self.state != "not deployed"

    @property
    def running(self) -> bool:
        return self.state == "running"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def state_word(status: UnitStatus) -> str:
    """The state of a unit in one word."""
    if not status.exists:
        return "not deployed"
    if status.load_state == "masked":
        return "masked"
    if status.active:
        return "running"
    if status.failed:
        return "failed"
    if status.active_state == "activating":
        return "restarting" if status.sub_state == "auto-restart" or status.restarts else "starting"
    return {"deactivating": "stopping", "inactive": "stopped"}.get(status.active_state, status.active_state)


def split(text: str) -> tuple[str, int] | None:
    """Address and port of what ListenStream= or a URL names; None where it is none, such as a path."""
    host, _colon, port = text.rpartition(":")
    return (bare(host), int(port)) if port.isascii() and port.isdigit() else None


def listen_addresses(properties: Mapping[str, str]) -> list[tuple[str, int]]:
    """Address and port of what a socket unit listens on: `Listen=0.0.0.0:8000 (Stream)`."""
    found = []
    for line in properties.get("Listen", "").split("\n"):
        address, _space, kind = line.rpartition(" ")
        place = split(address)
        if kind == "(Stream)" and place is not None:
            found.append((place[0] or addresses.canonical(""), place[1]))
    return found


def _stale(
    process: ProcessEvidence, root: str, release: str, current: str, same: Callable[[str, Path], bool]
) -> bool:
    """Whether a process runs something else than what is deployed."""
    if process.deleted:
        return True
    return release != current and not same(process.cwd or "", Path(root) / "releases" / current)


def describe(
    service: str,
    properties: Mapping[str, str],
    socket_properties: Mapping[str, str],
    *,
    processes: Sequence[ProcessEvidence],
    listening: Sequence[Listener],
    root: str,
    current: str | None,
    same: Callable[[str, Path], bool] = same_part,
) -> ServiceState:
    """One service from what systemd and /proc tell."""
    status = unit_status(service_unit(service), properties)
    socket = unit_status(socket_unit(service), socket_properties)
    main = next((process for process in processes if process.pid == status.main_pid), None)
    pids = {process.pid for process in processes}
    users = {0, *(process.uid for process in processes)}
    held = [(entry.address, entry.port) for entry in listening if pids & set(entry.pids)]
    places = held or (listen_addresses(socket_properties) if socket.exists else [])
    release = release_of(main.cwd, root) if main is not None else None
    return ServiceState(
        service=service,
        unit=status.name,
        state=state_word(status),
        enabled=status.enabled or (socket.exists and socket.enabled),
        since=status.since,
        restarts=status.restarts,
        memory_bytes=sum(process.rss_bytes for process in processes) if processes else None,
        release=release,
        stale=bool(release and current and main and _stale(main, root, release, current, same)),
        ports=sorted({port for _address, port in places}),
        address=places[0][0] if places else None,
        ports_unknown=not held and any(entry.unknown and entry.uid in users for entry in listening),
        pid=status.main_pid or None,
        result="" if status.result == "success" else status.result,
        exit_status=status.exit_status,
        socket=socket.name if socket.exists else None,
        socket_active=socket.active,
        need_daemon_reload=status.need_daemon_reload,
    )
