# SPDX-License-Identifier: GPL-3.0-or-later
"""What the properties of a unit say, as systemctl prints them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .systemd import main_pid

_UNSET = {"", "[not set]", "infinity", "18446744073709551615", "n/a"}


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
        main_pid=main_pid(properties),
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


def statuses(shown: Mapping[str, Mapping[str, str]]) -> dict[str, UnitStatus]:
    """Of each unit, by its full name, out of all that a manager shows."""
    return {name: unit_status(name, properties) for name, properties in shown.items()}
