# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting root's own files and units in place."""

from __future__ import annotations

from pathlib import Path

from .._host.commands import Runner
from .._host.deployment_errors import DeploymentError


def has_other_text(path: Path, text: str) -> bool:
    """Whether a file has another text; an empty one is no file."""
    try:
        return path.read_text(encoding="utf-8") != text
    except FileNotFoundError:
        return bool(text)


def systemctl(runner: Runner, *words: str) -> None:
    """Tell the host's manager; a server that restarts may have much to write."""
    done = runner(["systemctl", *words], timeout=300)
    if not done.ok:
        raise DeploymentError(
            f"systemctl {' '.join(words)} failed: {done.complaint}", kind="systemctl_failed"
        )
