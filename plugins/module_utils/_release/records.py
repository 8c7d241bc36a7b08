# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the releases on a host say of themselves."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import _durations
from .._application.layout import Layout, platform_of
from .._durations import timestamp, utc_stamp
from .._host import files

# What became of a release, for people.
STATES = {"verified": "verified", "failed": "failed", "left": "rolled back from", "": "not verified"}
_IDENTIFIER = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")


def document(path: Path) -> dict[str, Any] | None:
    """release.json of a release directory; None when it is no complete release."""
    try:
        record = json.loads(files.read_regular(path / "release.json"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("id") == path.name else None


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
    return "" if moment is None else _durations.local_time(moment)


def now() -> str:
    return utc_stamp()


def current_release(layout: Layout) -> str | None:
    try:
        target: Path = layout.current.readlink()
    except OSError:
        return None
    return target.name


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
            document = json.loads(files.read_regular(Path(entry.path) / "release.json"))
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


def release_of(cwd: str | None, root: str | None) -> str | None:
    """The release in which a working directory lies."""
    if cwd is None or root is None:
        return None
    # The root itself may be reached through a link; a process's directory never is.
    for base in (root, os.path.realpath(root)):
        prefix = f"{base.rstrip('/')}/releases/"
        if cwd.startswith(prefix):
            return cwd[len(prefix) :].split("/", 1)[0]
    return None


def _fingerprint(release: Path, part: str) -> str:
    try:
        record = json.loads(files.read_regular(release / "release.json"))
        return str(record["fingerprints"][part])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def same_part(directory: str | Path, release: Path) -> bool:
    """Whether a working directory lies in a part of another release that `release` has unchanged."""
    for base in (release.parent, release.parent.resolve()):
        try:
            other, part, *_rest = Path(directory).relative_to(base).parts
        except ValueError:
            continue
        found = _fingerprint(base / other, part)
        return bool(found) and found == _fingerprint(release, part)
    return False
