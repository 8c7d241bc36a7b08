# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of an installation that is taken over, and the record of it on the host."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._host.accounts import find_account
from .._host.errors import HostError
from .._host.user_file_text import read_regular_file
from .._plain_json import parse_json
from .._redaction import Redactor
from .._shown_settings import masked


@dataclass
class Unit:
    name: str
    part: str
    text: str
    enabled: bool = False
    active: bool = False


@dataclass
class Process:
    """Processes of a part that no unit runs; `command` is the first of them that can be started again."""

    part: str
    pids: list[int]
    command: list[str]
    cwd: str
    output: str


@dataclass
class Installation:
    tree: str
    kind: str
    units: list[Unit] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    # What lies where releases go, and is moved aside.
    entries: list[str] = field(default_factory=list)
    listens: dict[str, dict[str, str]] = field(default_factory=dict)
    # With secrets.
    backend: dict[str, str] = field(default_factory=dict)
    frontend: dict[str, str] = field(default_factory=dict)
    identity: str = ""
    revision: str = ""
    # Whether the roles are to provide them: the distribution's server is here, or none is.
    local_database: bool = True
    local_redis: bool = True

    def public(self, secret_settings: Sequence[str] = ()) -> dict[str, Any]:
        """Without the secrets, also those that an operator names, and without the texts."""
        redactor = Redactor()
        return {
            "tree": self.tree,
            "kind": self.kind,
            "units": [{"name": u.name, "active": u.active, "enabled": u.enabled} for u in self.units],
            "processes": [
                {"part": p.part, "pids": p.pids, "command": redactor.data(p.command)} for p in self.processes
            ],
            "entries": self.entries,
            "listens": self.listens,
            "settings": {
                **masked(self.frontend, secret_settings),
                **masked(self.backend, secret_settings),
            },
            "identity": self.identity,
            "revision": self.revision,
        }


# --- the record of what was taken over -----------------------------------------------------------


@dataclass
class Record:
    """phase: taking, taken (no release has passed the gate yet), done, restoring."""

    phase: str
    at: str
    kept: str
    found: Installation
    # Environments of the processes, to start them again.
    environments: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"


def record_path(layout: Layout) -> Path:
    return layout.shared / "adopted.json"


def read_record(layout: Layout) -> Record | None:
    path = record_path(layout)
    text = read_regular_file(str(path), find_account().name)
    return None if text is None else parse(text, path)


def parse(text: str, path: Path) -> Record:
    """The record in a file's text; `path` is the file, for the message."""
    try:
        record = parse_json(text)
    except ValueError:
        record = None
    try:
        found = record.pop("found")
        units = [Unit(**unit) for unit in found.pop("units")]
        processes = [Process(**process) for process in found.pop("processes")]
        return Record(found=Installation(units=units, processes=processes, **found), **record)
    except (AttributeError, KeyError, TypeError):
        raise HostError(
            f"{path} cannot be read as the record of what was taken over.",
            kind="bad_record",
            remedy="Restore it, or move it away; what it carried over then has to stand in the inventory.",
        ) from None
