# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the gateway of a host, as root has written it down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .._application.root_state import STATE_DIRECTORY
from .._host import reading
from .._host.accounts import find_account
from .._host.errors import HostError
from .._plain_json import parse_json


@dataclass(frozen=True)
class Record:
    """Who has the gateway's data; `entering` while it is being copied to somebody, `leaving` until the copy
    that it was made from is out of the way. `by_hand`: it was set up by hand. `sandbox`: what the unit was
    deployed with that keeps its processes in."""

    user: str
    by_hand: bool = False
    entering: str = ""
    leaving: str = ""
    sandbox: tuple[str, ...] = ()


# What keeps a process in: systemd.exec(5).
_KEEPS_IN = (
    "NoNewPrivileges",
    "Lock",
    "Inaccessible",
    "MemoryDeny",
    "Private",
    "Protect",
    "ReadOnly",
    "Restrict",
    "System",
)
_OFF = ("", "no", "false", "0", "off")


def sandbox_of(unit: str) -> tuple[str, ...]:
    """The names of the directives in the text of a unit that keep its processes in."""
    # The last line of a name counts.
    said = dict(line.split("=", 1) for line in unit.split("\n") if line.startswith(_KEEPS_IN) and "=" in line)
    return tuple(sorted(name for name, value in said.items() if value not in _OFF))


def record_path() -> Path:
    return STATE_DIRECTORY / "gateway.json"


def read_record() -> Record | None:
    """Root's record; None where there is none, or this process may not read it."""
    try:
        found = parse_json(reading.read_regular(record_path()))
        record = Record(
            str(found["user"]),
            found.get("by_hand") is True,
            str(found.get("entering") or ""),
            str(found.get("leaving") or ""),
            tuple(map(str, found.get("sandbox") or ())),
        )
        find_account(record.user)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, HostError):
        # Of a user who is gone there is nothing to be known either.
        return None
    return record
