# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where things are below the application's root."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the host command reads.
COMMAND_CONFIGURATION = "/etc/mission-control/command.json"
# What root alone writes and reads (0700).
STATE_DIRECTORY = Path("/var/lib/mission-control")


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


def digest(value: Any, length: int = 16) -> str:
    """The first digits of a SHA-256 over plain data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def platform_of(backend: Path) -> str:
    """The platform that a backend names to gateways.

    Up to April 2026 the product said "python", since then the operating system (its commit 4df25a3d).
    A gateway pins it with the pairing and refuses the device under another one.
    """
    try:
        text = (backend / "app/services/openclaw/gateway_rpc.py").read_text(encoding="utf-8")
    except OSError:
        text = ""
    named = re.search(r'"platform": "([a-z0-9]+)"', text)
    return named[1] if named else os.uname().sysname.lower()
