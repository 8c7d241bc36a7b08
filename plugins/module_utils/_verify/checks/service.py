# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""User units: up, enabled, not restarting, not spinning, and running the release that is deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..._durations import brief, duration, size
from ..._host.errors import HostError
from ..._host.journal_tail import tail
from ..._host.processes import ProcessEvidence, cpu_shares, process_evidence, processes_of_unit
from ..._host.systemd import UnitStatus, unit_name
from ..._release.records import same_part
from ..._services.diagnosis import RESULTS, why
from ..context import Context, maintenance_problem
from ..thresholds import judge
from ..units import Units
from ..verdict import ERROR, FAIL, PASS, SKIP, WARN, Measure, Verdict, combine


def _commands(unit: str, user: str) -> dict[str, str]:
    return {
        "restart": f"systemctl --user -M {user}@ restart {unit}",
        "start": f"systemctl --user -M {user}@ start {unit}",
        "journal": f"journalctl --user -u {unit}",
        "user": user,
        "unit": unit,
    }


def judge_active(
    status: UnitStatus, lines: Sequence[str], user: str, sockets: Mapping[str, UnitStatus], now: float
) -> Verdict:
    """Loaded and running."""
    words = _commands(status.name, user)
    evidence: dict[str, Any] = {
        "active": status.active_state,
        "sub": status.sub_state,
        "result": status.result,
        "restarts": status.restarts,
    }
    if status.exit_status:
        evidence["exit_status"] = status.exit_status
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
            evidence=evidence,
        )
    if status.load_state not in ("loaded", "merged"):
        return Verdict(
            "active",
            FAIL,
            f"the unit cannot be loaded ({status.load_state})",
            cause="The unit file is damaged.",
            remedy="Deploy again: the unit file is written anew.",
            kind="unit_broken",
            evidence=evidence,
        )
    if status.active:
        since = f" since {brief(now - status.started)}" if status.started else ""
        return Verdict("active", summary=f"{status.sub_state}{since}", evidence=evidence)
    evidence["journal"] = list(lines)[-8:]
    hint = why(lines, words)
    if status.sub_state == "auto-restart" or (status.active_state == "activating" and status.restarts > 0):
        kind, cause, remedy = hint or (
            "crash_loop",
            f"The process ends again and again: {RESULTS.get(status.result, 'see its journal')}.",
            f"Look at its journal ({words['journal']}); cure what it names, then: {words['restart']}",
        )
        return Verdict(
            "active",
            FAIL,
            f"crash-looping ({status.restarts} restarts)",
            cause=cause,
            remedy=remedy,
            kind=kind,
            evidence=evidence,
        )
    if status.active_state == "activating":
        kind, cause, remedy = hint or (
            "starting",
            "The service is being started and has not reported that it is ready.",
            f"Wait (deadline); if it stays so, look at its journal: {words['journal']}",
        )
        return Verdict(
            "active", FAIL, "still starting", cause=cause, remedy=remedy, kind=kind, evidence=evidence
        )
    if status.failed:
        kind, cause, remedy = hint or (
            "unit_failed",
            f"The unit failed: {RESULTS.get(status.result, status.result)}.",
            f"Look at its journal ({words['journal']}); then: {words['restart']}",
        )
        return Verdict(
            "active",
            FAIL,
            f"failed: {RESULTS.get(status.result, status.result)}",
            cause=cause,
            remedy=remedy,
            kind=kind,
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
        evidence=evidence,
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
        words = _commands(status.name, user)
        kind, cause, remedy = why(lines, words) or (
            "crash_loop" if state == FAIL else "restarted",
            "The process ended by itself and systemd started it again.",
            f"Look at its journal around the restarts: {words['journal']}",
        )
        verdict.kind, verdict.cause, verdict.remedy = kind, cause, remedy
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
        evidence={"fragment": status.fragment_path, "drop_ins": list(status.drop_ins)},
    )


