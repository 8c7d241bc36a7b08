# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process is frozen with its control group (cgroup-v2.rst, cgroup.freeze)."""

from __future__ import annotations

from pathlib import Path

from .proc_files import PROC

GROUPS = Path("/sys/fs/cgroup")


def frozen_group(pid: int, proc: Path = PROC, groups: Path = GROUPS) -> str:
    """The control group by which a process is frozen, the outermost one; empty where it is not."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(errors="replace").split("\n")
        group = next(line.removeprefix("0::") for line in lines if line.startswith("0::/"))
        if "frozen 1" not in (groups / group.lstrip("/") / "cgroup.events").read_text():
            return ""
    except (OSError, StopIteration):
        return ""
    found = group
    for above in (Path(group), *Path(group).parents):
        try:
            if (groups / str(above).lstrip("/") / "cgroup.freeze").read_text().strip() == "1":
                found = str(above)
        except OSError:
            continue
    return found
