# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be done so that a user's units are as wanted (see the module user_units).

`plan` is pure: wanted and found state in, actions with their reasons out. `Units` carries them out.

A process tells by itself what it was started from: a digest of the unit and of whatever it depends on
(release, environment file) stands in its environment. So a change restarts it exactly once, however
often a run was interrupted between writing and restarting, and a restart by hand counts too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._redaction import Redactor
from . import files, reading
from .accounts import Account
from .acting_as import acting_as
from .commands import Runner, run
from .errors import HostError
from .journal_tail import tail
from .process_environment import read_environment
from .systemd import UserManager
from .unit_failure import why
from .unit_names import unit_name
from .unit_status import UnitStatus, statuses

DIGEST_VARIABLE = "MISSION_CONTROL_UNIT_DIGEST"
STATES = ("started", "stopped", "restarted", "present", "absent")
# Units that start a service.
_TRIGGERS = (".socket", ".timer", ".path")


@dataclass(frozen=True)
class WantedUnit:
    name: str
    content: str | None = None
    enabled: bool | None = None
    state: str = "started"
    restart_on: str = ""

    @property
    def kind(self) -> str:
        return self.name[self.name.rindex(".") :]

    @property
    def digest(self) -> str | None:
        if self.content is None:
            return None
        return hashlib.sha256(f"{self.content.strip()}\0{self.restart_on}".encode()).hexdigest()[:20]

    @property
    def text(self) -> str | None:
        """The file as it is installed: the content and the digest."""
        if self.content is None:
            return None
        if self.kind == ".service":
            mark = f"[Service]\nEnvironment={DIGEST_VARIABLE}={self.digest}"
        else:
            mark = f"[Unit]\nX-Mission-Control-Digest={self.digest}"
        note = "# This digest tells what a running process was started from."
        return f"{self.content.strip()}\n\n{note}\n{mark}\n"


@dataclass(frozen=True)
class FoundUnit:
    text: str | None = None
    written: float | None = None
    masked: bool = False
    status: UnitStatus | None = None
    running_digest: str | None = None

    @property
    def active(self) -> bool:
        return self.status is not None and self.status.active

    @property
    def active_state(self) -> str:
        return self.status.active_state if self.status is not None else "inactive"


@dataclass(frozen=True)
class Action:
    unit: str
    action: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        return {"unit": self.unit, "action": self.action, "reason": self.reason}


def _file_action(unit: WantedUnit, found: FoundUnit) -> Action | None:
    if unit.state == "absent":
        return None if found.text is None else Action(unit.name, "remove", "it shall not exist")
    if unit.text is None or unit.text == found.text:
        return None
    if found.text is None:
        return Action(unit.name, "install", "there is no such unit file")
    return Action(unit.name, "update", "its unit file differs")


def _enable_action(unit: WantedUnit, found: FoundUnit) -> Action | None:
    current = found.status.unit_file_state if found.status is not None else ""
    enabled = current in {"enabled", "alias"}
    if unit.state == "absent":
        return Action(unit.name, "disable", "it shall not exist") if enabled else None
    if unit.enabled is None or unit.enabled == enabled:
        return None
    if unit.enabled:
        return Action(unit.name, "enable", f"it is {current or 'not enabled'}")
    return Action(unit.name, "disable", f"it is {current}")


def _run_action(unit: WantedUnit, found: FoundUnit, updated: bool) -> Action | None:
    status = found.status
    if unit.state in {"stopped", "absent"}:
        # A unit that waits to be started again is not active but not stopped either.
        running = found.active_state in {"active", "reloading", "activating", "refreshing"}
        return Action(unit.name, "stop", f"it is {found.active_state}") if running else None
    if unit.state == "present":
        return None
    if status is None or not status.active:
        if status is not None and status.active_state == "activating" and _stale(unit, found, updated):
            return Action(unit.name, "restart", "it is being started from an older unit or release")
        # One that waits for its next automatic start is started now.
        return Action(unit.name, "start", f"it is {found.active_state}")
    if unit.state == "restarted":
        return Action(unit.name, "restart", "asked for")
    if unit.kind == ".target":
        return None
    reason = _stale(unit, found, updated)
    return Action(unit.name, "restart", reason) if reason else None


def _stale(unit: WantedUnit, found: FoundUnit, updated: bool) -> str:
    """Why a running unit has to be restarted; empty when it need not be."""
    status = found.status
    if unit.digest is None or status is None:
        return ""
    if found.running_digest is not None:
        return "" if found.running_digest == unit.digest else "it was started from an older unit or release"
    if updated:
        return "its unit file differs"
    # A process may have cleared its environment, a socket has none: go by the times.
    begun = status.started if unit.kind == ".service" and status.started else status.since
    if begun is not None and found.written is not None and begun < int(found.written):
        return "it was started before its unit file was written"
    return ""