def judge_release(
    status: UnitStatus,
    process: ProcessEvidence | None,
    release: Path | None,
    current: Path,
    user: str,
    unchanged: Callable[[str, Path], bool] = same_part,
) -> Verdict:
    """Whether the main process runs from the release that `current` points to, or the same part of one."""
    if release is None:
        return Verdict("release", SKIP, f"{current} does not exist: not deployed by this collection")
    if process is None or process.cwd is None:
        return Verdict(
            "release",
            ERROR,
            "the working directory of the main process cannot be read",
            cause="The process ended just now, or belongs to another user.",
            remedy="Run the check as root (become: true) or as the application's user.",
            kind="not_permitted",
        )
    evidence = {"working_directory": process.cwd, "current": str(release), "pid": process.pid}
    inside = Path(process.cwd) == release or release in Path(process.cwd).parents
    if not inside and not process.deleted and unchanged(process.cwd, release):
        record = f"runs from an earlier release what is the same in {release.name}"
        return Verdict("release", summary=record, evidence=evidence)
    if process.deleted or not inside:
        what = "a release that was removed" if process.deleted else f"{process.cwd}"
        return Verdict(
            "release",
            FAIL,
            f"runs in {what}, deployed is {release.name}",
            cause="The process was not restarted after the release was switched, so the old code still runs.",
            remedy=_commands(status.name, user)["restart"],
            kind="stale_release",
            evidence=evidence,
        )
    return Verdict("release", summary=f"runs release {release.name}", evidence=evidence)


def judge_process(status: UnitStatus, process: ProcessEvidence | None, user: str) -> Verdict:
    """Whether the main process can run at all: a stopped one counts as active for systemd."""
    if process is not None and process.state in ("T", "t"):
        return Verdict(
            "process",
            FAIL,
            f"the main process ({process.pid}) is stopped by a signal",
            cause="Somebody sent it SIGSTOP, or a debugger holds it: it is active for systemd, but does "
            "nothing.",
            remedy=f"kill -CONT {process.pid}, or {_commands(status.name, user)['restart']}",
            kind="process_stopped",
            evidence={"pid": process.pid, "state": process.state},
        )
    return Verdict("process", summary="the main process runs")


def judge_memory(memory: int, options: Mapping[str, Any]) -> Verdict:
    """What the unit's processes hold in memory."""
    warn, crit = options["memory_warning"], options["memory_critical"]
    state = judge(memory, warn, crit)
    verdict = Verdict("memory", state, size(memory))
    verdict.measures = [Measure("memory", float(memory), "B", str(warn), str(crit))]
    if state != PASS:
        verdict.kind = "memory"
        verdict.cause = "The process holds more memory than it should: a leak, or simply more work."
        verdict.remedy = "Restart the unit; if it grows again, raise its limit or look for the leak."
    return verdict


def judge_cpu(share: float, options: Mapping[str, Any], user: str, unit: str) -> Verdict:
    """Whether the processes work without a pause."""
    warn, crit = options["cpu_warning"], options["cpu_critical"]
    state = judge(share, warn, crit)
    verdict = Verdict("cpu", state, f"{share * 100:.0f} % of a core")
    verdict.measures = [Measure("cpu", round(share, 3), "", str(warn), str(crit))]
    if state != PASS:
        verdict.kind = "spinning"
        verdict.cause = (
            "The process works without a pause although it is active: a worker that cannot reach Redis does, "
            "and so does one that is stuck."
        )
        verdict.remedy = f"Check that Redis answers; then {_commands(unit, user)['restart']}"
    return verdict


def spinning(
    pids: Mapping[str, Sequence[int]], limit: float, sample: float = 0.1, rounds: int = 6
) -> dict[str, float]:
    """The lowest share of a core that each unit used in any sample. A pause in between clears it at once,
    so that only units that look busy are sampled again."""
    lowest = dict.fromkeys(pids, 0.0)
    busy = dict(pids)
    for number in range(rounds):
        everyone = [pid for some in busy.values() for pid in some]
        shares = cpu_shares(everyone, sample if number == 0 else sample * 3) if everyone else {}
        for unit in list(busy):
            share = sum(shares.get(pid, 0.0) for pid in busy[unit])
            lowest[unit] = share if number == 0 else min(lowest[unit], share)
            if share < limit:
                del busy[unit]
        if not busy:
            break
    return lowest


