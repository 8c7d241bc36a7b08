# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes over an installation that was set up by hand, and gives it back when the first release fails.

Everything is moved, nothing is deleted. Each step looks at what is there, so an interrupted run is simply
repeated. The record is written before anything else is touched: a later run knows what there was.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from .._application.components import APPLICATION, TARGET
from .._application.layout import Layout
from .._application.release_parts import LINKS
from .._application.service_order import unit_names
from .._host import addresses, files, reading
from .._host.accounts import Account, user_environment
from .._host.deployment_errors import DeploymentError
from .._host.proc_files import PROC
from .._host.process_environment import read_environment
from .._host.processes import process_evidence
from .._host.systemd import UserManager
from .._host.units import Units, plan, wanted_unit
from .._host.written_addresses import in_url
from .._times.record_stamps import name_stamp, utc_stamp
from . import discovery
from . import record as _record

# What this collection installs; a socket before the service that it starts.
OWN_UNITS = (TARGET, *unit_names(APPLICATION))
# How long systemd may take to stop a unit that does not want to.
_STOP_SECONDS = 150.0


class Adoption:
    """The steps, for the account whose privileges this process has."""

    def __init__(
        self,
        layout: Layout,
        account: Account,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        proc: Path = PROC,
    ) -> None:
        self.layout = layout
        self.account = account
        self.manager = UserManager(account)
        self._now = now
        self._clock = clock
        self._sleep = sleep
        self._proc = proc
        self._directory = discovery.unit_directory(account)

    def found(self) -> _record.Record | None:
        """What there is to be taken over: as recorded, or as found now."""
        record = _record.read_record(self.layout)
        if record is not None:
            return record
        found = discovery.find(self.account, self.layout)
        if found is None:
            return None
        now = self._now()
        kept = self.layout.root / f"before-{name_stamp(now)}"
        return _record.Record("taking", utc_stamp(now), str(kept), found)

    # --- taking over -----------------------------------------------------------------------------

    def take_plan(self, record: _record.Record) -> list[str]:
        """What `take` would do now, in words."""
        steps = [f"stop and put aside {name}" for name in self._units_in_place(record)]
        pids = self._alive(record)
        if pids:
            steps.append(f"end the processes {', '.join(map(str, pids))}")
        entries = self._entries_in_place(record)
        if entries:
            steps.append(f"move {', '.join(entries)} from {self.layout.root} to {record.kept}")
        return steps

    def take(self, record: _record.Record) -> None:
        found = record.found
        if not record.environments:
            record.environments = {
                process.part: self._environment(process.pids, process.command) for process in found.processes
            }
        self._write(record, "taking")
        kept = Path(record.kept)
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = self._units_in_place(record)
        if names:
            self._systemctl("stop", names)
            self._systemctl("disable", names)
        self._end(self._alive(record))
        units = kept / "units"
        for name in names:
            units.mkdir(mode=0o700, exist_ok=True)
            for place in (name, f"{name}.d"):
                _move(self._directory / place, units / place)
        if names:
            self._systemctl("daemon-reload", [])
        for name in self._entries_in_place(record):
            _move(self.layout.root / name, kept / name)
        with contextlib.suppress(OSError):
            # Empty where the old tree lies elsewhere and nothing was a unit.
            kept.rmdir()
        self._write(record, "taken")

    def _units_in_place(self, record: _record.Record) -> list[str]:
        names = []
        for unit in record.found.units:
            with contextlib.suppress(OSError):
                text = reading.read_regular(self._directory / unit.name)
                if discovery.hand_made(text):
                    names.append(unit.name)
        return names

    def _entries_in_place(self, record: _record.Record) -> list[str]:
        wanted = set(record.found.entries)
        return [name for name in discovery.foreign_entries(self.layout) if name in wanted]

    def _alive(self, record: _record.Record) -> list[int]:
        """The stray processes that still are what was found: a number may belong to another one by now."""
        alive = [
            pid for process in discovery.stray_processes(self.account, self._proc) for pid in process.pids
        ]
        return sorted(alive) if record.found.processes else []

    def _environment(self, pids: Iterable[int], command: list[str]) -> dict[str, str]:
        for pid in pids:
            evidence = process_evidence(pid, self._proc)
            if evidence is not None and list(evidence.command) == command:
                return read_environment(pid, self._proc) or {}
        return {}

    def _end(self, pids: list[int], patience: float = 15.0) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline = self._clock() + patience
            while pids and self._clock() < deadline:
                pids = [pid for pid in pids if self._runs(pid)]
                if pids:
                    self._sleep(0.1)

    def _runs(self, pid: int) -> bool:
        evidence = process_evidence(pid, self._proc)
        return evidence is not None and evidence.state != "Z"

    # --- giving back -----------------------------------------------------------------------------

    def restore(self, record: _record.Record) -> list[str]:
        """Have everything as it was; returns what serves again."""
        found = record.found
        self._write(record, "restoring")
        self._remove_own_units()
        for name in ("current", *LINKS):
            path = self.layout.root / name
            if path.is_symlink() and (name == "current" or str(path.readlink()).startswith("current/")):
                path.unlink()
        kept = Path(record.kept)
        for name in found.entries:
            _move(kept / name, self.layout.root / name)
        for unit in found.units:
            for place in (unit.name, f"{unit.name}.d"):
                _move(kept / "units" / place, self._directory / place)
        if found.units:
            self._systemctl("daemon-reload", [])
            self._systemctl("enable", [unit.name for unit in found.units if unit.enabled])
            self._systemctl("start", [unit.name for unit in found.units if unit.active])
        running = {process.part for process in discovery.stray_processes(self.account, self._proc)}
        for process in found.processes:
            if process.part not in running:
                self._start(process, record.environments.get(process.part, {}))
        self._wait_for(record)
        for path in (kept / "units", kept):
            with contextlib.suppress(OSError):
                path.rmdir()
        _record.record_path(self.layout).unlink(missing_ok=True)
        return [unit.name for unit in found.units if unit.active] + [
            f"the {process.part} (started by hand)" for process in found.processes
        ]

    def _remove_own_units(self) -> None:
        """Those of the release that failed; a file that was put back already is not ours."""
        units = Units(self.account, timeout=_STOP_SECONDS)
        found = units.find(OWN_UNITS)
        wanted = [
            wanted_unit(name, state="absent")
            for name in OWN_UNITS
            if found[name].text is not None and not discovery.hand_made(found[name].text or "")
        ]
        if wanted:
            units.apply(wanted, plan(wanted, found))

    def _start(self, process: _record.Process, environment: dict[str, str]) -> None:
        """Start a process again as it was by hand: of no terminal, its output where it went before."""
        output = Path(process.output or os.devnull)
        with contextlib.suppress(OSError), output.open("ab") as stream:
            # Forks and returns, so that the process belongs to nobody.
            subprocess.run(
                ["setsid", "--fork", *process.command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=process.cwd,
                env=environment or user_environment(self.account),
                check=False,
            )

    def _wait_for(self, record: _record.Record, patience: float = 90.0) -> None:
        """Wait until what listened before listens again."""
        served = {unit.part for unit in record.found.units if unit.active}
        served |= {process.part for process in record.found.processes}
        for part, listens in record.found.listens.items():
            if part not in served:
                continue
            address = (addresses.ask_at(listens["host"]), int(listens["port"]))
            deadline = self._clock() + patience
            while True:
                with contextlib.suppress(OSError), socket.create_connection(address, timeout=5):
                    break
                if self._clock() >= deadline:
                    raise DeploymentError(
                        f"The {part} that was here before was started again and does not answer at "
                        f"{in_url(address[0])}:{address[1]}.",
                        kind="not_restored",
                        remedy="Its journal or its log file says why. Everything of it is in its old place.",
                    )
                self._sleep(0.3)

    def _write(self, record: _record.Record, phase: str) -> None:
        record.phase = phase
        path = _record.record_path(self.layout)
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        files.write_atomically(path, record.text(), 0o600)

    def _systemctl(self, verb: str, names: list[str]) -> None:
        if not names and verb != "daemon-reload":
            return
        quiet = ["--quiet"] if verb in ("enable", "disable") else []
        done = self.manager.call(verb, *quiet, *names, timeout=_STOP_SECONDS)
        if not done.ok:
            raise DeploymentError(
                f"systemctl --user {verb} {' '.join(names)} failed: {done.complaint}.",
                kind="failed",
                remedy="See systemctl --user status. Running the deployment again continues here.",
            )


def _move(source: Path, target: Path) -> None:
    """Rename; what an earlier run moved is left. Across file systems, move one by one."""
    if not _present(source):
        return
    if _present(target) and not (_directory(source) and _directory(target)):
        raise DeploymentError(
            f"{source} cannot be moved to {target}, which is there already.",
            kind="in_the_way",
            remedy="Look at both, and move one of them away. Nothing is overwritten.",
        )
    try:
        if not _present(target):
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            source.rename(target)
            return
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise DeploymentError(
                f"{source} cannot be moved to {target}: {error.strerror}.",
                kind="cannot_move",
                remedy="See who owns it and whether it is a mount point.",
            ) from None
    if not _directory(source):
        shutil.move(source, target)
        return
    target.mkdir(exist_ok=True)
    for child in sorted(source.iterdir()):
        _move(child, target / child.name)
    shutil.copystat(source, target)
    source.rmdir()


def _present(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
