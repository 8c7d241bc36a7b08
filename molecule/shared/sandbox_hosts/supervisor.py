# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps one host's container: starts it again after a reboot, ends it in order when told to.

It runs in a session of its own and outlives the command that started it. While it lives it holds a lock on
its file, which is how everybody else knows that the host runs; the file's content is its process id.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from .common import SandboxError, mounts

REBOOT_STATUS = 133  # of systemd-nspawn, when the system inside rebooted
PR_SET_PDEATHSIG = 1
# Seconds in which a process has to begin or to end, on a machine with much else to do.
DEADLINE = 60.0


def start(cli: Path, name: str, lock: Path, console: Path, environment: dict[str, str]) -> None:
    """Start the supervisor of a host and return once it holds its lock."""
    with console.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(cli), "_supervise", name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={**os.environ, **environment},
        )
    deadline = time.monotonic() + DEADLINE
    while running(lock) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SandboxError(f"The supervisor of host {name} did not start; see {console}.")
        time.sleep(0.02)


def running(lock: Path) -> int | None:
    """Process id of the supervisor that holds this lock, None where there is none."""
    try:
        with lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None


def supervise(arguments: list[str], lock: Path, group: Path) -> int:
    """Run the container until it ends by itself (not by a reboot) or this process gets SIGTERM."""
    file = lock.open("a+")
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if running(lock) is not None:
                return 0  # another supervisor is faster
            time.sleep(0.01)  # who only looks whether one runs has the lock for a moment, too
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()

    ending = False
    container: subprocess.Popen[bytes] | None = None

    def end(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        ending = True
        if container is not None:
            container.terminate()  # nspawn passes it on as a request to power off

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    status = 0
    while not ending:
        prepare_group(group)
        container = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, preexec_fn=lambda: enter(group))
        if ending:
            container.terminate()
        status = container.wait()
        print(f"sandbox: the container ended with status {status}", flush=True)
        if status != REBOOT_STATUS:
            break
    remove_group(group)
    return status


def enter(group: Path) -> None:
    """In the child: join the host's own control group, and end with the supervisor."""
    (group / "cgroup.procs").write_text("0")
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def prepare_group(group: Path) -> None:
    """Each host has its own control group: without it all would share one and see each other's services."""
    kill_group(group)
    group.mkdir(exist_ok=True)


def populated(group: Path) -> bool:
    try:
        return "populated 1" in (group / "cgroup.events").read_text()
    except FileNotFoundError:
        return False


def kill_group(group: Path) -> None:
    """End every process of the host and remove its control group."""
    deadline = time.monotonic() + DEADLINE
    while populated(group):
        if time.monotonic() > deadline:
            raise SandboxError(f"Processes in control group {group} do not end.")
        with contextlib.suppress(OSError):
            (group / "cgroup.kill").write_text("1")
        time.sleep(0.02)
    remove_group(group)


def remove_group(group: Path) -> None:
    """Remove the emptied control group, also in version 1 hierarchies, where nspawn makes one like it."""
    for place in (group, *(hierarchy / group.name for hierarchy in mounts("cgroup"))):
        if place.is_dir():
            for directory, _names, _files in os.walk(place, topdown=False):
                with contextlib.suppress(OSError):
                    Path(directory).rmdir()
