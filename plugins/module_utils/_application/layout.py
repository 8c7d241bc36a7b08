# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are below the application's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# What the host command reads.
COMMAND_CONFIGURATION = "/etc/mission-control/command.json"


@dataclass(frozen=True)
class Layout:
    root: Path

    @property
    def shared(self) -> Path:
        return self.root / "shared"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def current(self) -> Path:
        return self.root / "current"

    @property
    def current_release(self) -> str | None:
        """The release that is deployed; None where there is none."""
        try:
            return self.current.readlink().name
        except OSError:
            return None

    @property
    def lock(self) -> Path:
        return self.shared / ".lock"

    @property
    def history(self) -> Path:
        return self.shared / "history.jsonl"

    @property
    def log(self) -> Path:
        return self.shared / "log"

    @property
    def libexec(self) -> Path:
        return self.shared / "libexec"

    @property
    def identity(self) -> Path:
        return self.shared / "identity" / "device.json"

    @property
    def backups(self) -> Path:
        return self.shared / "backups"

    def release(self, identifier: str) -> Path:
        return self.releases / identifier

    def python(self, key: str) -> Path:
        return self.shared / "python" / key

    def frontend_build(self, key: str) -> Path:
        return self.shared / "frontend-build" / key

    def runtime(self, name: str, version: str) -> Path:
        return self.shared / "runtimes" / f"{name}-{version}"
