# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Maintenance mode: the services' units run a stand-in that answers with the reason.

A drop-in replaces what a unit starts, so that sockets, deployments and boots go on as ever, and removing it
undoes everything. shared/maintenance.json tells since when, why, until when and by whom.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .._durations import duration, utc_stamp
from .._host import files
from .._host.errors import HostError

# What stands in for each service, in the order in which they make way.
KINDS = {"frontend": "page", "worker": "idle", "backend": "api"}
NAME = "maintenance"
HEADER = "x-mission-control-maintenance"
_DURATION = re.compile(r"(?:\d+[smhd])+")
END = "playbooks/maintenance.yml -e state=off"


@dataclass(frozen=True)
class Notice:
    """What users and operators are told."""

    since: str
    reason: str = ""
    until: str = ""
    by: str = ""

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        text = f"in maintenance since {self.since}"
        if self.by:
            text += f" (by {self.by})"
        if self.reason:
            text += f": {self.reason.rstrip('.')}"
        if self.until:
            text += f"; expected to end {self.until}"
        return text


def path_of(root: Path) -> Path:
    return root / "shared" / f"{NAME}.json"


def program(root: Path) -> Path:
    """The stand-in on the host."""
    return root / "shared/libexec" / f"{NAME}.py"


def read(root: Path) -> Notice | None:
    """What is told now; None when there is no maintenance."""
    try:
        return parse(json.loads(files.read_regular(path_of(root))))
    except OSError:
        return None
    except ValueError:
        return parse({})


def notice_of(header: str) -> Notice | None:
    """What a stand-in says in each of its answers; None in an answer of anybody else."""
    if not header:
        return None
    try:
        return parse(json.loads(header))
    except ValueError:
        return parse({})


def parse(record: Any) -> Notice:
    if not isinstance(record, Mapping):
        record = {}
    values = {name: str(record.get(name) or "") for name in ("since", "reason", "until", "by")}
    return Notice(**{**values, "since": values["since"] or "an unknown time"})


def text_of(notice: Notice) -> str:
    return json.dumps(asdict(notice), indent=1) + "\n"


def end_of(text: str, now: datetime) -> str:
    """The expected end as a moment: given as one, or as a duration from now."""
    text = text.strip()
    if not text:
        return ""
    if _DURATION.fullmatch(text):
        return utc_stamp(now.timestamp() + duration(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HostError(
            f"until: {text!r} is no time.",
            kind="bad_option",
            remedy="Use a duration (45m, 2h) or a time with its zone (2026-01-31T14:30:00Z).",
        ) from None
    if found.tzinfo is None:
        raise HostError(
            f"until: {text!r} has no time zone.",
            kind="bad_option",
            remedy="Add it (2026-01-31T14:30:00Z or …+01:00), or give a duration (45m, 2h).",
        )
    return utc_stamp(found.timestamp())


def drop_in(service: str, root: Path) -> str:
    """What has a service's unit run the stand-in."""
    return f"""\
# Maintenance mode of the collection openclaw.mission_control. This ends it: {END}
[Service]
ExecStartPre=
ExecStart=
ExecStart=/usr/bin/python3 -I {program(root)} {KINDS[service]} {path_of(root)}
WorkingDirectory={root}
EnvironmentFile=
WatchdogSec=0
NotifyAccess=main
"""


def drop_in_path(directory: Path, service: str) -> Path:
    return directory / f"mission-control-{service}.service.d" / f"{NAME}.conf"


def deployed(directory: Path, services: Sequence[str]) -> list[str]:
    """Those of the services that have a unit, in the order in which they make way."""
    return [
        name
        for name in KINDS
        if name in services and (directory / f"mission-control-{name}.service").exists()
    ]


def now() -> datetime:
    return datetime.fromtimestamp(int(time.time()), UTC)
