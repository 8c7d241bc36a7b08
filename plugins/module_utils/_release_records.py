# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the releases on a host say of themselves."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ._layout import Layout

# What became of a release, for people.
STATES = {"verified": "verified", "failed": "failed", "left": "rolled back from", "": "not verified"}
_IDENTIFIER = re.compile(r"[0-9a-f]{12}-[0-9a-f]{8}")


def document(path: Path) -> dict[str, Any] | None:
    """release.json of a release directory; None when it is no complete release."""
    try:
        told = json.loads((path / "release.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and told.get("id") == path.name else None


def complete_releases(layout: Layout) -> dict[str, dict[str, Any]]:
    """Every complete release, oldest first."""
    found = {}
    if layout.releases.is_dir():
        for path in layout.releases.iterdir():
            told = document(path) if _IDENTIFIER.fullmatch(path.name) else None
            if told is not None:
                found[path.name] = told
    return dict(sorted(found.items(), key=lambda item: (str(item[1].get("created", "")), item[0])))


def outcome(told: Mapping[str, Any]) -> str:
    """What became of a release: verified, failed, left (rolled back from), or empty when nobody looked."""
    return str((told.get("outcome") or {}).get("state") or "")


def state_words(
    told: Mapping[str, Any], *, current: bool, running: bool = False, fallback: bool = False
) -> str:
    """The state of a release as tables show it: whether it serves, what became of it, and why it failed."""
    state = outcome(told)
    words = [STATES.get(state, state) if state or current or told.get("activated") else "never served"]
    if current:
        words.insert(0, "current")
    elif running:
        words.insert(0, "a process still runs from it")
    elif fallback:
        words.append("a rollback leads here")
    text = ", ".join(words)
    reason = str((told.get("outcome") or {}).get("reason") or "")
    return f"{text}: {reason}" if reason and state == "failed" else text


def local_time(text: Any) -> str:
    """A recorded time (UTC) in the reader's zone."""
    try:
        moment = datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return ""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def current_release(layout: Layout) -> str | None:
    try:
        target: Path = layout.current.readlink()
    except OSError:
        return None
    return target.name
