# SPDX-License-Identifier: GPL-3.0-or-later
"""What users and operators are told during maintenance; where it stands is in notice_file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._plain_json import parse_json

HEADER = "x-mission-control-maintenance"
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


def notice_of(header: str) -> Notice | None:
    """What a stand-in says in each of its answers; None in an answer of anybody else."""
    if not header:
        return None
    try:
        return parse(parse_json(header))
    except ValueError:
        return parse({})


def parse(record: Any) -> Notice:
    if not isinstance(record, Mapping):
        record = {}
    values = {name: str(record.get(name) or "") for name in ("since", "reason", "until", "by")}
    return Notice(**{**values, "since": values["since"] or "an unknown time"})
