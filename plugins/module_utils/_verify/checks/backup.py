# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups: the last one is recent, what was saved has been proved, and the next one can be made."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from ..._backup.configuration import CLOCKS
from ..._backup.standing import backup_standing
from ..._cures import UNLOCK_BACKUPS
from ..._host.root_questions import at_hand
from ..._times.amounts import brief, size
from ..._times.timestamps import timestamp
from ..asking_root import AskingRoot
from ..context import Context
from ..limits import Limit
from ..verdict import FAIL, PASS, SKIP, WARN, Verdict, combine

AGE = Limit(
    name="last",
    option="age",
    label="backup age",
    unit="s",
    kind="backup_old",
    cause="No backup has succeeded for that long: the timer does not run, or what it starts fails.",
    remedy="See the timer (systemctl list-timers mission-control-backup.timer) and its journal "
    "(journalctl -u mission-control-backup), then back up: mission-control backup",
)
CHECK_AGE = Limit(
    name="checked",
    option="check_age",
    label="repository check age",
    unit="s",
    kind="backup_unchecked",
    cause="Nobody has read the repository from beginning to end for that long: damage would not be known.",
    remedy="See the timer mission-control-backup-drill.timer, or do it now: mission-control backup --drill",
)
DRILL_AGE = Limit(
    name="drilled",
    option="drill_age",
    label="drill age",
    unit="s",
    kind="backup_unproved",
    cause="No restore point has been proved for that long: that they can be restored is only hoped for.",
    remedy="See the timer mission-control-backup-drill.timer, or do it now: mission-control backup --drill",
)
GROWTH = Limit(
    name="growth",
    option="growth",
    label="size in usual sizes",
    kind="backup_growth",
    cause="The last backup has another size than those before it: something has been written in bulk, or "
    "what was there is there no more.",
    remedy="See which table or directory it is (playbooks/restore.yml --check compares the rows), and "
    "whether that is meant; after some backups it counts as usual.",
)
# So many sizes say what is usual.
_SIZES = 4
ROOM = Limit(
    name="room",
    option="room",
    label="room in last backups",
    kind="backup_no_room",
    cause="The disk of the repository has little more room than one backup may take.",
    remedy="Make room there, keep fewer restore points (mission_control_backup_keep), or use another place.",
)


class Past(NamedTuple):
    """What it means that the last run of some kind failed. Brace: reason."""

    name: str  # of the part
    title: str
    kind: str
    cause: str
    remedy: str


# By the name under which it is remembered.
RUNS = {
    "attempt": Past(
        name="run",
        title="backup",
        kind="backup_failed",
        cause="The last backup failed: {reason}",
        remedy="See its journal: journalctl -u mission-control-backup",
    ),
    "drill_attempt": Past(
        name="drill",
        title="drill",
        kind="drill_failed",
        cause="The last drill failed, so that what was saved can be restored is not known: {reason}",
        remedy="See its journal: journalctl -u mission-control-backup-drill",
    ),
    "wal_attempt": Past(
        name="server files",
        title="backup of the server's files",
        kind="wal_backup_failed",
        cause="What point in time begins with could not be backed up: {reason}",
        remedy="See what pgBackRest says: journalctl -u mission-control-backup",
    ),
    "check_attempt": Past(
        name="check",
        title="check of the repository",
        kind="check_failed",
        cause="The repository could not be read from beginning to end: {reason}",
        remedy="See its journal: journalctl -u mission-control-backup-drill",
    ),
}


def judge(found: Mapping[str, Any], options: Mapping[str, Any], now: float) -> Verdict:
    """All of it, from what root has seen."""
    if found["set_up"] is None:
        return Verdict(
            "backup",
            WARN,
            "no backups are made",
            cause="mission_control_backup is false, or this host was deployed without the role backup.",
            remedy="Deploy with mission_control_backup: true, or waive this check.",
            kind="backup_off",
        )
    state = found["state"]
    since = float(found["set_up"])
    parts = [
        judge_place(found, options["on_the_host"]),
        judge_repository(found),
        *(judge_run(name, state) for name in RUNS if name in state),
        *judge_warning(state.get("success")),
        judge_age(AGE, state.get("success"), since, options, now),
        judge_age(CHECK_AGE, state.get("check"), since, options, now),
        judge_age(DRILL_AGE, state.get("drill"), since, options, now),
        judge_locks(found["locks"], now, options["lock_age"]),
        *judge_archive(found.get("wal")),
    ]
    last = state.get("success") or {}
    parts += judge_clock(state.get("newest"), now)
    parts += judge_growth(state.get("sizes") or [], options)
    if found["free"] is not None and last.get("size"):
        ratio = found["free"] / max(float(last["size"]), 1.0)
        grown = f" and added {size(last['added'])}" if "added" in last else ""
        summary = f"{size(found['free'])} free, the last backup had {size(last['size'])}{grown}"
        parts.append(ROOM.judged(ratio, summary, options))
    newest = f"the newest restore point is {last['name']}" if last.get("name") else "no restore point yet"
    verdict = combine("backup", parts, newest)
    verdict.evidence = {"repository": found["repository"], "last": last.get("name", "")}
    return verdict


def judge_place(found: Mapping[str, Any], accepted: bool) -> Verdict:
    """A backup that has never left the host is lost with it."""
    if found["leaves_the_host"] or accepted:
        return Verdict("place", PASS, f"backups go to {found['repository']}")
    return Verdict(
        "place",
        WARN,
        f"backups go to {found['repository']} on this host",
        cause="The repository does not outlive the host: with its disk all backups are lost.",
        remedy="Name another place in mission_control_backup_repository and deploy; where that directory is "
        "another machine's, say so: verify_backup: {on_the_host: true}.",
        kind="backup_on_the_host",
    )


