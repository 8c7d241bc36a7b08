# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd says of a unit, judged: loaded and running, enabled, restarted, known as it stands on disk."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from .._cures import DECISION, DEPLOYMENT, WAITING, enable, reload, restart, start, unmask
from .._host.unit_names import unit_name
from .._host.unit_status import UnitStatus
from .._services.diagnosis import why
from .._times.amounts import brief
from .._times.durations import duration
from .thresholds import judge
from .verdict import FAIL, PASS, WARN, Measure, Verdict

# systemd's own words for how it ended.
RESULTS = {
    "exit-code": "the process ended with an error",
    "signal": "the process was killed by a signal",
    "core-dump": "the process crashed",
    "watchdog": "the process hung and the watchdog killed it",
    "timeout": "the start or stop took too long",
    "oom-kill": "the process was killed because memory ran out",
    "start-limit-hit": "it failed too often in a short time, so systemd gave up",
    "resources": "systemd could not provide what the unit needs (its environment file, for example)",
    "protocol": "the process never reported that it was ready",
}


def commands(unit: str, user: str) -> dict[str, str]:
    """What an operator types about a unit, as its user would; the report says it for who reads it."""
    return {
        "restart": f"systemctl --user -M {user}@ restart {unit}",
        "start": f"systemctl --user -M {user}@ start {unit}",
        # Without --user root sees them, and so does the user itself.
        "journal": f"journalctl _SYSTEMD_USER_UNIT={unit_name(unit)}",
        "user": user,
        "unit": unit,
    }


# So few restarts are no loop yet.
FEW = 2
WATCHDOG = (
    "The process hung: it did not tell systemd any more that it is alive. The watchdog ended it, and systemd "
    "started it again."
)
_RESULT = re.compile(r"Failed with result '([\w-]+)'")


def ended_by_watchdog(status: UnitStatus, lines: Sequence[str]) -> bool:
    """Whether it was the watchdog that ended the process the last time.

    :param lines: the last ones of the unit in the journal, systemd's own among them.
    """
    told = [match[1] for line in lines if (match := _RESULT.search(line))]
    return told[-1] == "watchdog" if told else status.result == "watchdog"


def judge_drop_ins(status: UnitStatus, user: str, home: str) -> Verdict:
    """Files that change a unit in whose sandbox others' commands run, who may have written them.

    :param home: of the user. By a link there, any other directory can be in the unit's way to its files.
    """
    homes = tuple(f"{place}/" for place in (home, os.path.realpath(home)))
    files = [path for path in status.drop_ins if os.path.normpath(path).startswith(homes)]
    own = (
        f"See what they say: runuser --pty -u {user} -- cat -v -- {shlex.join(files)}. What you did not "
        f"write goes: runuser --pty -u {user} -- rm -- {shlex.join(files)}; "
        f"systemctl --user -M {user}@ daemon-reload; {commands(status.name, user)['restart']}. "
    )
    others = (
        f"Those that are not below {home} are the host's own or reached by a link: of these, remove the link "
        f"below {home}/.config/systemd/user alone. "
    )
    all_own = len(files) == len(status.drop_ins)
    waived = "What you did is waived (verify_waivers)."
    told = (own if all_own else own + others) + waived if files else others + waived
    return Verdict(
        "drop-ins",
        WARN,
        f"changed by {', '.join(status.drop_ins)}",
        cause=f"Whoever works as {user}, an agent too, can write such files: they may take the sandbox away.",
        remedy=told,
        kind="drop_in",
        evidence={"drop_ins": list(status.drop_ins)},
    )


