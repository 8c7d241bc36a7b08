# SPDX-License-Identifier: GPL-3.0-or-later
"""What root remembers of the last runs: for verdicts, and to tell a new repository from a lost one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host import files, reading
from .._plain_json import parse_json
from .._times.record_stamps import utc_stamp

NAME = "state.json"


def read_state(directory: Path) -> dict[str, Any]:
    """What is known; nothing where nothing was done yet."""
    try:
        found = parse_json(reading.read_regular(directory / NAME))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def note(directory: Path, **facts: Any) -> None:
    """Remember; what is None is forgotten."""
    found = {name: value for name, value in {**read_state(directory), **facts}.items() if value is not None}
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write_atomically(directory / NAME, json.dumps(found, indent=1, sort_keys=True) + "\n", 0o600)


def ended(now: float, error: Mapping[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """One run as it is remembered."""
    found = {"at": utc_stamp(now), **facts}
    if error is not None:
        found["error"] = {key: str(error.get(key) or "") for key in ("msg", "kind", "remedy")}
    return found
