# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore points: what of the repository's snapshots belongs together, and which one is meant.

Each part is a snapshot of restic's. The manifest is saved last, when all parts are: without it, or without a
part that it names, there is no restore point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from .._times.moments import moment as moment_of
from .._times.record_stamps import local_time
from .._times.timestamps import timestamp
from .configuration import CLOCKS, FILE_NAMES, MANIFEST, Configuration
from .restic import Restic, whole_seconds

COMPLETE = "complete"
# The manifest of a newer collection says so.
FORMAT = 1
NEWEST = ("", "newest", "latest")


@dataclass
class Point:
    """One restore point, or what a run that failed has left of one."""

    name: str
    moment: float = 0.0
    snapshots: dict[str, str] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    sealed: bool = False
    purpose: str = ""
    size: int = 0
    format: int = FORMAT

    @property
    def complete(self) -> bool:
        return self.sealed and all(part in self.snapshots for part in (*self.wanted, MANIFEST))

    def told(self) -> dict[str, Any]:
        """For tables and results."""
        return {
            "name": self.name,
            "time": local_time(self.moment),
            "moment": self.moment,
            "snapshot": self.snapshots.get(MANIFEST, "")[:8],
            "parts": list(self.wanted),
            "purpose": self.purpose,
            "size": self.size,
            "complete": self.complete,
        }


def tags_of(configuration: Configuration, name: str, part: str) -> list[str]:
    return ["mission-control", f"environment:{configuration.environment}", f"point:{name}", f"part:{part}"]


def group(snapshots: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The points of a list of snapshots as restic gives it, the newest first."""
    found: dict[str, Point] = {}
    for snapshot in snapshots:
        tags = dict(tag.partition(":")[::2] for tag in snapshot.get("tags") or ())
        if not tags.get("point") or not tags.get("part"):
            continue
        point = found.setdefault(tags["point"], Point(tags["point"]))
        point.moment = timestamp(whole_seconds(str(snapshot["time"]))) or point.moment
        point.snapshots[tags["part"]] = str(snapshot["id"])
        point.size += int((snapshot.get("summary") or {}).get("total_bytes_processed") or 0)
        if tags["part"] == MANIFEST:
            point.sealed = COMPLETE in tags
            point.wanted = tuple(tags.get("parts", "").split("+"))
            point.purpose = tags.get("purpose", "")
            point.format = int(tags.get("format") or FORMAT)
    return sorted(found.values(), key=lambda point: (point.moment, point.name), reverse=True)


def list_points(restic: Restic) -> list[Point]:
    """All of this host and environment, the newest first, unfinished ones too."""
    configuration = restic.configuration
    output = restic.run(
        "snapshots",
        "--json",
        "--no-lock",
        f"--host={configuration.host}",
        f"--tag=mission-control,environment:{configuration.environment}",
        what="Listing the restore points",
    )
    return group(parse_json(output or "[]") or [])


def others(restic: Restic) -> str:
    """Whose restore points there are beside those of this host and environment."""
    output = restic.run(
        "snapshots",
        "--json",
        "--no-lock",
        "--tag=mission-control,complete",
        what="Listing the restore points",
    )
    found = set()
    for snapshot in parse_json(output or "[]") or []:
        tags = dict(tag.partition(":")[::2] for tag in snapshot.get("tags") or ())
        found.add(f"{snapshot.get('hostname')} in the environment {tags.get('environment')}")
    return ", ".join(sorted(found)[:5])


def choose(
    points: Sequence[Point],
    *,
    snapshot: str = "",
    time: str = "",
    now: float,
    others: Callable[[], str] = lambda: "",
) -> Point:
    """The point that is meant: the newest, the one of a name or snapshot, or the last one before a time."""
    complete = [point for point in points if point.complete]
    if not complete:
        unfinished = f"; {len(points)} unfinished one{'s' * (len(points) > 1)} cannot be restored"
        whose = others()
        raise DeploymentError(
            f"There is no restore point of this host in the repository{unfinished if points else ''}."
            + (f" There are those of {whose}." if whose else ""),
            kind="no_restore_point",
            remedy="Make one (playbooks/backup.yml), or see whether mission_control_backup_repository, "
            "mission_control_backup_environment and the host's name are those that are meant.",
        )
    if snapshot and time:
        raise DeploymentError(
            "snapshot and time were both given.", kind="bad_choice", remedy="Give one of them."
        )
    if snapshot not in NEWEST:
        return _named(points, snapshot)
    if time:
        return _before(complete, time, now)
    # What was made while the clock was ahead is not the newest.
    return next((point for point in complete if point.moment <= now + CLOCKS), complete[0])


def chosen(restic: Restic, *, snapshot: str = "", time: str = "", now: float) -> Point:
    """The same out of the repository; where there is none of this host, whose there are."""
    return choose(list_points(restic), snapshot=snapshot, time=time, now=now, others=lambda: others(restic))


def _named(points: Sequence[Point], given: str) -> Point:
    fit = [
        point
        for point in points
        if point.name == given
        or (len(given) >= 4 and any(identifier.startswith(given) for identifier in point.snapshots.values()))
    ]
    if len(fit) == 1 and fit[0].complete:
        return fit[0]
    if len(fit) == 1:
        raise DeploymentError(
            f"snapshot: {given} is what a run that failed has left, no restore point.",
            kind="unfinished",
            remedy="Choose another one (playbooks/backups.yml lists them).",
        )
    names = ", ".join(point.name for point in (fit or points)[:5])
    raise DeploymentError(
        f"snapshot: {given} "
        f"{'means several restore points' if fit else 'is not a restore point of this host'}.",
        kind="ambiguous" if fit else "unknown_snapshot",
        remedy=f"{'They are' if fit else 'The newest are'} {names} (playbooks/backups.yml lists all).",
    )


def _before(complete: Sequence[Point], given: str, now: float) -> Point:
    try:
        wanted = moment_of(given, now)
    except ValueError as error:
        raise DeploymentError(f"time: {error}.", kind="bad_time") from None
    first, last = complete[-1], complete[0]
    span = f"There are restore points from {local_time(first.moment)} to {local_time(last.moment)}."
    if wanted > now:
        raise DeploymentError(f"time: {given} has not come yet.", kind="bad_time", remedy=span)
    for point in complete:
        if point.moment <= wanted:
            return point
    raise DeploymentError(f"time: {given} is before the first restore point.", kind="bad_time", remedy=span)


def read_manifest(restic: Restic, point: Point) -> dict[str, Any]:
    """What the point says of itself."""
    if point.format > FORMAT:
        raise DeploymentError(
            f"The restore point {point.name} was made by a newer version of this collection.",
            kind="newer_format",
            remedy="Use that version, or a newer one.",
        )
    text = restic.read_text(point.snapshots[MANIFEST], FILE_NAMES[MANIFEST])
    found: dict[str, Any] = parse_json(text)
    # Which snapshot a part is, is said by the tags that root gave it.
    found["parts"] = {
        part: {**told, "snapshot": point.snapshots[part], "file": FILE_NAMES[part]}
        for part, told in found["parts"].items()
        if part in point.wanted
    }
    return found