def judge_active(
    status: UnitStatus, lines: Sequence[str], user: str, sockets: Mapping[str, UnitStatus], now: float
) -> Verdict:
    """Loaded and running."""
    evidence: dict[str, Any] = {
        "active": status.active_state,
        "sub": status.sub_state,
        "result": status.result,
        "restarts": status.restarts,
    }
    if status.exit_status:
        evidence["exit_status"] = status.exit_status
    if not status.exists or status.load_state not in ("loaded", "merged"):
        return _not_loaded(status, user, evidence)
    if status.active:
        if status.started:
            evidence["age"] = round(now - status.started, 1)
        since = f" since {brief(now - status.started)}" if status.started else ""
        return Verdict("active", summary=f"{status.sub_state}{since}", evidence=evidence)
    evidence["journal"] = list(lines)[-8:]
    words = commands(status.name, user)
    if status.active_state == "activating" or status.sub_state == "auto-restart":
        return _starting(status, lines, words, evidence)
    if status.active_state == "deactivating":
        return _stopping(words, evidence)
    if status.failed:
        kind, cause, remedy, cure = why(lines, words) or (
            "unit_failed",
            f"The unit failed: {RESULTS.get(status.result, status.result)}.",
            f"Look at its journal ({words['journal']}); then: {words['restart']}",
            restart(status.name),
        )
        return Verdict(
            "active",
            FAIL,
            f"failed: {RESULTS.get(status.result, status.result)}",
            cause=cause,
            remedy=remedy,
            kind=kind,
            cure=cure,
            evidence=evidence,
        )
    listening = next((socket for socket in sockets.values() if socket.active), None)
    return Verdict(
        "active",
        FAIL,
        f"not running ({status.active_state})",
        cause="The unit was stopped, or never started."
        + (" Its socket still takes connections, so the next request starts it." if listening else ""),
        remedy=words["start"],
        kind="unit_stopped",
        cure=start(status.name),
        evidence=evidence,
    )


def _stopping(words: Mapping[str, str], evidence: dict[str, Any]) -> Verdict:
    """A unit on its way down, which may be the first half of a restart."""
    return Verdict(
        "active",
        FAIL,
        "is being stopped",
        cause="The service is being stopped, for good or to be started again, and ends what it is at.",
        remedy=f"Wait (deadline); if it stays so, look at its journal: {words['journal']}",
        kind="stopping",
        cure=WAITING,
        evidence=evidence,
    )


def _not_loaded(status: UnitStatus, user: str, evidence: dict[str, Any]) -> Verdict:
    """A unit that systemd cannot start because it does not have it."""
    if not status.exists:
        return Verdict(
            "active",
            FAIL,
            "the unit does not exist",
            cause=f"There is no user unit {status.name} for {user}: it was never deployed here, or is called "
            "otherwise.",
            remedy="Deploy (playbook deploy), or name the units of this host in verify_service: "
            "{units: [...]}.",
            kind="unit_missing",
            cure=DEPLOYMENT,
            evidence=evidence,
        )
    if status.load_state == "masked":
        return Verdict(
            "active",
            FAIL,
            "the unit cannot be loaded (masked)",
            cause="The unit is masked.",
            remedy=f"systemctl --user -M {user}@ unmask {status.name}",
            kind="unit_masked",
            cure=unmask(status.name),
            evidence=evidence,
        )
    return Verdict(
        "active",
        FAIL,
        f"the unit cannot be loaded ({status.load_state})",
        cause="The unit file is damaged.",
        remedy="Deploy again: the unit file is written anew.",
        kind="unit_broken",
        cure=DEPLOYMENT,
        evidence=evidence,
    )


def _starting(
    status: UnitStatus, lines: Sequence[str], words: Mapping[str, str], evidence: dict[str, Any]
) -> Verdict:
    """A unit that is on its way up, for the first time or again and again."""
    summary = "still starting"
    kind, cause, remedy, cure = (
        "starting",
        "The service is being started and has not reported that it is ready.",
        f"Wait (deadline); if it stays so, look at its journal: {words['journal']}",
        WAITING,
    )
    if status.sub_state == "auto-restart" or status.restarts > 0:
        times = f"{status.restarts} restart{'s' if status.restarts > 1 else ''}"
        summary = f"crash-looping ({times})" if status.restarts else "ended, and is being started again"
        kind, cause, remedy, cure = (
            "crash_loop",
            f"The process ended and is started again: {RESULTS.get(status.result, 'see its journal')}.",
            f"Look at its journal ({words['journal']}); cure what it names, then: {words['restart']}",
            DECISION,
        )
        if status.restarts <= FEW and ended_by_watchdog(status, lines):
            summary = "is being started again after the watchdog ended it"
            kind, cause, remedy, cure = (
                "watchdog",
                WATCHDOG,
                f"Wait (deadline). If it does so again, see what it did before: {words['journal']}",
                WAITING,
            )
    hint = None if kind == "watchdog" else why(lines, words)
    kind, cause, remedy, cure = hint or (kind, cause, remedy, cure)
    return Verdict(
        "active", FAIL, summary, cause=cause, remedy=remedy, kind=kind, cure=cure, evidence=evidence
    )