def judge_linger(user: str, lingering: bool) -> Verdict:
    """Whether the units run without a login."""
    if lingering:
        return Verdict("linger", summary=f"{user} lingers")
    return Verdict(
        "linger",
        FAIL,
        f"{user} does not linger",
        cause=f"Lingering is off: the units of {user} end with the last login and do not start at boot.",
        remedy=f"loginctl enable-linger {user}",
        kind="linger_off",
    )


def processes_of(context: Context, unit: str) -> list[ProcessEvidence]:
    """Evidence of the processes of a user unit."""
    found = [process_evidence(pid) for pid in processes_of_unit(unit, context.host.account.uid)]
    return [evidence for evidence in found if evidence is not None]


def last_lines(context: Context, unit: str, lines: int = 40) -> list[str]:
    """The last journal lines of a unit, redacted; none where the journal cannot be read."""
    try:
        return [context.redactor.text(line) for line in tail(context.host.account, [unit], lines)]
    except (HostError, OSError):
        return []


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Ask systemd once, look at the processes, judge each unit."""
    names = [unit_name(name) for name in options["units"]]
    user = context.host.account.name
    units = Units(context.host)
    linger = context.parts([("linger", lambda: judge_linger(user, units.lingering()))])
    try:
        states = units.states(names)
    except HostError as error:
        if error.kind not in ("no_linger", "manager_down"):
            raise
        down = Verdict(
            "manager",
            FAIL,
            str(error),
            cause=f"The units cannot run without it: {error}",
            remedy=error.remedy,
            kind=error.kind,
        )
        return combine("service", [down] if error.kind == "no_linger" else [*linger, down])
    if notice := context.host.maintenance:
        # The units run its page. How it is with the services will show when it has ended.
        return combine("service", [*linger, maintenance_problem(notice).verdict("maintenance")])
    now = context.clock.now()
    release = context.host.release
    processes = {name: processes_of(context, name) for name in names if states[name].active}
    limit = min(
        (float(text) for text in (options["cpu_warning"], options["cpu_critical"]) if _plain(text)),
        default=0.0,
    )
    shares = (
        spinning({name: [item.pid for item in found] for name, found in processes.items()}, limit)
        if limit
        else {}
    )

    def judge_unit(name: str) -> Verdict:
        status = states[name]
        socket_name = f"{name.removesuffix('.service')}.socket"
        sockets = {socket_name: states[socket_name]} if socket_name in states else {}
        age = now - status.started if status.started else None
        troubled = not status.active or (
            status.restarts and age is not None and age < duration(options["restart_window"])
        )
        lines = last_lines(context, name) if troubled and status.exists else []
        parts = [judge_active(status, lines, user, sockets, now)]
        if status.exists and options["enabled"]:
            parts.append(judge_enabled(status, sockets, user))
        if status.active:
            found = processes.get(name, [])
            main = next((item for item in found if item.pid == status.main_pid), None)
            parts.append(judge_restarts(status, now, options, lines, user))
            parts.append(judge_reload(status, user))
            parts.append(judge_process(status, main, user))
            if options["release"]:
                parts.append(judge_release(status, main, release, context.host.root / "current", user))
            parts.append(judge_memory(sum(item.rss_bytes for item in found), options))
            if name in shares:
                parts.append(judge_cpu(shares[name], options, user, name))
        short = name.removesuffix(".service")
        return combine(short, parts, parts[0].summary)

    works = [(name.removesuffix(".service"), partial(judge_unit, name)) for name in names]
    verdicts = context.parts(works)
    record = ", ".join(f"{unit.name.removeprefix('mission-control-')} {unit.summary}" for unit in verdicts)
    return combine("service", [*linger, *verdicts], record)


def _plain(text: Any) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
