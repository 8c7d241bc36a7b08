# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""systemd managers as seen from root or from the user itself."""

from __future__ import annotations

import dataclasses
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .accounts import Account
from .commands import Completed, Runner, run
from .errors import HostError

_SUFFIXES = (
    ".service",
    ".socket",
    ".target",
    ".timer",
    ".path",
    ".mount",
    ".automount",
    ".slice",
    ".scope",
    ".swap",
    ".device",
)
# The kernel's flag of a socket that takes connections (__SO_ACCEPTCON).
_ACCEPTING = 0x10000
_UNSET = {"", "[not set]", "infinity", "18446744073709551615", "n/a"}


class ManagerError(HostError):
    """A user's systemd manager cannot be asked; kind says why, remedy what to do."""


def unit_name(name: str) -> str:
    """A unit's full name: .service unless it names another type."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def parse_show(text: str) -> list[dict[str, str]]:
    """Read what `systemctl show` prints: a block of Key=Value lines for each unit."""
    blocks = []
    for block in text.strip("\n").split("\n\n"):
        properties: dict[str, str] = {}
        for line in block.splitlines():
            key, separator, value = line.partition("=")
            if separator:
                # ExecStart and the like are there once for each command.
                properties[key] = f"{properties[key]}\n{value}" if key in properties else value
        if properties:
            blocks.append(properties)
    return blocks


def _number(text: str) -> int | None:
    if text in _UNSET:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def parse_time(text: str) -> float | None:
    """A time printed with --timestamp=unix: @1700000000, or nothing."""
    if not text.startswith("@"):
        return None
    seconds = float(text[1:])
    return seconds or None


def parse_span(text: str) -> float | None:
    """A time span as systemd prints it: 1min 30s, 500ms, infinity."""
    if text in _UNSET:
        return None
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
    total = 0.0
    for part in text.split():
        figures = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        try:
            total += float(figures) * units[part[len(figures) :]]
        except (ValueError, KeyError):
            return None
    return total


# What the kernel's codes for the end of a process are called.
_EXIT_CODES = {"1": "exited", "2": "killed", "3": "dumped"}


@dataclass(frozen=True)
class UnitStatus:
    name: str
    load_state: str
    active_state: str
    sub_state: str
    unit_file_state: str
    result: str
    type: str
    main_pid: int
    restarts: int
    since: float | None
    started: float | None
    exit_code: str | None
    exit_status: int | None
    need_daemon_reload: bool
    fragment_path: str
    drop_ins: tuple[str, ...]
    invocation_id: str
    memory_bytes: int | None
    tasks: int | None
    cpu_seconds: float | None
    control_group: str
    triggers: tuple[str, ...]
    triggered_by: tuple[str, ...]
    watchdog_seconds: float | None

    @property
    def exists(self) -> bool:
        return self.load_state not in {"not-found", ""}

    @property
    def active(self) -> bool:
        return self.active_state in {"active", "reloading"}

    @property
    def enabled(self) -> bool:
        return self.unit_file_state in {"enabled", "enabled-runtime", "static", "generated", "alias"}

    @property
    def failed(self) -> bool:
        return self.active_state == "failed"

    def as_dict(self) -> dict[str, Any]:
        values = dataclasses.asdict(self)
        values["drop_ins"] = list(self.drop_ins)
        values["triggers"] = list(self.triggers)
        values["triggered_by"] = list(self.triggered_by)
        return values | {
            "exists": self.exists,
            "active": self.active,
            "enabled": self.enabled,
            "failed": self.failed,
        }


def unit_status(name: str, properties: Mapping[str, str]) -> UnitStatus:
    """The properties that decide about a unit, out of all that systemctl prints."""
    get = properties.get
    cpu = _number(get("CPUUsageNSec", ""))
    ended = get("ExecMainCode", "")
    changed = parse_time(get("StateChangeTimestamp", ""))
    return UnitStatus(
        name=name,
        load_state=get("LoadState", ""),
        active_state=get("ActiveState", ""),
        sub_state=get("SubState", ""),
        unit_file_state=get("UnitFileState", ""),
        result=get("Result", ""),
        type=get("Type", ""),
        main_pid=_number(get("MainPID", "")) or 0,
        restarts=_number(get("NRestarts", "")) or 0,
        since=parse_time(get("ActiveEnterTimestamp", "")) if get("ActiveState") == "active" else changed,
        started=parse_time(get("ExecMainStartTimestamp", "")),
        exit_code=_EXIT_CODES.get(ended),
        exit_status=_number(get("ExecMainStatus", "")) if ended in _EXIT_CODES else None,
        need_daemon_reload=get("NeedDaemonReload") == "yes",
        fragment_path=get("FragmentPath", ""),
        drop_ins=tuple(get("DropInPaths", "").split()),
        invocation_id=get("InvocationID", ""),
        memory_bytes=_number(get("MemoryCurrent", "")),
        tasks=_number(get("TasksCurrent", "")),
        cpu_seconds=None if cpu is None else cpu / 1e9,
        control_group=get("ControlGroup", ""),
        triggers=tuple(get("Triggers", "").split()),
        triggered_by=tuple(get("TriggeredBy", "").split()),
        watchdog_seconds=parse_span(get("WatchdogUSec", "")),
    )


def _show(completed: Completed, units: Sequence[str]) -> dict[str, dict[str, str]]:
    blocks = parse_show(completed.stdout)
    if not completed.ok or len(blocks) != len(units):
        raise HostError(
            f"systemctl did not describe the units {', '.join(units)}: {completed.complaint}",
            kind="failed",
            remedy="Run the same systemctl show by hand on the host.",
        )
    return dict(zip(units, blocks, strict=True))


def _show_arguments(names: Sequence[str], properties: Sequence[str] | None) -> list[str]:
    arguments = ["show", "--no-pager", "--timestamp=unix"]
    if properties is not None:
        arguments.append(f"--property={','.join(properties)}")
    return [*arguments, "--", *names]


def _listening_paths(table: Path = Path("/proc/net/unix")) -> set[str]:
    """The files of the Unix sockets that are listened on, of this network namespace."""
    try:
        lines = table.read_text(errors="replace").splitlines()[1:]
    except OSError:
        return set()
    # Num RefCount Protocol Flags Type St Inode Path, of which an unbound socket has none.
    rows = (line.split(maxsplit=7) for line in lines)
    return {row[7] for row in rows if len(row) == 8 and int(row[3], 16) & _ACCEPTING}


class SystemManager:
    """The manager of the host (PID 1)."""

    def __init__(self, run: Runner = run) -> None:
        self._run = run

    def call(self, *arguments: str, timeout: float = 60.0) -> Completed:
        return self._run(["systemctl", "--no-ask-password", *arguments], timeout=timeout)

    def show(
        self, units: Sequence[str], properties: Sequence[str] | None = None
    ) -> dict[str, dict[str, str]]:
        names = [unit_name(unit) for unit in units]
        return _show(self.call(*_show_arguments(names, properties)), names) if names else {}


class UserManager:
    """The manager of a lingering (or logged in) user, reached over its private socket.

    As root the calls are made by a child with the user's own identity: the manager refuses root.
    """

    def __init__(self, account: Account, run: Runner = run, root: Path = Path("/")) -> None:
        self.account = account
        self._run = run
        self._root = root

    @property
    def lingering(self) -> bool:
        return (self._root / "var/lib/systemd/linger" / self.account.name).exists()

    @property
    def private_socket(self) -> Path:
        return self._root / "run/user" / str(self.account.uid) / "systemd/private"

    @property
    def running(self) -> bool:
        """Whether the manager listens: the socket's file outlives a manager that was stopped."""
        path = str(self.private_socket)
        # The kernel is asked first: a connection that says nothing leaves a warning in the manager's journal.
        if path in _listening_paths():
            return True
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(path)
            except OSError:
                return False
        return True

    def require(self) -> None:
        """Raise ManagerError, with the remedy, unless the manager can be asked."""
        name, uid = self.account.name, self.account.uid
        if os.geteuid() not in (0, uid):
            raise ManagerError(
                f"The systemd manager of {name} answers only to {name} and, through it, to root.",
                kind="not_permitted",
                remedy=f"Run as root (become: true) or as {name}.",
            )
        if self.running:
            return
        if not self.lingering:
            raise ManagerError(
                f"The user {name} does not linger, so its systemd manager is not running.",
                kind="no_linger",
                remedy=f"loginctl enable-linger {name}",
            )
        raise ManagerError(
            f"The systemd manager of {name} (user@{uid}.service) is down although the user lingers.",
            kind="manager_down",
            remedy=f"systemctl start user@{uid}.service; journalctl -u user@{uid}.service tells why it ended",
        )

    def call(self, *arguments: str, timeout: float = 60.0) -> Completed:
        self.require()
        argv = ["systemctl", "--user", "--no-ask-password", *arguments]
        completed = self._run(argv, account=self.account, timeout=timeout)
        if completed.returncode != 0 and "Failed to connect to" in completed.stderr:
            raise ManagerError(
                f"The systemd manager of {self.account.name} does not answer: {completed.complaint}",
                kind="manager_down",
                remedy=f"systemctl restart user@{self.account.uid}.service",
            )
        return completed

    def show(
        self, units: Sequence[str], properties: Sequence[str] | None = None
    ) -> dict[str, dict[str, str]]:
        """All units, all properties (or those named), in one call; keys are full unit names."""
        names = [unit_name(unit) for unit in units]
        return _show(self.call(*_show_arguments(names, properties)), names) if names else {}

    def status(self, units: Sequence[str]) -> dict[str, UnitStatus]:
        return {name: unit_status(name, block) for name, block in self.show(units).items()}
