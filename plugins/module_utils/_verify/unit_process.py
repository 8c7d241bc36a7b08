# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the main process of a unit from its work although it is there."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from .._cures import TYPED
from .._host.proc_files import PROC
from .._host.reading import read_regular
from .verdict import FAIL, SKIP, Verdict

GROUPS = Path("/sys/fs/cgroup")
# What systemd gives a service unless it is told otherwise are 1024. A backend has some dozens open.
FEWEST_FILES = 128
# Percent that are in use when the next request may fail.
NEARLY_ALL = 90


def frozen_group(pid: int, proc: Path = PROC, groups: Path = GROUPS) -> str:
    """The control group by which a process is frozen, the outermost one; empty where it is not."""
    try:
        lines = read_regular(proc / str(pid) / "cgroup").split("\n")
        group = next(line.removeprefix("0::") for line in lines if line.startswith("0::/"))
        if "frozen 1" not in read_regular(groups / group.lstrip("/") / "cgroup.events"):
            return ""
    except (OSError, StopIteration):
        return ""
    found = group
    for above in (Path(group), *Path(group).parents):
        try:
            if read_regular(groups / str(above).lstrip("/") / "cgroup.freeze").strip() == "1":
                found = str(above)
        except OSError:
            continue
    return found


def judge_frozen(group: str, pid: int, unit: str) -> Verdict | None:
    """A finding where a process is frozen."""
    if not group:
        return None
    file = shlex.quote(f"{GROUPS}{group}/cgroup.freeze")
    # systemd has to know of it where it has frozen a unit of its own.
    name = Path(group).name
    thaw = f"systemctl thaw {shlex.quote(name)}; " if "app.slice" not in group else ""
    return Verdict(
        "process",
        FAIL,
        f"the main process ({pid}) is frozen",
        cause=f"The control group {group} is frozen (systemctl freeze, or cgroup.freeze): for systemd {unit} "
        "is active, it takes connections, and it does nothing.",
        remedy=f"{thaw}echo 0 >{file}",
        kind="process_frozen",
        cure=TYPED,
        evidence={"pid": pid, "group": group},
    )


def open_files(pid: int, proc: Path = PROC) -> tuple[int, int] | None:
    """How many files a process has open, and how many it may have; None where it may not be looked at."""
    try:
        used = len(os.listdir(proc / str(pid) / "fd"))  # noqa: PTH208
        limits = read_regular(proc / str(pid) / "limits").split("\n")
    except OSError:
        return None
    words = next((line.split() for line in limits if line.startswith("Max open files")), [])
    # Max open files, soft limit, hard limit, unit. Some programs raise the soft one by themselves, later.
    return (used, int(words[3])) if len(words) > 4 and words[3].isdigit() else None


def judge_files(found: tuple[int, int] | None, user: str, uid: int) -> Verdict:
    """Whether a process can open what it needs."""
    if found is None:
        return Verdict("files", SKIP, "the open files of the process cannot be seen")
    used, most = found
    if most >= FEWEST_FILES and used * 100 < most * NEARLY_ALL:
        return Verdict("files", summary=f"{used} of {most} files are open")
    few = most < FEWEST_FILES
    return Verdict(
        "files",
        FAIL,
        f"{used} of {most} files and connections are open",
        cause=f"The process may have {most} files and connections open at once, and fails beyond that (Too "
        "many open files)."
        + (" Somebody has lowered the limit, which is 1024 elsewhere." if few else " It may leak them."),
        remedy="Remove the line that lowers it (grep -rs LimitNOFILE /etc/systemd "
        f"$(getent passwd {user} | cut -d: -f6)/.config/systemd; grep -rs nofile /etc/security); then: "
        f"systemctl daemon-reload; systemctl restart user@{uid}.service"
        if few
        else "mission-control restart; if it comes again, raise LimitNOFILE of the unit.",
        kind="files_limit",
        evidence={"open": used, "limit": most},
    )
