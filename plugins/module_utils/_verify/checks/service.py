# SPDX-License-Identifier: GPL-3.0-or-later
"""User units: up, enabled, not restarting, not spinning, and running the release that is deployed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..._application.components import service_unit
from ..._application.notice_file import notice_of_user
from ..._cures import CONSIDERED, CONTINUE_MANAGER, LINGER, START_MANAGER, TYPED, let_go, restart
from ..._host.accounts import find_account
from ..._host.errors import HostError
from ..._host.freezer import frozen_group
from ..._host.journal_from_root import from_root
from ..._host.journal_tail import tail
from ..._host.proc_files import STOPPED, open_files
from ..._host.processes import ProcessEvidence, process_evidence, processes_of_unit
from ..._host.processor_time import cpu_shares
from ..._host.root_questions import answered_by_root, at_hand
from ..._host.systemd import UserManager
from ..._host.unit_names import unit_name
from ..._host.unit_status import UnitStatus, unit_status
from ..._release.places import current_release, same_part
from ..._times.amounts import size
from ..._times.durations import duration
from ..asking_root import AskingRoot
from ..context import Context, maintenance_problem
from ..thresholds import judge
from ..unit_process import judge_files, judge_frozen
from ..unit_state import (
    commands,
    ended_by_watchdog,
    judge_active,
    judge_drop_ins,
    judge_enabled,
    judge_reload,
    judge_restarts,
)
from ..units import Units
from ..verdict import ERROR, FAIL, PASS, SKIP, Measure, Verdict, combine

GATEWAY = service_unit("gateway")
# Why a user's manager tells nothing, and what is done about it.
MANAGER_CURES = {
    "no_linger": LINGER,
    "manager_down": START_MANAGER,
    "manager_hangs": CONTINUE_MANAGER,
    # All services of the user run, and are restarted with it.
    "manager_cut_off": TYPED,
}
# They run without it, for now.
RUNNING = ("manager_hangs", "manager_cut_off")
# Whose it is where it has a user of its own and nobody says which.
GATEWAY_USER = "openclaw"


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
            remedy=commands(status.name, user)["restart"],
            kind="stale_release",
            cure=restart(status.name),
            evidence=evidence,
        )
    return Verdict("release", summary=f"runs release {release.name}", evidence=evidence)


def judge_process(status: UnitStatus, process: ProcessEvidence | None, user: str) -> Verdict:
    """Whether the main process can run at all: a stopped one counts as active for systemd."""
    if process is not None and process.state in STOPPED:
        return Verdict(
            "process",
            FAIL,
            f"the main process ({process.pid}) is stopped by a signal",
            cause="Somebody sent it SIGSTOP, or a debugger holds it: it is active for systemd, but does "
            "nothing.",
            remedy=f"kill -CONT {process.pid}, or {commands(status.name, user)['restart']}",
            kind="process_stopped",
            cure=let_go(process.pid),
            evidence={"pid": process.pid, "state": process.state},
        )
    frozen = judge_frozen(frozen_group(process.pid), process.pid, status.name) if process else None
    return frozen or Verdict("process", summary="the main process runs")


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
        verdict.remedy = f"Check that Redis answers; then {commands(unit, user)['restart']}"
        # Or it is just at work: whoever knows that decides.
        verdict.cure = CONSIDERED
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


def busy_shares(
    processes: Mapping[str, Sequence[ProcessEvidence]], options: Mapping[str, Any]
) -> dict[str, float]:
    """How much of a core each unit uses without a pause; nothing where no limit asks for it."""
    limit = min(
        (float(text) for text in (options["cpu_warning"], options["cpu_critical"]) if _plain(text)),
        default=0.0,
    )
    pids = {name: [item.pid for item in found] for name, found in processes.items()}
    return spinning(pids, limit) if limit else {}


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
        cure=LINGER,
    )


def processes_of(context: Context, unit: str) -> list[ProcessEvidence]:
    """Evidence of the processes of a user unit."""
    found = [process_evidence(pid) for pid in processes_of_unit(unit, context.host.account.uid)]
    return [evidence for evidence in found if evidence is not None]


def last_lines(context: Context, unit: str, lines: int = 40) -> list[str]:
    """The last journal lines of a unit, redacted; none where the journal cannot be read."""
    try:
        account = context.host.account
        found = tail(account, [unit], lines, from_root=from_root(account))
        return [context.redactor.text(line) for line in found]
    except (HostError, OSError):
        return []


@answered_by_root
def _gateway_unit(users: Sequence[str]) -> dict[str, Any] | None:
    """What systemd and the journal say of the gateway of the first of these users who has one.

    Root tells no more than this of somebody else: nothing is asked for but this one unit.
    """
    for user in users:
        try:
            account = find_account(str(user))
        except HostError:
            continue
        # Not Path.exists, which raises for a directory that may not be entered.
        if os.path.lexists(f"{account.home}/.config/systemd/user/{GATEWAY}"):
            shown = UserManager(account).show([GATEWAY])[GATEWAY]
            calm = shown.get("ActiveState") == "active" and shown.get("NRestarts", "0") == "0"
            lines = [] if calm else tail(account, [GATEWAY], 40)
            return {"user": account.name, "home": account.home, "shown": shown, "lines": lines}
    return None


def judge_gateway(context: Context, options: Mapping[str, Any], now: float) -> Verdict:
    """The unit of the gateway that was deployed on this host, whoever its user is."""
    name, own = GATEWAY.removesuffix(".service"), context.host.account.name
    users = [options["gateway_user"]] if options["gateway_user"] else [own, GATEWAY_USER]
    found = _gateway_unit(users)
    if found is None and not (at_hand() or os.geteuid() == 0):
        return Verdict(name, SKIP, f"not looked at: it is a unit of another user than {own}")
    status = unit_status(GATEWAY, found["shown"] if found else {})
    user = found["user"] if found else users[-1]
    age = now - status.started if status.started else None
    recent = status.restarts and age is not None and age < duration(options["restart_window"])
    lines = [context.redactor.text(line) for line in (found or {}).get("lines", ())]
    lines = lines if recent or not status.active else []
    parts = [judge_active(status, lines, user, {}, now)]
    if status.exists and options["enabled"]:
        parts.append(judge_enabled(status, {}, user))
    if status.active:
        main = process_evidence(status.main_pid) if status.main_pid else None
        # It starts itself anew after each change of its configuration.
        if ended_by_watchdog(status, lines):
            parts.append(judge_restarts(status, now, options, lines, user))
        parts.append(judge_reload(status, user))
        parts.append(judge_process(status, main, user))
    if found and status.drop_ins:
        parts.append(judge_drop_ins(status, user, found["home"]))
    return combine(name, parts, parts[0].summary)


def without_manager(error: HostError) -> Verdict:
    """What is said where the user's systemd manager tells nothing of its units; other errors go on."""
    if error.kind not in MANAGER_CURES:
        raise error
    without = "Units are not started or stopped" if error.kind in RUNNING else "The units cannot run"
    cause = f"{without} without it: {error}"
    return Verdict(
        "manager",
        FAIL,
        str(error),
        cause=cause,
        remedy=error.remedy,
        kind=error.kind,
        cure=MANAGER_CURES[error.kind],
    )


