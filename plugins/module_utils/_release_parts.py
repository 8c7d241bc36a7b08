# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether what a process runs from is the same in the deployed release: then it was rightly not restarted."""

from __future__ import annotations

import json
from pathlib import Path


def _fingerprint(release: Path, part: str) -> str:
    try:
        told = json.loads((release / "release.json").read_text(encoding="utf-8"))
        return str(told["fingerprints"][part])
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
