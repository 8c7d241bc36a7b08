# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The services of a host: what state they are in, and starting, stopping, restarting them in order.

`plan` is pure: found and wanted state in, actions out. `Services` asks systemd and carries the actions out.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import _maintenance
from ._host import release_of
from ._journal import tail
from ._layout import SERVICES
from ._process import (
    Account,
    HostError,
    Listener,
    ProcessEvidence,
    Runner,
    listeners,
    process_evidence,
    processes_of_unit,
    run,
)
from ._redact import Redactor
from ._release_parts import same_part
from ._systemd import UnitStatus, UserManager, unit_status

# SERVICES are started in their order and stopped in the opposite one.
# Those of the application, which "all" means. The gateway's agents are at work: it is restarted by name only.
APPLICATION = ("backend", "worker", "frontend")
# What has to be answered for a service to count as healthy. The worker answers nothing: it has to stay up.
HEALTH_PATHS = {"gateway": "/health", "backend": "/readyz", "frontend": "/"}
STAYS_UP = 1.0
_NAMES = {"gateway": "openclaw-gateway"}


class ServiceError(HostError):
    """A service is not what it should be after an action; carries the unit's last lines."""

    def __init__(
        self, message: str, *, kind: str, remedy: str, unit: str, journal: Sequence[str] = ()
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy)
        self.unit = unit
        self.journal = list(journal)


def service_unit(service: str) -> str:
    """The unit of a service."""
    return f"{_NAMES.get(service, f'mission-control-{service}')}.service"


def socket_unit(service: str) -> str:
    """The unit of the socket that a service may have."""
    return service_unit(service).removesuffix(".service") + ".socket"


def ordered(names: Collection[str], *, stopping: bool = False) -> list[str]:
    """Services in the order of starting, or of stopping."""
    found = [name for name in SERVICES if name in names]
    return found[::-1] if stopping else found


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


def listen_addresses(properties: Mapping[str, str]) -> list[tuple[str, int]]:
    """Address and port of what a socket unit listens on: `Listen=0.0.0.0:8000 (Stream)`."""
    found = []
    for line in properties.get("Listen", "").splitlines():
        address, _space, kind = line.rpartition(" ")
        host, colon, port = address.rpartition(":")
        if kind == "(Stream)" and colon and port.isdigit():
            found.append((host.strip("[]") or "0.0.0.0", int(port)))  # noqa: S104
    return found


def _stale(process: ProcessEvidence, root: str, release: str, current: str) -> bool:
    """Whether a process runs something else than what is deployed."""
    if process.deleted:
        return True
    return release != current and not same_part(process.cwd or "", Path(root) / "releases" / current)


def describe(
    service: str,
    properties: Mapping[str, str],
    socket_properties: Mapping[str, str],
    *,
    processes: Sequence[ProcessEvidence],
    listening: Sequence[Listener],
    root: str,
    current: str | None,
) -> ServiceState:
    """One service from what systemd and /proc tell."""
    status = unit_status(service_unit(service), properties)
    socket = unit_status(socket_unit(service), socket_properties)
    main = next((process for process in processes if process.pid == status.main_pid), None)
    pids = {process.pid for process in processes}
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
        stale=bool(release and current and main and _stale(main, root, release, current)),
        ports=sorted({port for _address, port in places}),
        address=places[0][0] if places else None,
        pid=status.main_pid or None,
        result="" if status.result == "success" else status.result,
        exit_status=status.exit_status,
        socket=socket.name if socket.exists else None,
        socket_active=socket.active,
        need_daemon_reload=status.need_daemon_reload,
    )


@dataclass(frozen=True)
class Action:
    """What has to be done to one service, and why."""

    service: str
    action: str
    unit: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def refuse_maintenance(root: str, wanted: str) -> None:
    """What is started during maintenance is its page only, so say that instead."""
    notice = _maintenance.read(Path(root))
    if notice is not None and wanted != "stopped":
        raise ServiceError(
            f"Mission Control is {notice.sentence}.",
            kind="maintenance",
            remedy=f"End it: {_maintenance.END}",
            unit="",
        )