def judge_repository(found: Mapping[str, Any]) -> Verdict:
    """Whether it opens now."""
    problem = found["problem"]
    if problem is None:
        return Verdict("repository", PASS, f"{found['repository']} opens")
    return Verdict(
        "repository",
        FAIL,
        f"{found['repository']} does not open",
        cause=problem["cause"],
        remedy=problem["remedy"],
        kind=problem["kind"],
    )


def judge_run(name: str, state: Mapping[str, Any]) -> Verdict:
    """How the last run went, whatever succeeded before it."""
    past, error = RUNS[name], state[name].get("error")
    if not error:
        return Verdict(past.name, PASS, f"the last {past.title} succeeded")
    verdict = Verdict(past.name, FAIL, f"the last {past.title} failed at {state[name]['at']}", kind=past.kind)
    verdict.cause = past.cause.format(reason=error["msg"])
    verdict.remedy = error["remedy"] or past.remedy
    verdict.evidence = {"kind": error["kind"]}
    return verdict


def judge_warning(success: Mapping[str, Any] | None) -> list[Verdict]:
    """What did not keep the last backup from being one: older ones stay, a file was left out."""
    warning = (success or {}).get("warning")
    if not warning:
        return []
    return [
        Verdict(
            "warning",
            WARN,
            "the last backup succeeded with a warning",
            cause=f"It was made, and something beside it went wrong: {warning}",
            remedy="Mend what it names, and back up again: mission-control backup",
            kind="backup_warning",
        )
    ]


def judge_age(
    limit: Limit, done: Mapping[str, Any] | None, since: float, options: Mapping[str, Any], now: float
) -> Verdict:
    """How long ago it was; what has not come yet counts from when backups were set up."""
    at = timestamp(done["at"]) if done else None
    age = max(0.0, now - (at if at is not None else since))
    if at is not None:
        return limit.judged(age, f"{brief(age)} ago", options)
    verdict = limit.judged(age, f"not yet, {brief(age)} after backups were set up", options)
    if verdict.state == PASS:
        verdict.state = SKIP
    return verdict


def judge_clock(newest: Mapping[str, Any] | None, now: float) -> list[Verdict]:
    """A clock that was ahead, or has been set back, leaves restore points of a time that has not come."""
    if newest is None or newest["moment"] <= now + CLOCKS:
        return []
    return [
        Verdict(
            "clock",
            WARN,
            f"the restore point {newest['name']} bears a time that has not come, by "
            f"{brief(newest['moment'] - now)}",
            cause="It was made while this host's clock was ahead. Until then it is kept before those that "
            "are made now; restore.yml takes the newest whose time has come.",
            remedy="See that the clock is synchronized (timedatectl). If it should go: restic forget --tag "
            f"point:{shlex.quote(newest['name'])}, and back up again.",
            kind="backup_clock",
        )
    ]


def judge_growth(sizes: Sequence[int], options: Mapping[str, Any]) -> list[Verdict]:
    """The last size beside what was usual: both directions tell of something."""
    if len(sizes) < _SIZES:
        return []
    usual = float(median(sizes[:-1]))
    summary = f"{size(sizes[-1])}, as a rule {size(usual)}"
    return [GROWTH.judged(sizes[-1] / max(usual, 1.0), summary, options)]


def judge_archive(wal: Mapping[str, Any] | None) -> list[Verdict]:
    """Whether the write-ahead log comes to its archive, where point in time is wanted."""
    if wal is None:
        return []
    if wal.get("problem"):
        return [Verdict("archive", SKIP, f"not known: {wal['problem']}")]
    if wal["failed"] is None or (wal["archived"] or 0) >= wal["failed"]:
        return [Verdict("archive", PASS, "the write-ahead log is archived")]
    return [
        Verdict(
            "archive",
            FAIL,
            "the write-ahead log is not archived",
            cause="pgBackRest fails for PostgreSQL: what is written now could not be brought back, and the "
            "log fills the server's disk.",
            remedy="See the server's journal for what archive-push says (journalctl -u 'postgresql@*'), and "
            "whether the user postgres can write to the repository.",
            kind="wal_not_archived",
        )
    ]


def judge_locks(locks: Sequence[Mapping[str, Any]], now: float, most: int) -> Verdict:
    """A lock that is refreshed is somebody's work; one that is not keeps the next prune away."""
    left = [
        lock for lock in locks if lock["dead"] or (lock["time"] is not None and now - lock["time"] > most)
    ]
    if not left:
        return Verdict("lock", PASS, "nobody has left a lock")
    hosts = ", ".join(sorted({lock["host"] for lock in left}))
    return Verdict(
        "lock",
        WARN,
        f"a run of {hosts} that died has left its lock",
        cause="A run was killed before it could take its lock away.",
        remedy="The next run on that host removes it: mission-control backup. If the host is gone: "
        "restic unlock --remove-all, when nobody else works with the repository.",
        kind="backup_lock",
        cure=UNLOCK_BACKUPS,
    )


@AskingRoot
def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """One look by root, judged here; others, such as the application's user, are no less healthy for it."""
    if not (at_hand() or os.geteuid() == 0):
        return Verdict("backup", SKIP, "not looked at: only root sees how the backups stand")
    return judge(backup_standing(), options, context.clock.now())
