# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Accounts, commands run as an account, and what /proc says about processes.

Nothing here knows Ansible. The directory of /proc, the clock and the sleep are arguments,
so that tests feed recorded trees.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import HostError
from .root_side import answered_by_root

PROC = Path("/proc")
# Set by systemd for each start, so they differ between two starts of the same thing.
VOLATILE_NAMES = frozenset(
    {
        "INVOCATION_ID",
        "JOURNAL_STREAM",
        "LISTEN_FDNAMES",
        "LISTEN_FDS",
        "LISTEN_PID",
        "LISTEN_PIDFDID",
        "MAINPID",
        "MANAGERPID",
        "MANAGERPIDFDID",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "NOTIFY_SOCKET",
        "SYSTEMD_EXEC_PID",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
    }
)


# --- /proc ---------------------------------------------------------------------------------------


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
    environment_digest: str | None
    unit: str | None
    deleted: bool


_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DELETED = " (deleted)"


def boot_time(proc: Path = PROC) -> float:
    """The time of the boot as epoch seconds, as this kernel tells it."""
    for line in (proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise HostError(f"{proc}/stat names no boot time.", kind="no_proc", remedy="Mount /proc.")


def _stat_fields(pid: int, proc: Path) -> list[str] | None:
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is the name in parentheses and may hold anything, parentheses included.
    return text[text.rindex(")") + 2 :].split()


def _link(path: Path) -> str | None:
    try:
        return str(path.readlink())
    except OSError:
        return None


def _status(pid: int, proc: Path) -> dict[str, str]:
    fields: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in (proc / str(pid) / "status").read_text(errors="replace").splitlines():
            key, _separator, value = line.partition(":")
            fields[key] = value.strip()
    return fields


def unit_of_process(pid: int, proc: Path = PROC) -> str | None:
    """The innermost systemd unit whose control group holds the process."""
    try:
        text = (proc / str(pid) / "cgroup").read_text()
    except OSError:
        return None
    for line in text.splitlines():
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy != "0" and controllers != "name=systemd":
            continue
        for part in reversed(path.split("/")):
            if part.endswith((".service", ".scope", ".socket", ".mount")):
                return _unescape_unit(part)
    return None


def _unescape_unit(name: str) -> str:
    # A control group of a unit whose name could be taken for a kernel file starts with "_".
    return name.removeprefix("_")


@answered_by_root
def process_evidence(pid: int, proc: Path = PROC) -> ProcessEvidence | None:
    """Everything /proc tells about a process; None when it is gone."""
    # A number, also when somebody else asks: what else follows /proc/ might lead anywhere.
    pid = int(pid)
    fields = _stat_fields(pid, proc)
    if fields is None:
        return None
    status = _status(pid, proc)
    try:
        command = (proc / str(pid) / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return None
    exe, cwd = _link(proc / str(pid) / "exe"), _link(proc / str(pid) / "cwd")
    namespaces: dict[str, int] = {}
    for kind in ("user", "mnt", "net", "pid"):
        link = _link(proc / str(pid) / "ns" / kind)
        if link is not None and "[" in link:
            namespaces[kind] = int(link[link.index("[") + 1 : -1])
    environment = read_environment(pid, proc)
    return ProcessEvidence(
        pid=pid,
        ppid=int(fields[1]),
        uid=int((status.get("Uid") or "-1").split()[0]),
        name=status.get("Name", ""),
        command=tuple(part.decode("utf-8", "replace") for part in command if part),
        state=fields[0],
        exe=exe.removesuffix(_DELETED) if exe else None,
        cwd=cwd.removesuffix(_DELETED) if cwd else None,
        started=boot_time(proc) + int(fields[19]) / _TICKS,
        rss_bytes=int(fields[21]) * _PAGE,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        seccomp=int(status.get("Seccomp") or 0),
        no_new_privs=status.get("NoNewPrivs") == "1",
        namespaces=namespaces,
        environment_digest=None if environment is None else environment_digest(environment),
        unit=unit_of_process(pid, proc),
        deleted=any(link is not None and link.endswith(_DELETED) for link in (exe, cwd)),
    )


def all_pids(proc: Path = PROC) -> list[int]:
    return sorted(int(entry.name) for entry in os.scandir(proc) if entry.name.isdigit())


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


def cpu_seconds(pid: int, proc: Path = PROC) -> float | None:
    fields = _stat_fields(pid, proc)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / _TICKS


def cpu_shares(
    pids: Sequence[int],
    interval: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    proc: Path = PROC,
) -> dict[int, float]:
    """How much of one core each process used over the interval; those that ended are left out."""
    before = {pid: cpu_seconds(pid, proc) for pid in pids}
    start = clock()
    sleep(interval)
    elapsed = max(clock() - start, 1e-9)
    shares = {}
    for pid, first in before.items():
        last = cpu_seconds(pid, proc)
        if first is not None and last is not None:
            shares[pid] = max(last - first, 0.0) / elapsed
    return shares


# --- environment ---------------------------------------------------------------------------------


def read_environment(pid: int, proc: Path = PROC) -> dict[str, str] | None:
    """A process's environment. It holds secrets: compare it, never return it."""
    try:
        raw = (proc / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    environment = {}
    for part in raw.split(b"\0"):
        name, separator, value = part.decode("utf-8", "surrogateescape").partition("=")
        if separator:
            environment[name] = value
    return environment


def environment_digest(environment: Mapping[str, str], names: Iterable[str] | None = None) -> str:
    """One digest of the values; without names, of all but what changes with every start."""
    chosen = set(environment) - VOLATILE_NAMES if names is None else set(names)
    digest = hashlib.sha256()
    for name in sorted(chosen):
        value = environment.get(name)
        item = f"{name}\0" if value is None else f"{name}={value}\0"
        digest.update(item.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def environment_differences(pid: int, expected: Mapping[str, str], proc: Path = PROC) -> list[str] | None:
    """The names whose value in the process is not the expected one; None when it cannot be read."""
    actual = read_environment(pid, proc)
    if actual is None:
        return None
    return sorted(name for name, value in expected.items() if actual.get(name) != value)
