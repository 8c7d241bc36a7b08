# SPDX-License-Identifier: GPL-3.0-or-later
"""What the releases on a host say of themselves."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application.backend_platform import platform_of
from .._application.layout import Layout
from .._host import reading
from .._plain_json import parse_json
from .._times import record_stamps
from .._times.record_stamps import utc_stamp
from .._times.timestamps import timestamp

# Bytes that what a release says of itself may have; all of them are read at once.
MOST_RECORD = 256 << 10
# What became of a release, for people.
STATES = {"verified": "verified", "failed": "failed", "left": "rolled back from", "": "not verified"}
_IDENTIFIER = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")


def document(path: Path) -> dict[str, Any] | None:
    """release.json of a release directory; None when it is no complete release."""
    try:
        record = parse_json(reading.read_regular(path / "release.json", MOST_RECORD))
    except (OSError, ValueError):
        return None
    fits = (
        isinstance(record, dict)
        and record.get("id") == path.name
        and isinstance(record.get("fingerprints", {}), dict)
        and isinstance(record.get("generation", 0), int)
    )
    return record if fits else None


def complete_releases(layout: Layout) -> dict[str, dict[str, Any]]:
    """Every complete release, oldest first."""
    found = {}
    if layout.releases.is_dir():
        for path in layout.releases.iterdir():
            record = document(path) if _IDENTIFIER.fullmatch(path.name) else None
            if record is not None:
                found[path.name] = record
    return dict(sorted(found.items(), key=lambda item: (str(item[1].get("created", "")), item[0])))


def outcome(record: Mapping[str, Any]) -> str:
    """What became of a release: verified, failed, left (rolled back from), or empty when nobody looked."""
    return str((record.get("outcome") or {}).get("state") or "")


def state_words(
    record: Mapping[str, Any], *, current: bool, running: bool = False, fallback: bool = False
) -> str:
    """The state of a release as tables show it: whether it serves, what became of it, and why it failed."""
    state = outcome(record)
    words = [STATES.get(state, state) if state or current or record.get("activated") else "never served"]
    if current:
        words.insert(0, "current")
    elif running:
        words.insert(0, "a process still runs from it")
    elif fallback:
        words.append("a rollback leads here")
    text = ", ".join(words)
    reason = str((record.get("outcome") or {}).get("reason") or "")
    return f"{text}: {reason}" if reason and state == "failed" else text


def local_time(text: Any) -> str:
    """A recorded time (UTC) in the reader's zone; empty for what is none."""
    moment = timestamp(text) if isinstance(text, str) else None
    return "" if moment is None else record_stamps.local_time(moment)


def now() -> str:
    return utc_stamp()


def made(release: Mapping[str, Any]) -> str:
    """When a release was made (UTC, ISO 8601); of one that does not tell, when it was changed last."""
    record = (release["document"] or {}).get("created")
    return str(record or utc_stamp(release["modified"]))


def release_facts(root: str) -> dict[str, Any]:
    """The releases below an application root, oldest first, and which of them is current."""
    directory = Path(root) / "releases"
    current = Path(root) / "current"
    target = str(current.readlink()) if current.is_symlink() else None
    releases: list[dict[str, Any]] = []
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        entries = []
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            continue
        partial = entry.name.startswith(".")
        document = None
        try:
            document = parse_json(reading.read_regular(Path(entry.path) / "release.json", MOST_RECORD))
        except (OSError, ValueError):
            document = None
        releases.append(
            {
                "id": entry.name.removeprefix(".").removesuffix(".partial") if partial else entry.name,
                "path": entry.path,
                "partial": partial,
                "modified": entry.stat(follow_symlinks=False).st_mtime,
                "document": document if isinstance(document, dict) else None,
            }
        )
    # A directory changes when something is written into it; a release tells when it was made.
    releases.sort(key=lambda release: (made(release), release["id"]))
    return {
        "root": root,
        "current": Path(target).name if target else None,
        "current_target": target,
        "available": releases,
        "gateway_platform": platform_of(current / "backend") if target else None,
    }
