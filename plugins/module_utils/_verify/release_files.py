# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the release that is deployed is still what was deployed: looked at as the application's user."""

from __future__ import annotations

from pathlib import Path

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


def judge_release(context: Context) -> list[Verdict]:
    """A verdict for each part that is there."""
    files = context.host.files
    release = current_release(files, context.host.root)
    if release is None:
        return []

    def look() -> dict[str, list[str]]:
        there = {part: names for part, names in PARTS.items() if (release / part).is_dir()}
        until = integrity.deadline()
        return {part: _look(release, names, until) for part, names in there.items()}

    try:
        return [_judge(part, sentences) for part, sentences in files.look(look).items()]
    except (OSError, HostError) as error:
        return [Verdict("release", SKIP, f"not looked at: {error}")]