@AskingRoot
def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Ask systemd once, look at the processes, judge each unit."""
    names = [unit_name(name) for name in options["units"]]
    user = context.host.account.name
    units = Units(context.host)
    linger = context.parts([("linger", lambda: judge_linger(user, units.lingering()))])
    try:
        states = units.states(names)
    except HostError as error:
        down = without_manager(error)
        return combine("service", [down] if error.kind == "no_linger" else [*linger, down])
    if notice := notice_of_user(context.host.files, context.host.root):
        # The units run its page. How it is with the services will show when it has ended.
        return combine("service", [*linger, maintenance_problem(notice).verdict("maintenance")])
    now = context.clock.now()
    release = current_release(context.host.files, context.host.root)
    processes = {name: processes_of(context, name) for name in names if states[name].active}
    shares = busy_shares(processes, options)

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
            if main is not None:
                parts.append(judge_files(open_files(main.pid), user, main.uid))
            if options["release"]:
                parts.append(judge_release(status, main, release, context.host.root / "current", user))
            parts.append(judge_memory(sum(item.rss_bytes for item in found), options))
            if name in shares:
                parts.append(judge_cpu(shares[name], options, user, name))
        short = name.removesuffix(".service")
        return combine(short, parts, parts[0].summary)

    works = [(name.removesuffix(".service"), partial(judge_unit, name)) for name in names]
    if options["gateway_unit"]:
        works.append((GATEWAY.removesuffix(".service"), partial(judge_gateway, context, options, now)))
    verdicts = context.parts(works)
    record = ", ".join(f"{unit.name.removeprefix('mission-control-')} {unit.summary}" for unit in verdicts)
    return combine("service", [*linger, *verdicts], record)


def _plain(text: Any) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