def plan(wanted: Sequence[WantedUnit], found: Mapping[str, FoundUnit]) -> list[Action]:
    """The actions, in the order in which they have to happen."""
    nothing = FoundUnit()
    state = {unit.name: found.get(unit.name, nothing) for unit in wanted}
    files = [action for unit in wanted if (action := _file_action(unit, state[unit.name]))]
    updated = {action.unit for action in files if action.action == "update"}
    runs = {
        unit.name: action
        for unit in wanted
        if (action := _run_action(unit, state[unit.name], unit.name in updated))
    }
    names = [unit.name for unit in wanted]
    starts: list[Action] = []
    stops = [action for action in runs.values() if action.action == "stop"]
    forced: dict[str, Action] = {}
    for unit in wanted:
        action = runs.get(unit.name)
        if action is None or action.action == "stop":
            continue
        if unit.kind == ".socket":
            # systemd refuses to open a socket for a service that runs already, so the service makes way.
            service = unit.name.removesuffix(".socket") + ".service"
            held = state.get(service)
            if held is not None and held.active:
                reason = f"{unit.name} has to open its socket first"
                stops.append(Action(service, "stop", reason))
                if state[unit.name].active:
                    # Else a connection between the two calls would start the service again.
                    stops.append(Action(unit.name, "stop", reason))
                forced[service] = Action(service, "start", f"{unit.name} was opened anew")
        starts.append(action)
    for service, action in forced.items():
        if all(other.unit != service for other in starts):
            wanted_state = next(unit.state for unit in wanted if unit.name == service)
            if wanted_state in {"started", "restarted", "present"}:
                starts.append(action)
    starts.sort(key=lambda action: names.index(action.unit))
    # Sockets and timers stop first, so that nothing starts a service again behind our back.
    stops.sort(key=lambda action: (not action.unit.endswith(_TRIGGERS), -names.index(action.unit)))
    enables = [action for unit in wanted if (action := _enable_action(unit, state[unit.name]))]
    reload = [
        Action(name, "reload", "the manager has an older unit file")
        for name in names
        if (status := state[name].status) is not None and status.need_daemon_reload
    ]
    # A unit is disabled while its file still says how, and enabled when its file is there.
    return [
        *stops,
        *(action for action in enables if action.action == "disable"),
        *files,
        *(reload[:1] if not files else []),
        *(action for action in enables if action.action == "enable"),
        *starts,
    ]


class UnitError(HostError):
    """A unit did not do what was wanted; carries its state and its last lines."""

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        remedy: str,
        unit: str,
        status: UnitStatus | None = None,
        journal: Sequence[str] = (),
    ) -> None:
        super().__init__(message, kind=kind, remedy=remedy)
        self.unit = unit
        self.status = status
        self.journal = list(journal)

    def result(self) -> dict[str, Any]:
        """The arguments of fail_json. A unit may print secrets: what looks like one is hidden."""
        redactor = Redactor()
        return {
            "msg": redactor.text(f"{self.message} {self.remedy}".strip()),
            "kind": self.kind,
            "remedy": self.remedy,
            "unit": self.unit,
            "result": self.status.result if self.status else "",
            "status": self.status.as_dict() if self.status else None,
            "journal": [redactor.text(line) for line in self.journal],
        }


