# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc says about processes; of their environments see process_environment.

The directory of /proc is an argument, so that tests feed recorded trees.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .proc_files import (
    PROC,
    TICKS,
    all_pids,
    link_of,
    started,
    stat_fields,
    status_of,
    unit_of_process,
    words_of,
)
from .root_questions import answered_by_root


@dataclass(frozen=True)
class ProcessEvidence:
    pid: int
    ppid: int
    uid: int
    name: str
    command: tuple[str, ...]
    state: str
    exe: str | None
    cwd: str | None
    started: float
    rss_bytes: int
    cpu_seconds: float
    threads: int
    seccomp: int
    no_new_privs: bool
    namespaces: dict[str, int]
    unit: str | None
    deleted: bool


_PAGE = os.sysconf("SC_PAGE_SIZE")
_DELETED = " (deleted)"


@answered_by_root
def process_evidence(pid: int, proc: Path = PROC) -> ProcessEvidence | None:
    """Everything /proc tells about a process; None when it is gone."""
    # A number, also when somebody else asks: what else follows /proc/ might lead anywhere.
    pid = int(pid)
    fields = stat_fields(pid, proc)
    if fields is None:
        return None
    status = status_of(pid, proc)
    words = words_of(pid, proc)
    if not words:
        return None
    exe, cwd = link_of(proc / str(pid) / "exe"), link_of(proc / str(pid) / "cwd")
    namespaces: dict[str, int] = {}
    for kind in ("user", "mnt", "net", "pid"):
        link = link_of(proc / str(pid) / "ns" / kind)
        if link is not None and "[" in link:
            namespaces[kind] = int(link[link.index("[") + 1 : -1])
    return ProcessEvidence(
        pid=pid,
        ppid=int(fields[1]),
        uid=int((status.get("Uid") or "-1").split()[0]),
        name=status.get("Name", ""),
        command=tuple(word for word in words if word),
        state=fields[0],
        exe=exe.removesuffix(_DELETED) if exe else None,
        cwd=cwd.removesuffix(_DELETED) if cwd else None,
        started=started(fields, proc),
        rss_bytes=int(fields[21]) * _PAGE,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS,
        threads=int(fields[17]),
        seccomp=int(status.get("Seccomp") or 0),
        no_new_privs=status.get("NoNewPrivs") == "1",
        namespaces=namespaces,
        unit=unit_of_process(pid, proc),
        deleted=any(link is not None and link.endswith(_DELETED) for link in (exe, cwd)),
    )


def processes_of_unit(unit: str, uid: int | None = None, proc: Path = PROC) -> list[int]:
    """The processes in the control group of a unit, of one user where a UID is given."""
    found = []
    for pid in all_pids(proc):
        if uid is not None:
            try:
                if (proc / str(pid)).stat().st_uid != uid:
                    continue
            except OSError:
                continue
        if unit_of_process(pid, proc) == unit:
            found.append(pid)
    return found