def plan(found: Mapping[str, ServiceState], wanted: str) -> list[Action]:
    """The actions in their order. `wanted` is started, stopped or restarted."""
    actions = []
    for service in ordered(found, stopping=wanted == "stopped"):
        state = found[service]
        unit = state.unit
        if not state.exists:
            raise ServiceError(
                f"There is no unit {unit} on this host: the {service} was never deployed here.",
                kind="not_deployed",
                remedy="Deploy it (playbook deploy), or name another service.",
                unit=unit,
            )
        if state.state == "masked":
            raise ServiceError(
                f"The unit {unit} is masked.",
                kind="unit_masked",
                remedy=f"systemctl --user unmask {unit}, as the application's user.",
                unit=unit,
            )
        closed = state.socket is not None and not state.socket_active
        if wanted == "stopped":
            if state.state not in ("stopped", "failed") or (state.socket and state.socket_active):
                reason = f"it is {state.state}"
                if state.state in ("stopped", "failed"):
                    reason += f", but {state.socket} would start it with the next connection"
                actions.append(Action(service, "stop", unit, reason))
        elif state.running and not closed:
            if wanted == "restarted":
                reason = f"it is running release {state.release}" if state.release else "it is running"
                actions.append(Action(service, "restart", unit, reason))
        elif state.running:
            # systemd opens no socket for a service that runs, so the service makes way for a moment.
            actions.append(Action(service, "restart", unit, f"{state.socket} is closed"))
        else:
            actions.append(Action(service, "start", unit, f"it is {state.state}"))
    return actions


