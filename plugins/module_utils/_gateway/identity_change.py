# SPDX-License-Identifier: GPL-3.0-or-later
"""Another identity in the place of the backend's present one, which is kept beside it until all is well.

To be called as the identity's user. However it is interrupted, each state is reached from what it left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._host.deployment_errors import DeploymentError
from . import identity


def next_of(path: Path) -> Path:
    """Where the new identity waits."""
    return path.with_name(f"{path.name}.next")


def former_of(path: Path) -> Path:
    """Where the one of before is kept."""
    return path.with_name(f"{path.name}.old")


def _told(path: Path, changed: bool, new: str | None, former: str | None) -> dict[str, Any]:
    return {"changed": changed, "path": str(path), "device_id": new or "", "former": former or ""}


def prepare(path: Path, check_mode: bool) -> dict[str, Any]:
    """Have a new identity beside the present one, unless it has taken its place already."""
    waiting, former = next_of(path), former_of(path)
    if former.exists() and not waiting.exists():
        return _told(path, False, identity.read(path), identity.read(former))
    present = identity.read(path)
    if present is None:
        raise DeploymentError(
            f"There is no identity in {path} that could be changed.",
            kind="no_identity",
            remedy="Deploy the backend first: it brings its identity along.",
        )
    if check_mode:
        return _told(waiting, not waiting.exists(), identity.read(waiting), present)
    made, changed = identity.ensure(waiting)
    return _told(waiting, changed, made, present)


def put(path: Path, check_mode: bool) -> dict[str, Any]:
    """The new identity is the backend's from its next connection on."""
    waiting, former = next_of(path), former_of(path)
    if waiting.exists() and not check_mode:
        former.unlink(missing_ok=True)
        former.hardlink_to(path)
        waiting.replace(path)
        return _told(path, True, identity.read(path), identity.read(former))
    return _told(path, waiting.exists(), identity.read(path), identity.read(former))


def give_back(path: Path, check_mode: bool) -> dict[str, Any]:
    """The identity of before is the backend's again, and the new one is gone."""
    waiting, former = next_of(path), former_of(path)
    changed = waiting.exists() or former.exists()
    if not check_mode:
        if former.exists():
            former.replace(path)
        # Two names of one file do not replace each other.
        former.unlink(missing_ok=True)
        waiting.unlink(missing_ok=True)
    return _told(path, changed, identity.read(path), None)


def settle(path: Path, check_mode: bool) -> dict[str, Any]:
    """All is well: nothing is left of the identity of before."""
    former = former_of(path)
    changed = former.exists()
    if not check_mode:
        former.unlink(missing_ok=True)
    return _told(path, changed, identity.read(path), None)


STATES: Mapping[str, Callable[[Path, bool], dict[str, Any]]] = {
    "prepared": prepare,
    "current": put,
    "returned": give_back,
    "settled": settle,
}
