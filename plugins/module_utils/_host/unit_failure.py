# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a unit does not run, in words."""

from __future__ import annotations

from .unit_status import UnitStatus

_RESULTS = {
    "exec-condition": "a condition of its start was not met",
    "exit-code": "its process ended with status {status}",
    "signal": "its process was killed by signal {status}",
    "core-dump": "its process crashed (signal {status})",
    "timeout": "it was not ready within the time its unit allows (TimeoutStartSec)",
    "watchdog": "its watchdog was not served in time: the process hangs",
    "oom-kill": "the kernel killed it for lack of memory",
    "start-limit-hit": "it failed too often in too short a time",
    "resources": "systemd lacked something to start it (a file that its unit names, or a limit is reached)",
    "protocol": "it ended or forked without reporting that it was ready",
    "service-start-limit-hit": "the service behind it failed too often in too short a time",
}
_STATUSES = {
    "200": "200, its working directory is missing (CHDIR)",
    "203": "203, its program could not be executed (EXEC)",
    "217": "217, its user is not known (USER)",
    "218": "218, its capabilities could not be set (CAPABILITIES)",
    "226": "226, its name spaces could not be made (NAMESPACE)",
    "227": "227, NoNewPrivileges could not be set",
    "228": "228, its system call filter could not be set (SECCOMP)",
}


def why(status: UnitStatus, complaint: str) -> str:
    """The cause in words: systemd's result, the process's end, or what systemctl said."""
    exit_status = "" if status.exit_status is None else str(status.exit_status)
    if status.load_state in {"bad-setting", "error"}:
        return f"its unit file cannot be used ({status.load_state}): {complaint.rstrip('.')}"
    if not status.exists:
        return "there is no such unit"
    text = _RESULTS.get(status.result, "")
    if "{status}" in text and exit_status in ("", "0"):
        # It was not the main process, which has no status yet or a good one.
        return "a command of its start failed (ExecStartPre, ExecStartPost)"
    if text:
        return text.format(status=_STATUSES.get(exit_status, exit_status))
    if complaint:
        return complaint.rstrip(".")
    return f"it is {status.active_state} ({status.sub_state})"
