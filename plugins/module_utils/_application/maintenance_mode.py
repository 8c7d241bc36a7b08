# SPDX-License-Identifier: GPL-3.0-or-later
"""Begin and end maintenance on one host: the files that make the mode, and the units that follow them.

All of these files are the application user's. They are looked at and changed only by a child process that has
become that user, so that a link or a pipe in their place leads root nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .._host import files, locks, privileges, reading, units
from .._host.accounts import Account, find_account
from .._host.errors import HostError
from .._host.processes import process_evidence
from .._times.record_stamps import utc_stamp
from . import maintenance
from .layout import Layout
from .notice import Notice
from .notice_file import path_of, read_notice

REASON_MAX = 500
# What an operator reads of a unit that failed.
JOURNAL_LINES = 15


@dataclass(frozen=True)
class Seen:
    """What the application's user finds of the mode: plain data, so that it comes back from the child."""

    # Services that have a unit, in the order in which they make way; of these, those with a socket.
    services: list[str]
    sockets: list[str]
    # Files that are not as they shall be, and drop-ins that are there, of whichever service.
    differing: list[str]
    left: list[str]
    # What is told now.
    notice: dict[str, str] | None

    @property
    def told(self) -> Notice | None:
        return None if self.notice is None else Notice(**self.notice)


