# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release to go back to, and why not to another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._application.release_parts import COMPONENTS
from .._host.deployment_errors import DeploymentError
from .records import STATES, outcome

FAILED: Mapping[str, Any] = {"outcome": {"state": "failed"}}


def _served(item: tuple[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Sorts releases by the time from which they served."""
    return str(item[1].get("activated") or item[1].get("created") or ""), item[0]


def last_verified(releases: Mapping[str, Mapping[str, Any]]) -> str | None:
    verified = [item for item in releases.items() if outcome(item[1]) == "verified"]
    return max(verified, key=_served)[0] if verified else None


def lacking(record: Mapping[str, Any], needed: Iterable[str]) -> list[str]:
    """What of that a release does not have. One that does not say what it has lacks nothing."""
    has = record.get("components")
    return [] if has is None else [name for name in COMPONENTS if name in needed and name not in has]


def previous_release(
    releases: Mapping[str, Mapping[str, Any]],
    current: str | None,
    needed: Collection[str] = (),
    alike: Collection[str] = (),
) -> str | None:
    """Where a rollback leads: the last verified release that is not current, or else one nobody looked at.

    It has to have all that is needed.

    :param alike: releases that are the current one but for secrets; going back leads past them.
    """
    passed = {current, *alike}
    others = [item for item in releases.items() if item[0] not in passed and not lacking(item[1], needed)]
    for state in ("verified", ""):
        # One that never served has not shown that it can.
        found = [item for item in others if outcome(item[1]) == state and item[1].get("activated", state)]
        if found:
            return max(found, key=_served)[0]
    return None


def fallback_from(
    releases: Mapping[str, Mapping[str, Any]],
    identifier: str,
    current: str | None,
    needed: Collection[str] = (),
) -> str | None:
    """What serves again when a release fails: the one that serves now, if there is another.

    Else one that has all that is needed, and rather one without some of it than none.
    """
    if current and current != identifier and outcome(releases.get(current, FAILED)) != "failed":
        return current
    return previous_release(releases, identifier, needed) or previous_release(releases, identifier)


def known(
    releases: Mapping[str, Mapping[str, Any]], current: str | None, needed: Collection[str] = ()
) -> str:
    """The releases of a host in one line, for a message."""
    shown = []
    for name, record in releases.items():
        state = STATES.get(outcome(record), outcome(record))
        without = lacking(record, needed)
        words = [*(["current"] if name == current else []), state]
        shown.append(f"{name} ({', '.join([*words, *(f'without {part}' for part in without)])})")
    return ", ".join(shown) or "none"


def _refuse_lacking(name: str, release: Mapping[str, Any], needed: Collection[str], listing: str) -> None:
    """A rollback must not take away what the inventory has run here."""
    parts = lacking(release, needed)
    if parts:
        named, groups = " and ".join(parts), ", ".join(f"mission_control_{part}" for part in parts)
        raise DeploymentError(
            f"release: {name} has no {named}, which the inventory has run on this host. "
            f"Nothing was changed. {listing}",
            kind="incomplete_release",
            remedy=f"Deploy its revision with {named} (mission_control_revision: {release.get('revision')}), "
            f"or take {named} from this host in the inventory (group {groups}) and repeat the rollback.",
        )


def choose(
    releases: Mapping[str, Mapping[str, Any]],
    current: str | None,
    wanted: str,
    needed: Collection[str] = (),
    alike: Collection[str] = (),
) -> str:
    """The release that a rollback leads to; `wanted` is its name, the start of its name, or empty.

    One that lacks what is needed is refused, but for the current one, whose database may be taken back.
    """
    listing = f"Releases of this host: {known(releases, current, needed)}."
    if not wanted:
        previous = previous_release(releases, current, needed, alike)
        if previous is None:
            lesser = previous_release(releases, current, alike=alike)
            if lesser is not None:
                _refuse_lacking(lesser, releases[lesser], needed, listing)
            raise DeploymentError(
                f"There is no earlier release to go back to. {listing}",
                kind="no_release",
                remedy="Deploy the revision that you want (mission_control_revision).",
            )
        return previous
    names = [name for name in releases if name.startswith(wanted)] if len(wanted) >= 7 else []
    fit = [wanted] if wanted in releases else names
    good = [name for name in fit if outcome(releases[name]) != "failed"]
    if not fit:
        raise DeploymentError(
            f"release: {wanted} is not a release of this host. {listing}",
            kind="no_release",
            remedy="Name one of them, or deploy the revision that you want.",
        )
    if not good:
        reason = str((releases[fit[-1]].get("outcome") or {}).get("reason") or "it was not healthy")
        raise DeploymentError(
            f"release: {fit[-1]} failed when it was deployed ({reason}), so nothing goes back to it. "
            f"{listing}",
            kind="failed_release",
            remedy="Name another one; to try it once more, deploy it.",
        )
    whole = [name for name in good if name == current or not lacking(releases[name], needed)]
    found = max(((name, releases[name]) for name in whole or good), key=_served)[0]
    if found not in whole:
        _refuse_lacking(found, releases[found], needed, listing)
    return found