def judge_enabled(status: UnitStatus, sockets: Mapping[str, UnitStatus], user: str) -> Verdict:
    """Started again at the next boot."""
    by_socket = [socket.name for socket in sockets.values() if socket.exists and socket.enabled]
    evidence = {"unit_file": status.unit_file_state, "sockets": by_socket}
    if status.enabled:
        return Verdict("enabled", summary="enabled", evidence=evidence)
    if by_socket:
        return Verdict("enabled", summary=f"started by {by_socket[0]}", evidence=evidence)
    return Verdict(
        "enabled",
        FAIL,
        f"not enabled ({status.unit_file_state or 'unknown'})",
        cause="The unit will not start when the host is booted the next time.",
        remedy=f"systemctl --user -M {user}@ enable {status.name}",
        kind="unit_disabled",
        cure=enable(status.name),
        evidence=evidence,
    )


def judge_restarts(
    status: UnitStatus, now: float, options: Mapping[str, Any], lines: Sequence[str], user: str
) -> Verdict:
    """Restarts that systemd made by itself, if the last one was lately."""
    age = now - status.started if status.started else None
    window = duration(options["restart_window"])
    recent = status.restarts if age is not None and age < window else 0
    warn, crit = options["restarts_warning"], options["restarts_critical"]
    state = judge(recent, warn, crit)
    verdict = Verdict("restarts", state, f"{status.restarts} automatic restarts")
    verdict.evidence = {"restarts": status.restarts, "age_seconds": round(age) if age is not None else None}
    verdict.measures = [Measure("restarts", float(status.restarts), "", str(warn), str(crit))]
    if status.restarts and not recent:
        verdict.summary += f", the last one {brief(age or 0)} ago"
    if state != PASS:
        words = commands(status.name, user)
        if ended_by_watchdog(status, lines):
            verdict.kind = "watchdog"
            verdict.cause = WATCHDOG
            verdict.remedy = (
                "Nothing, if it stays so: it runs again. If it comes again, see what the process did "
                f"before: {words['journal']}"
            )
            verdict.summary = f"{status.restarts} automatic restarts, by the watchdog"
        else:
            kind, cause, remedy, cure = why(lines, words) or (
                "crash_loop" if state == FAIL else "restarted",
                "The process ended by itself and systemd started it again.",
                f"Look at its journal around the restarts: {words['journal']}",
                DECISION,
            )
            verdict.kind, verdict.cause, verdict.remedy, verdict.cure = kind, cause, remedy, cure
        verdict.evidence["journal"] = list(lines)[-8:]
        verdict.summary += f", the last one {brief(age or 0)} ago"
    return verdict


def judge_reload(status: UnitStatus, user: str) -> Verdict:
    """Whether systemd knows the unit file as it stands on disk."""
    if not status.need_daemon_reload:
        return Verdict("reload", summary="systemd knows the current unit file")
    return Verdict(
        "reload",
        WARN,
        "the unit file changed on disk after systemd read it",
        cause="Somebody changed the unit file without telling systemd; the next start may behave "
        "differently.",
        remedy=f"systemctl --user -M {user}@ daemon-reload, then restart {status.name}",
        kind="daemon_reload",
        cure=reload(status.name),
        evidence={"fragment": status.fragment_path, "drop_ins": list(status.drop_ins)},
    )