class Maintenance:
    """The mode of one host. `parameters` are the options of the module maintenance."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self.root = Path(parameters["root"])
        self.account = find_account(parameters["user"])
        self.units = units.Units(self.account, timeout=parameters["timeout"], journal_lines=JOURNAL_LINES)
        self.program = maintenance.program(self.root)
        self.seen = Seen(**self._as_user(lambda: asdict(self._look())))

    def begin(self, check_mode: bool) -> dict[str, Any]:
        """Begin maintenance, or change what is told. Nothing is done when all is so already."""
        self._refuse()
        seen = self.seen
        before = seen.told
        notice = self._wanted_notice(before)
        # All when the stand-in changes; else what an interrupted run, or a stop, has left.
        standing = self._running(standing_in=True)
        due = seen.services if seen.differing else [name for name in seen.services if name not in standing]
        changed = bool(due) or notice != before
        restarted: list[str] = []
        if changed and not check_mode:
            if seen.differing or notice != before:
                self._write(notice)
            restarted = self._restart(due) if due else []
        return {
            "changed": changed,
            "notice": asdict(notice),
            "restarted": restarted,
            "said": f"{'would be ' if check_mode and changed else ''}{notice.sentence}",
            "diff": _difference(before, notice),
        }

    def end(self, check_mode: bool) -> dict[str, Any]:
        """End it. When a service does not start, maintenance is begun again and the failure raised."""
        seen = self.seen
        before = seen.told
        due = seen.services if seen.left or before else self._running(standing_in=True)
        result: dict[str, Any] = {
            "changed": bool(due) or before is not None,
            "notice": None,
            "restarted": [],
            "said": "maintenance would be ended" if check_mode and due else "no maintenance",
            "diff": _difference(before, None),
        }
        if not result["changed"] or check_mode:
            return result
        self._locked(self._remove, "ending maintenance")
        if not self.parameters["restart"]:
            return result
        try:
            result["restarted"] = self._restart(due[::-1])
        except HostError as error:
            self._write(before or Notice(utc_stamp(maintenance.now().timestamp())))
            self._restart(seen.services)
            error.message += " Maintenance goes on: users see its page."
            raise
        return result

    def _refuse(self) -> None:
        """Refuse what cannot be begun, before anything is changed."""
        if not self.parameters["program"]:
            raise HostError("program: empty.", kind="bad_option", remedy="Give the stand-in's text.")
        length = len(self.parameters["reason"])
        if length > REASON_MAX:
            raise HostError(
                f"reason: {length} characters; a page has room for {REASON_MAX}.",
                kind="bad_option",
                remedy="Say it in fewer words.",
            )
        if not self.seen.services:
            raise HostError(
                f"There is no unit of Mission Control below {self.units.directory}, so there is nothing to "
                "stand in for.",
                kind="not_deployed",
                remedy="Deploy first.",
            )

    def _wanted_notice(self, before: Notice | None) -> Notice:
        moment = maintenance.now()
        notice = Notice(
            utc_stamp(moment.timestamp()),
            self.parameters["reason"].strip(),
            maintenance.end_of(self.parameters["until"], moment),
            self.parameters["made_by"],
        )
        if before is None:
            return notice
        # Who did not say otherwise wants it as it is.
        kept = replace(before, reason=notice.reason or before.reason, until=notice.until or before.until)
        return before if kept == before else replace(kept, by=notice.by)

    # --- as the application's user -------------------------------------------------------------

    def _as_user(self, work: Callable[[], Any]) -> Any:
        return privileges.as_user(self.account.name, lambda _account: work())

    def _locked(self, work: Callable[[], None], purpose: str) -> None:
        """Change files under the lock of deployments."""

        def alone(_account: Account) -> None:
            lock = Layout(self.root).lock
            with locks.deployment_lock(lock, purpose=purpose, timeout=self.parameters["lock_timeout"]):
                work()

        privileges.as_user(self.account.name, alone)

    def _look(self) -> Seen:
        directory = self.units.directory
        services = maintenance.deployed(directory, self.parameters["services"])
        drop_ins = [maintenance.drop_in_path(directory, service) for service in maintenance.KINDS]
        notice = read_notice(self.root)
        return Seen(
            services=services,
            sockets=[name for name in services if (directory / f"mission-control-{name}.socket").exists()],
            differing=[
                str(path)
                for path, (text, _mode) in self._wanted_files(services).items()
                if not _is(path, text)
            ],
            left=[str(path) for path in drop_ins if path.exists()],
            notice=None if notice is None else asdict(notice),
        )

    def _wanted_files(self, services: list[str]) -> dict[Path, tuple[str, int]]:
        """The files that make the mode, but for the notice. A program that was not given stays as it is."""
        wanted: dict[Path, tuple[str, int]] = {}
        if self.parameters["program"]:
            wanted[self.program] = (self.parameters["program"], 0o755)
        for service in services:
            path = maintenance.drop_in_path(self.units.directory, service)
            wanted[path] = (maintenance.drop_in(service, self.root), 0o644)
        return wanted

    def _write(self, notice: Notice) -> None:
        def work() -> None:
            # Looked at anew: the end of maintenance has taken some of it away.
            differing = self._look().differing
            for path, (text, mode) in self._wanted_files(self.seen.services).items():
                if str(path) in differing:
                    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                    files.write_atomically(path, text, mode)
            files.write_atomically(path_of(self.root), maintenance.text_of(notice))

        self._locked(work, "beginning maintenance")

    def _remove(self) -> None:
        for name in self._look().left:
            path = Path(name)
            path.unlink()
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        path_of(self.root).unlink(missing_ok=True)

    # --- the units ------------------------------------------------------------------------------

    def _running(self, *, standing_in: bool) -> list[str]:
        """Services that run, as their stand-in or as themselves."""
        names = [f"mission-control-{service}.service" for service in self.seen.services]
        found = []
        for service, unit in zip(self.seen.services, self.units.find(names).values(), strict=True):
            process = process_evidence(unit.status.main_pid) if unit.status and unit.status.main_pid else None
            if process is not None and (str(self.program) in process.command) == standing_in:
                found.append(service)
        return found

    def _restart(self, services: list[str]) -> list[str]:
        """Start the units anew, in that order; their sockets stay open, or are opened."""
        wanted = []
        for service in services:
            if service in self.seen.sockets:
                wanted.append(units.wanted_unit(f"mission-control-{service}.socket"))
            wanted.append(units.wanted_unit(f"mission-control-{service}.service", state="restarted"))
        self.units.manager.require()
        self.units.manager.call("daemon-reload", timeout=self.parameters["timeout"])
        actions = units.plan(wanted, self.units.find([unit.name for unit in wanted]))
        self.units.apply(wanted, actions)
        return [action.unit for action in actions if action.action in ("start", "restart")]


def _is(path: Path, text: str) -> bool:
    try:
        return reading.read_regular(path, most=len(text.encode())) == text
    except OSError:
        return False


def _difference(before: Notice | None, after: Notice | None) -> dict[str, str]:
    return {
        "before": f"{before.sentence}\n" if before else "no maintenance\n",
        "after": f"{after.sentence}\n" if after else "no maintenance\n",
    }
