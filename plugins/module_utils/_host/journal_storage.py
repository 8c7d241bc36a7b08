# SPDX-License-Identifier: GPL-3.0-or-later
"""Where journald keeps its journal, by the setting that is in force, not by the file that we wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .commands import Runner, run
from .errors import HostError

# Set by journald when it has moved to the disk; gone after a boot on which it did not.
FLUSHED = Path("/run/systemd/journal/flushed")
KEPT = ("persistent", "auto")


@dataclass(frozen=True)
class Storage:
    """The value of Storage= and the file that sets it, both empty where none does."""

    value: str = ""
    file: str = ""

    @property
    def kept(self) -> bool:
        """Whether the journal can be on disk: auto is where the directory is there."""
        return self.value in ("", *KEPT)

    def as_dict(self) -> dict[str, Any]:
        """As facts."""
        return {"storage": self.value or "auto", "storage_file": self.file}


def parse(text: str) -> Storage:
    """The last Storage= of what `systemd-analyze cat-config` prints: a file's path, then its lines."""
    found, file, section = Storage(), "", ""
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped.startswith("# /"):
            file, section = stripped[2:], ""
        elif stripped.startswith("["):
            section = stripped
        elif section == "[Journal]" and stripped.startswith("Storage"):
            name, separator, value = stripped.partition("=")
            if separator and name.strip() == "Storage":
                found = Storage(value.strip().lower(), file if value.strip() else "")
    return found


def storage(run: Runner = run) -> Storage:
    """The setting in force."""
    try:
        done = run(["systemd-analyze", "cat-config", "--no-pager", "systemd/journald.conf"], timeout=10)
    except HostError:
        return Storage()
    return parse(done.stdout) if done.ok else Storage()


def facts(run: Runner = run) -> Mapping[str, Any]:
    """For host_info."""
    return storage(run).as_dict()
