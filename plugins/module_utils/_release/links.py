# SPDX-License-Identifier: GPL-3.0-or-later
"""The links that say which release is in service; switched by one renaming."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._application.layout import Layout
from .._application.release_parts import LINKS
from .._host import files
from .._host.deployment_errors import DeploymentError
from .outcome import note
from .records import document, now


def foreign_links(layout: Layout, parts: Iterable[str]) -> list[str]:
    """Places of our links where something else is, as on a host that was set up by hand."""
    wanted = ["current", *parts]
    return [
        name for name in wanted if (layout.root / name).exists() and not (layout.root / name).is_symlink()
    ]


def links(layout: Layout, identifier: str) -> dict[str, str]:
    """Every link that shall be there, by its name below the root."""
    release = layout.release(identifier)
    wanted = {"current": f"releases/{identifier}"}
    for part in LINKS:
        if (release / part).is_dir():
            wanted[part] = f"current/{part}"
    return wanted


def wrong_links(layout: Layout, identifier: str) -> dict[str, str]:
    """The links that are missing or point elsewhere."""
    wrong = {}
    for name, target in links(layout, identifier).items():
        try:
            found = str((layout.root / name).readlink())
        except OSError:
            found = ""
        if found != target:
            wrong[name] = target
    return wrong


def stale_links(layout: Layout, identifier: str) -> list[str]:
    """Our links to parts that the release does not have."""
    wanted = links(layout, identifier)
    return [
        part
        for part in LINKS
        if part not in wanted
        and (layout.root / part).is_symlink()
        and str((layout.root / part).readlink()) == f"current/{part}"
    ]


def switch(layout: Layout, identifier: str) -> dict[str, Any]:
    """Make a release the current one. What runs goes on from the old one until it is restarted."""
    if document(layout.release(identifier)) is None:
        raise DeploymentError(
            f"There is no complete release {identifier} below {layout.releases}.",
            kind="no_release",
            remedy="List the releases (playbooks/releases.yml).",
        )
    wrong = wrong_links(layout, identifier)
    foreign = foreign_links(layout, [name for name in wrong if name != "current"])
    if foreign:
        raise DeploymentError(
            f"{', '.join(str(layout.root / name) for name in foreign)} would have to become a link.",
            kind="foreign_path",
            remedy="Move it away, or choose another common_root.",
        )
    previous = layout.current_release
    if previous != identifier:
        note(layout, identifier, activated=now())
    # `current` first: the others lead through it.
    for name in sorted(wrong, key=lambda name: name != "current"):
        files.point_link(layout.root / name, wrong[name])
    stale = stale_links(layout, identifier)
    for name in stale:
        (layout.root / name).unlink()
    return {"previous": previous, "changed": bool(wrong or stale)}
