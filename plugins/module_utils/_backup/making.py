# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore point: all parts, then the manifest, which makes it one."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .._application import migrations
from .._application.layout import Layout
from .._host.accounts import Account, expand_home
from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._host.privileges import unwatched
from .._release.history import Register, place
from .._release.records import document
from .._times.record_stamps import name_stamp, utc_stamp
from . import archive, points, state, streams, trees
from .configuration import DATABASE, FILE_NAMES, GATEWAY, MANIFEST, Configuration
from .owners import by_owner
from .repository import alone, open_repository
from .reserve import keeping_reserve
from .restic import Restic, ResticError

# Sizes of so many restore points tell how they grow.
REMEMBERED = 15
BEFORE_RESTORATION = "before a restoration"
# A deployment has come between.
CHANGED = "changed_meanwhile"
_ATTEMPTS = 3
_PATIENCE = 1800.0


def released(root: str, account: Account) -> dict[str, Any]:
    """What is deployed, as its user sees it."""

    def look(_account: Account) -> dict[str, Any]:
        layout = Layout(Path(root))
        identifier = layout.current_release
        record = document(layout.release(identifier)) if identifier else None
        return {"release": identifier or "", "record": _telling(record or {})}

    found: dict[str, Any] = by_owner(account.name, look)
    return found


def _telling(record: Mapping[str, Any]) -> dict[str, Any]:
    """Of release.json what a new host needs."""
    names = ("id", "revision", "source", "described", "components", "python", "created")
    return {name: record[name] for name in names if name in record}