def fetch(address: str, port: int, path: str, timeout: float) -> tuple[int, str]:
    """Status of a plain GET, or 0 with the reason."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}.get(address, address)  # noqa: S104
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read(65536)
        return answer.status, answer.reason
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


class Services:
    """The services of this host. The gateway may run as a user of its own."""

    def __init__(
        self,
        account: Account,
        root: str,
        *,
        redactor: Redactor | None = None,
        run: Runner = run,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        get: Callable[[str, int, str, float], tuple[int, str]] = fetch,
        gateway_account: Account | None = None,
    ) -> None:
        self.account = account
        self.root = root
        self._gateway_account = gateway_account or account
        self.redactor = redactor or Redactor()
        self._run = run
        self._clock = clock
        self._sleep = sleep
        self._get = get

    @property
    def current(self) -> str | None:
        """The release that is deployed."""
        try:
            return (Path(self.root) / "current").readlink().name
        except OSError:
            return None

    @property
    def maintenance(self) -> str:
        """Since when and why there is maintenance; empty when there is none."""
        notice = _maintenance.read(Path(self.root))
        return notice.sentence if notice else ""

    def account_of(self, service: str) -> Account:
        """The user that runs a service."""
        return self._gateway_account if service == "gateway" else self.account

    def manager_of(self, service: str) -> UserManager:
        """The systemd manager that runs a service."""
        return UserManager(self.account_of(service), self._run)

    def states(self, names: Collection[str] = APPLICATION) -> dict[str, ServiceState]:
        """How the services stand, by one call of systemctl for each user. Raises ManagerError."""
        services = ordered(names)
        blocks: dict[str, dict[str, str]] = {}
        for account in {self.account_of(name).name: self.account_of(name) for name in services}.values():
            units = [
                unit(name)
                for name in services
                if self.account_of(name).name == account.name
                for unit in (service_unit, socket_unit)
            ]
            blocks |= UserManager(account, self._run).show(units)
        listening = listeners()
        current = self.current
        found = {}
        for name in services:
            unit = service_unit(name)
            evidence = [process_evidence(pid) for pid in processes_of_unit(unit, self.account_of(name).uid)]
            found[name] = describe(
                name,
                blocks[unit],
                blocks[socket_unit(name)],
                processes=[process for process in evidence if process is not None],
                listening=listening,
                root=self.root,
                current=current,
            )
        return found

    def carry_out(self, action: Action, timeout: float) -> ServiceState:
        """Do it and wait until the service is healthy (or has ended). Raises ServiceError."""
        before = self.states([action.service])[action.service]
        units = [before.socket, action.unit] if before.socket else [action.unit]
        deadline = self._clock() + timeout
        if action.action == "stop":
            self._systemctl(action, "stop", units, timeout)
            after = self.states([action.service])[action.service]
            if after.state not in ("stopped", "failed"):
                raise self._failure(action, f"{action.unit} is still {after.state}")
            return after
        # A unit that failed too often in a row is not started before its counter is cleared.
        self.manager_of(action.service).call("reset-failed", "--", action.unit)
        if action.action == "restart" and (before.socket is None or before.socket_active):
            self._systemctl(action, "restart", [action.unit], timeout)
        else:
            if before.running:
                self._systemctl(action, "stop", [action.unit], timeout)
            for unit in units:
                self._systemctl(action, "start", [unit], timeout)
        return self._wait(action, deadline, timeout)

    def _systemctl(self, action: Action, verb: str, units: Sequence[str | None], timeout: float) -> None:
        names = [unit for unit in units if unit]
        try:
            done = self.manager_of(action.service).call(verb, "--", *names, timeout=timeout)
        except HostError as error:
            if error.kind != "timeout":
                raise
            raise self._failure(
                action, f"systemctl {verb} {action.unit} took longer than {timeout:g} s"
            ) from None
        if not done.ok:
            raise self._failure(action, f"systemctl could not {verb} {action.unit}")

    def _wait(self, action: Action, deadline: float, timeout: float) -> ServiceState:
        up_since: float | None = None
        pid: int | None = None
        pause, reason = 0.1, ""
        while True:
            state = self.states([action.service])[action.service]
            if state.state in ("failed", "restarting"):
                raise self._failure(
                    action, f"{action.unit} started and ended again ({state.result or state.state})"
                )
            if state.pid != pid:
                pid, up_since = state.pid, self._clock()
            if not state.running:
                reason = f"it is {state.state}"
            elif action.service in HEALTH_PATHS:
                reason = self._unhealthy(state)
            elif up_since is not None and self._clock() - up_since >= STAYS_UP:
                reason = ""
            else:
                reason = "it has only just started"
            if not reason:
                return state
            if self._clock() >= deadline:
                raise self._failure(action, f"{action.unit} is not healthy after {timeout:g} s: {reason}")
            self._sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def _unhealthy(self, state: ServiceState) -> str:
        """Empty when the service answers, else the reason."""
        path = HEALTH_PATHS[state.service]
        if not state.ports or state.address is None:
            return "it listens nowhere"
        status, said = self._get(state.address, state.ports[0], path, 10.0)
        if status == 0:
            return f"{path} at port {state.ports[0]}: {said}"
        # The page may lead elsewhere; the health endpoint must not.
        good = status < 400 if state.service == "frontend" else status == 200
        return "" if good else f"{path} at port {state.ports[0]} answers {status} {said}"

    def _failure(self, action: Action, message: str) -> ServiceError:
        from ._checks.service import why

        try:
            lines = [
                self.redactor.text(line) for line in tail(self.account_of(action.service), [action.unit], 40)
            ]
        except HostError:
            lines = []
        words = {
            "restart": f"systemctl --user restart {action.unit}",
            "start": f"systemctl --user start {action.unit}",
            "journal": f"journalctl --user -u {action.unit}",
            "user": self.account_of(action.service).name,
            "unit": action.unit,
        }
        hint = why(lines, words)
        kind, cause, remedy = hint or (
            "unhealthy",
            "",
            f"Read what it says: journalctl --user -u {action.unit}",
        )
        text = f"{self.redactor.text(message)}." + (f" {cause}" if cause else "")
        return ServiceError(text, kind=kind, remedy=remedy, unit=action.unit, journal=lines)
