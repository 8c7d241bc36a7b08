# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, stopping and restarting the services in order, and what they answer afterwards.

`plan` is pure: found and wanted state in, actions out.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._application.components import APPLICATION, service_unit
from .._application.notice import END
from .._application.notice_file import notice_of_user
from .._application.service_order import ordered, socket_unit
from .._cures import DECISION
from .._host import addresses
from .._host.accounts import Account
from .._host.commands import Runner, run
from .._host.errors import HostError
from .._host.journal_tail import tail
from .._host.listeners import listeners
from .._host.processes import process_evidence, processes_of_unit
from .._host.systemd import UserManager
from .._host.user_files import UserFiles
from .._redaction import Redactor
from .._release.places import same_part
from .diagnosis import why
from .states import ServiceState, describe

# What has to be answered for a service to count as healthy. The worker answers nothing: it has to stay up.
HEALTH_PATHS = {"gateway": "/health", "backend": "/readyz", "frontend": "/"}
STAYS_UP = 1.0
# States of a service that is being started, or will be in a moment.
UNDER_WAY = ("starting", "restarting")


class ServiceError(HostError):
    """A service is not what it should be after an action; carries the unit's last lines."""

    def __init__(
        self, message: str, *, kind: str, remedy: str, unit: str, journal: Sequence[str] = ()
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy)
        self.unit = unit
        self.journal = list(journal)

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json."""
        return {**super().result(), "unit": self.unit, "journal": self.journal[-15:]}


@dataclass(frozen=True)
class Action:
    """What has to be done to one service, and why."""

    service: str
    action: str
    unit: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def read_maintenance(files: UserFiles, root: str) -> str:
    """Since when and why there is maintenance, as a sentence; empty when there is none."""
    try:
        told = notice_of_user(files, Path(root))
    except OSError:
        return ""
    return told.sentence if told else ""


def refuse_maintenance(files: UserFiles, root: str, wanted: str) -> None:
    """What is started during maintenance is its page only, so say that instead."""
    sentence = read_maintenance(files, root) if wanted != "stopped" else ""
    if sentence:
        raise ServiceError(
            f"Mission Control is {sentence}.",
            kind="maintenance",
            remedy=f"End it: {END}",
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
        elif state.state in UNDER_WAY and wanted == "restarted":
            # What is being started read its settings before: a start would wait for that, and with it.
            actions.append(Action(service, "restart", unit, f"it is {state.state}"))
        else:
            actions.append(Action(service, "start", unit, f"it is {state.state}"))
    return actions


def fetch(address: str, port: int, path: str, timeout: float) -> tuple[int, str]:
    """Status of a plain GET, or 0 with the reason."""
    connection = http.client.HTTPConnection(addresses.ask_at(address), port, timeout=timeout)
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
        self._began: float | None = None

    @property
    def files(self) -> UserFiles:
        """What belongs to the application's user."""
        return UserFiles(self.account)

    @property
    def current(self) -> str | None:
        """The release that is deployed."""
        try:
            return Path(self.files.target(Path(self.root) / "current")).name
        except OSError:
            return None

    @property
    def maintenance(self) -> str:
        """Since when and why there is maintenance; empty when there is none."""
        return read_maintenance(self.files, self.root)

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
                same=self._same,
            )
        return found

    def _same(self, directory: str, release: Path) -> bool:
        """Whether a directory lies in a part that another release shares with this one."""
        try:
            return bool(self.files.look(lambda: same_part(directory, release)))
        except OSError:
            return False

    def carry_out(self, action: Action, timeout: float) -> ServiceState:
        """Do it and wait until the service is healthy (or has ended). Raises ServiceError."""
        self._began = time.time()
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
            if before.running or before.state in UNDER_WAY:
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
            if state.ports_unknown:
                return "where it listens is not known: its user, or root, has too many files open to look at"
            return "it listens nowhere"
        status, said = self._get(state.address, state.ports[0], path, 10.0)
        if status == 0:
            return f"{path} at port {state.ports[0]}: {said}"
        # The page may lead elsewhere; the health endpoint must not.
        good = status < 400 if state.service == "frontend" else status == 200
        return "" if good else f"{path} at port {state.ports[0]} answers {status} {said}"

    def _lines(self, action: Action) -> list[str]:
        """What the unit has said since then: what it said before is no cause of this."""
        try:
            found = tail(self.account_of(action.service), [action.unit], 40, since=self._began)
        except HostError:
            return []
        return [self.redactor.text(line) for line in found]

    def _failure(self, action: Action, message: str) -> ServiceError:
        lines = self._lines(action)
        words = {
            "restart": f"systemctl --user restart {action.unit}",
            "start": f"systemctl --user start {action.unit}",
            "journal": f"journalctl --user -u {action.unit}",
            "user": self.account_of(action.service).name,
            "unit": action.unit,
        }
        hint = why(lines, words)
        kind, cause, remedy, _cure = hint or (
            "unhealthy",
            "",
            f"Read what it says: journalctl --user -u {action.unit}",
            DECISION,
        )
        text = f"{self.redactor.text(message)}." + (f" {cause}" if cause else "")
        return ServiceError(text, kind=kind, remedy=remedy, unit=action.unit, journal=lines)