def _save_part(restic: Restic, part: str, name: str, moment: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
    return restic.save(
        FILE_NAMES[part],
        points.tags_of(restic.configuration, name, part),
        moment,
        lambda pipe: write_part(restic.configuration, part, pipe, _watch(restic.configuration)),
    )


def write_part(
    configuration: Configuration, part: str, pipe: int, watch: Callable[[], None]
) -> dict[str, Any]:
    """A part into a descriptor, by its user's own process, as long as the watch lets it."""
    user = configuration.gateway_account if part == GATEWAY else configuration.account
    root, state_, gateway = _places(configuration)

    def work(account: Account) -> dict[str, Any]:
        temporary = Path(account.home) / ".cache/mission-control/backup"
        if part == DATABASE:
            return streams.dump_database(root, account, pipe)
        chosen = (
            trees.gateway_trees(state_, gateway, account)
            if part == GATEWAY
            else trees.settings_trees(root, account)
        )
        return trees.write_trees(chosen, pipe, temporary)

    answer: dict[str, Any] = by_owner(user.name, work, keep=[pipe], watch=watch)
    return answer


def _watch(configuration: Configuration) -> Callable[[], None]:
    """Over the repository's disk. Of one that is elsewhere this host knows nothing."""
    place = Path(configuration.repository)
    return keeping_reserve(place) if place.is_absolute() else unwatched


def _places(configuration: Configuration) -> tuple[Path, Path, Path]:
    owner = configuration.gateway_account if GATEWAY in configuration.parts else None
    return (
        configuration.root_directory,
        Path(expand_home(configuration.gateway_state, owner)),
        Path(expand_home(configuration.gateway_root, owner)),
    )


def make(
    configuration: Configuration,
    restic: Restic,
    *,
    purpose: str = "asked for",
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """One restore point of everything, of one release: what a deployment has spoilt is made again."""
    for left in reversed(range(_ATTEMPTS)):
        # A restoration is under way itself.
        if purpose != BEFORE_RESTORATION:
            _let_deployments_end(configuration)
        try:
            return _make_and_keep(configuration, restic, purpose, now)
        except DeploymentError as error:
            if error.kind != CHANGED or not left:
                raise
    raise AssertionError


def _deployment(configuration: Configuration) -> bool:
    """Whether one goes on."""
    return Register(place(configuration.user)).look() is not None


def _let_deployments_end(configuration: Configuration) -> None:
    """Between a migration and the switch to its release nothing fits together. Holds nobody up meanwhile."""
    deadline = time.monotonic() + _PATIENCE
    while _deployment(configuration) and time.monotonic() < deadline:
        time.sleep(1.0)


def _make_and_keep(
    configuration: Configuration, restic: Restic, purpose: str, now: Callable[[], float]
) -> dict[str, Any]:
    """A restore point, retention after it; what became of it is remembered in any case."""
    started = now()
    try:
        with alone(configuration, f"backup ({purpose})"):
            made = open_repository(restic)
            # Its name is the second: those who have waited for the same come one after the other from here.
            answer = _make_or_remove(configuration, restic, purpose, now())
            answer["repository_made"] = made
            # What is about to be restored must not be pushed out by the safety backup.
            keeps_all = purpose == BEFORE_RESTORATION
            answer["warning"], newest = ("", None) if keeps_all else retain(restic, answer["name"])
            answer["warning"] = answer["warning"] or _unread(answer["parts"])
            if configuration.wal and not keeps_all:
                answer["warning"] = _server_files(configuration, started) or answer["warning"]
    except (HostError, OSError) as error:
        told = error.result() if isinstance(error, HostError) else {"msg": str(error), "kind": "os_error"}
        with contextlib.suppress(OSError):
            state.note(configuration.directory, attempt=state.ended(started, told))
        raise
    answer["seconds"] = round(now() - started, 2)
    done = state.ended(
        started,
        name=answer["name"],
        seconds=answer["seconds"],
        size=answer["size"],
        added=answer["added"],
        warning=answer["warning"],
    )
    before = state.read_state(configuration.directory).get("sizes") or []
    sizes = [*before, answer["size"]][-REMEMBERED:]
    known = {} if newest is None else {"newest": newest}
    state.note(configuration.directory, attempt=done, success=done, sizes=sizes, **known)
    return answer


def _make_or_remove(
    configuration: Configuration, restic: Restic, purpose: str, started: float
) -> dict[str, Any]:
    """What a run has written that fails is removed at once: a user may have each of them fail."""
    try:
        return _make(configuration, restic, purpose, started)
    except HostError as error:
        if not isinstance(error, ResticError) or error.kind == "no_space":
            with contextlib.suppress(HostError):
                _remove_left(restic, points.list_points(restic), name_stamp(started))
                # What is in use stays where it is.
                restic.run("prune", "--max-repack-size=0", what="Removing what this run has written")
        raise


def _remove_left(restic: Restic, found: Iterable[points.Point], last: str) -> None:
    """Forget what runs have left that failed, up to that of a name."""
    left = [point for point in found if not point.complete and point.name <= last]
    doomed = [identifier for point in left for identifier in point.snapshots.values()]
    if doomed:
        restic.run("forget", *doomed, what="Removing what failed runs left")


# What the process that writes a part tells of it.
_FACTS: Mapping[str, type] = {
    "bytes": int,
    "sha256": str,
    "files": int,
    "unread": list,
    "plain": list,
    "rows": dict,
    "schema": list,
    "server": int,
    "extensions": list,
}


def _facts(told: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a user's process tells, what is known and of its kind."""
    return {name: told[name] for name, kind in _FACTS.items() if type(told.get(name)) is kind}


def _unread(parts: Mapping[str, Any]) -> str:
    told = (
        (
            "unread",
            "Not saved whole, as its owner may not read it, it has shrunk, or is longer than it can be",
        ),
        ("plain", "SQLite cannot copy what begins like a file of its own, which was saved as it lies there"),
    )
    sentences = []
    for kind, sentence in told:
        paths = [path for part in parts.values() for path in part.get(kind, ())]
        if paths:
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            sentences.append(f"{sentence}: {paths[0]}{more}.")
    return " ".join(sentences)


def _server_files(configuration: Configuration, started: float) -> str:
    """What point in time begins with; what went wrong costs no restore point, and the check tells it."""
    try:
        done = archive.back_up(started)
    except HostError as error:
        state.note(configuration.directory, wal_attempt=state.ended(started, error.result()))
        return error.message
    state.note(configuration.directory, wal_attempt=state.ended(started, **done))
    return ""


def _make(configuration: Configuration, restic: Restic, purpose: str, started: float) -> dict[str, Any]:
    account = configuration.account
    name = name_stamp(started)
    moment = utc_stamp(started).replace("T", " ").rstrip("Z")
    before = released(configuration.root, account) if configuration.parts else {}
    parts: dict[str, Any] = {}
    added = 0
    for part in configuration.parts:
        summary, facts = _save_part(restic, part, name, moment)
        # What root knows is not for the user's process to say.
        parts[part] = {**_facts(facts), "snapshot": summary["snapshot_id"], "file": FILE_NAMES[part]}
        added += int(summary.get("data_added_packed") or summary.get("data_added") or 0)
    after = released(configuration.root, account) if configuration.parts else {}
    if before != after:
        raise DeploymentError(
            f"A deployment has switched from {before['release'] or 'none'} to {after['release']} meanwhile.",
            kind=CHANGED,
            remedy="What was saved of both counts for nothing. Back up again.",
        )
    if purpose != BEFORE_RESTORATION:
        _refuse_half_a_deployment(configuration, before["release"], parts.get(DATABASE))
    manifest = {
        "format": points.FORMAT,
        "name": name,
        "time": utc_stamp(started),
        "purpose": purpose,
        "host": configuration.host,
        "environment": configuration.environment,
        "collection": configuration.collection,
        "user": configuration.user,
        "gateway_user": configuration.gateway_user,
        **before,
        "parts": parts,
    }
    tags = [
        *points.tags_of(configuration, name, MANIFEST),
        points.COMPLETE,
        f"parts:{'+'.join(parts)}",
        f"purpose:{purpose.replace(' ', '-')}",
        f"format:{points.FORMAT}",
    ]
    text = json.dumps(manifest, indent=1, sort_keys=True).encode()
    summary, _nothing = restic.save(FILE_NAMES[MANIFEST], tags, moment, lambda pipe: _write_all(pipe, text))
    return {
        "changed": True,
        "name": name,
        "snapshot": summary["snapshot_id"],
        "added": added,
        "size": sum(part["bytes"] for part in parts.values()),
        "parts": parts,
        "release": before.get("release", ""),
    }


def _refuse_half_a_deployment(
    configuration: Configuration, release: str, part: Mapping[str, Any] | None
) -> None:
    """A database that was migrated already, beside a release that is to be replaced, is no restore point."""

    if part is None or not _deployment(configuration):
        return
    revisions = part["schema"]

    def known(_account: Account) -> bool:
        backend = Layout(configuration.root_directory).release(release) / "backend"
        graph = migrations.read_graph(migrations.directory_of(backend))
        return all(revision in graph.revisions for revision in revisions)

    if not by_owner(configuration.account.name, known):
        raise DeploymentError(
            f"A deployment has migrated the database, and {release} does not know its schema.",
            kind=CHANGED,
            remedy="What was saved counts for nothing. Back up again when the deployment has ended.",
        )


def _write_all(pipe: int, text: bytes) -> None:
    with os.fdopen(pipe, "wb", closefd=False) as file:
        file.write(text)


def retain(restic: Restic, newest: str) -> tuple[str, dict[str, Any] | None]:
    """Forget what failed runs left and what is too old.

    Returns what went wrong, which costs no point, and the point that bears the latest time: that of this run,
    unless the clock was ahead once.
    """
    configuration = restic.configuration
    keep = configuration.keep
    try:
        found = points.list_points(restic)
        _remove_left(restic, found, newest)
        restic.run(
            "forget",
            "--prune",
            "--group-by=host,paths",
            f"--host={configuration.host}",
            f"--tag=mission-control,environment:{configuration.environment}",
            "--keep-last=3",
            *(f"--keep-{name}={keep[name]}" for name in keep if keep[name] > 0),
            what="Removing old restore points",
        )
    except ResticError as error:
        return error.message, None
    last = next(point for point in found if point.complete)
    return "", {"name": last.name, "moment": last.moment}
