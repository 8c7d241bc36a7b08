# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the release that is deployed is still what was deployed: looked at as the application's user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .._cures import DEPLOYMENT
from .._host.errors import HostError
from .._release import integrity
from .._release.places import current_release
from .context import Context
from .verdict import FAIL, SKIP, Verdict

# By what runs from it; a user unit each.
PARTS = {"backend": ("backend", "scripts"), "frontend": ("frontend",)}


def _look(release: Path, names: tuple[str, ...], until: float) -> list[str]:
    """What was changed, in words."""
    altered: list[str] = []
    lost: list[str] = []
    for name in names:
        for found, told in zip(integrity.changes(release / name, until), (altered, lost), strict=True):
            told += [f"{name}/{place}" for place in found]
    return [*integrity.told(altered, lost), *integrity.owned(integrity.foreign(release, names, until))]


def _judge(part: str, sentences: list[str]) -> Verdict:
    if not sentences:
        return Verdict(f"release {part}", summary="the release's files are as they were deployed")
    told = "; ".join(sentences)
    return Verdict(
        f"release {part}",
        FAIL,
        told,
        cause=f"Somebody changed the release after it was deployed: {told}. What runs from it fails, or "
        "does with its next start.",
        remedy="Deploy again: the same release is composed anew beside it and takes its place; the changed "
        "one stays for a look.",
        kind="release_changed",
        cure=DEPLOYMENT,
        evidence={"unit": f"mission-control-{part}"},
    )


def _interpreter(release: Path) -> str:
    """Where the backend's environment has its Python from, if nothing is there any more."""
    link = release / "backend/.venv/bin/python"
    # Not Path.exists, which raises for a directory that the user may not enter.
    if not os.path.islink(link) or os.path.exists(link):  # noqa: PTH110, PTH114
        return ""
    return str(link.readlink())


def _judge_interpreter(python: str) -> list[Verdict]:
    if not python:
        return []
    return [
        Verdict(
            "interpreter",
            FAIL,
            f"the backend's environment needs {python}, which is not there",
            cause=f"{python} was removed, as by an upgrade of the distribution: what runs goes on with it, "
            "and nothing of the backend starts any more.",
            remedy="Deploy again: the environment is made anew with a Python that is there.",
            kind="interpreter_missing",
            cure=DEPLOYMENT,
        )
    ]


def judge_release(context: Context) -> list[Verdict]:
    """A verdict for each part that is there."""
    files = context.host.files
    release = current_release(files, context.host.root)
    if release is None:
        return []

    def look() -> dict[str, Any]:
        there = {part: names for part, names in PARTS.items() if (release / part).is_dir()}
        until = integrity.deadline()
        parts = {part: _look(release, names, until) for part, names in there.items()}
        return {"parts": parts, "python": _interpreter(release)}

    try:
        found = files.look(look)
        parts = [_judge(part, sentences) for part, sentences in found["parts"].items()]
        return [*_judge_interpreter(found["python"]), *parts]
    except (OSError, HostError) as error:
        return [Verdict("release", SKIP, f"not looked at: {error}")]