@dataclass
class Units:
    """The units of one user: found, and changed as planned."""

    account: Account
    run: Runner = run
    timeout: float = 180.0
    journal_lines: int = 40
    settle: float = 1.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    manager: UserManager = field(init=False)

    def __post_init__(self) -> None:
        self.manager = UserManager(self.account, self.run)

    @property
    def directory(self) -> Path:
        return Path(self.account.home) / ".config/systemd/user"

    def find(self, names: Sequence[str]) -> dict[str, FoundUnit]:
        """What is there: files, state, and what the running processes were started from."""
        known = statuses(self.manager.show(names)) if self.manager.running else {}
        found = {}
        for name in names:
            text, written, masked = self._file(name)
            status = known.get(name)
            digest = None
            if status is not None and status.main_pid:
                digest = (read_environment(status.main_pid) or {}).get(DIGEST_VARIABLE)
            found[name] = FoundUnit(text, written, masked, status, digest)
        return found

    def _file(self, name: str) -> tuple[str | None, float | None, bool]:
        path = self.directory / name
        with acting_as(self.account):
            try:
                if path.is_symlink() and str(path.readlink()) == os.devnull:
                    return None, None, True
                return reading.read_regular(path), path.stat().st_mtime, False
            except (FileNotFoundError, NotADirectoryError):
                return None, None, False

    def check(self, wanted: Sequence[WantedUnit], found: Mapping[str, FoundUnit]) -> None:
        """Refuse what cannot work, before anything is changed."""
        for unit in wanted:
            if found[unit.name].masked and unit.state not in {"stopped", "absent"}:
                raise UnitError(
                    f"{unit.name} is masked: somebody decided that it must not start.",
                    kind="masked",
                    remedy=f"systemctl --user unmask {unit.name}",
                    unit=unit.name,
                )

    def apply(self, wanted: Sequence[WantedUnit], actions: Sequence[Action]) -> dict[str, UnitStatus]:
        """Carry the actions out and see that what shall run does run."""
        self.manager.require()
        texts = {unit.name: unit.text for unit in wanted}
        by_kind: dict[str, list[str]] = {}
        for action in actions:
            by_kind.setdefault(action.action, []).append(action.unit)
        if stops := by_kind.get("stop"):
            self._call("stop", *dict.fromkeys(stops))
        if disables := by_kind.get("disable"):
            self._call("disable", "--quiet", *disables)
        self._write({name: texts[name] for name in by_kind.get("install", []) + by_kind.get("update", [])})
        with acting_as(self.account):
            for name in by_kind.get("remove", []):
                (self.directory / name).unlink(missing_ok=True)
        if any(kind in by_kind for kind in ("install", "update", "remove", "reload")):
            self._call("daemon-reload")
        if enables := by_kind.get("enable"):
            self._call("enable", "--quiet", *enables)
        starts = [action for action in actions if action.action in {"start", "restart"}]
        forget = [action.unit for action in starts] + by_kind.get("remove", [])
        if forget:
            # The start limit and the count of restarts are of the past. Units never loaded are refused: fine.
            self.manager.call("reset-failed", "--quiet", *forget, timeout=self.timeout)
        began = time.time()
        for action in starts:
            self._start(action, began)
        return self._settle(wanted, {action.unit for action in starts}, began)

    def _call(self, verb: str, *arguments: str) -> None:
        done = self.manager.call(verb, *arguments, timeout=self.timeout)
        if not done.ok:
            units = [name for name in arguments if not name.startswith("-")]
            raise UnitError(
                f"systemctl --user {' '.join((verb, *units))} failed: {done.complaint}",
                kind="failed",
                remedy="See the unit's journal and systemctl --user status.",
                unit=units[0] if units else "",
            )

    def _write(self, texts: Mapping[str, str | None]) -> None:
        """All files or none: each is written beside its place first, then all are renamed."""
        if not texts:
            return
        with acting_as(self.account):
            self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
            for name in texts:
                for left in self.directory.glob(f".{name}.*"):
                    # Of a run that was killed in between.
                    left.unlink(missing_ok=True)
            prepared: list[tuple[Path, Path]] = []
            try:
                for name, text in texts.items():
                    path = self.directory / name
                    prepared.append((files.stage(path, text or ""), path))
                for temporary, path in prepared:
                    temporary.replace(path)
            finally:
                for temporary, _path in prepared:
                    temporary.unlink(missing_ok=True)

    def _start(self, action: Action, began: float) -> None:
        try:
            done = self.manager.call(action.action, action.unit, timeout=self.timeout)
        except HostError as error:
            if error.kind != "timeout":
                raise
            raise self._failure(action.unit, f"it did not start within {self.timeout:g} s", began) from None
        if not done.ok:
            status = statuses(self.manager.show([action.unit]))[action.unit]
            raise self._failure(action.unit, why(status, done.complaint), began, status)

    def _settle(self, wanted: Sequence[WantedUnit], started: set[str], began: float) -> dict[str, UnitStatus]:
        """The state of all units, once those that shall run do.

        A service that reports its readiness is believed; one that cannot (Type=simple or exec) has to stay up
        for the settling time, because systemd calls it started before it has done anything.
        """
        names = [unit.name for unit in wanted]
        start = self.clock()
        while True:
            found = statuses(self.manager.show(names))
            elapsed = self.clock() - start
            waiting = ""
            for unit in wanted:
                status = found[unit.name]
                if unit.state not in {"started", "restarted"}:
                    continue
                if unit.name in started and (status.failed or _restarting(status)):
                    raise self._failure(unit.name, why(status, ""), began, status)
                if status.active:
                    if unit.name in started and status.type in _UNREPORTED and elapsed < self.settle:
                        waiting = unit.name
                elif status.type == "oneshot" and status.result == "success":
                    continue
                elif status.active_state == "activating" and elapsed < self.timeout:
                    waiting = unit.name
                else:
                    raise self._failure(unit.name, why(status, ""), began, status)
            if not waiting:
                return found
            self.sleep(0.1)

    def _failure(self, unit: str, why: str, began: float, status: UnitStatus | None = None) -> UnitError:
        with contextlib.suppress(HostError):
            self.run(["journalctl", "--sync"], timeout=10)
        try:
            lines = tail(self.account, [unit], self.journal_lines, since=began - 1)
        except HostError as error:
            lines = [f"(the journal could not be read: {error.message})"]
        return UnitError(
            f"{unit} of {self.account.name} does not run: {why}.",
            kind="unit_failed",
            remedy=f"Its last lines say why; see also: systemctl --user status {unit}",
            unit=unit,
            status=status,
            journal=lines,
        )


# Types whose start systemd reports before the program has done anything.
_UNREPORTED = {"simple", "exec", "idle"}


def _restarting(status: UnitStatus) -> bool:
    return status.sub_state == "auto-restart" or status.restarts > 0


def wanted_unit(
    name: str,
    content: str | None = None,
    enabled: bool | None = None,
    state: str = "started",
    restart_on: str | None = None,
) -> WantedUnit:
    return WantedUnit(unit_name(name), content, enabled, state, restart_on or "")
