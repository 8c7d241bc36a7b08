"""Ends, on a deployment's host, its SSH connections or its running module: cut.py connection|module.

It spares the connection that it came by, and waits for a module where none runs at the moment: a connection
that is lost between two tasks is made again by the next one, and nothing was interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

Processes = dict[int, tuple[int, str]]


def processes() -> Processes:
    """Parent and name of each process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        name = text[text.index("(") + 1 : text.rindex(")")]
        found[int(entry.name)] = (int(text.rpartition(")")[2].split()[1]), name)
    return found


def line(found: Processes, pid: int) -> Iterator[int]:
    """A process and what it descends from."""
    while pid in found:
        yield pid
        pid = found[pid][0]


def doomed(kind: str) -> set[int]:
    found = processes()
    mine = set(line(found, os.getpid()))
    sessions = {pid for pid, (_, name) in found.items() if name == "sshd-session" and pid not in mine}
    modules = {
        pid
        for pid, (parent, name) in found.items()
        if name.startswith("python3")
        and found.get(parent, (0, ""))[1] != name
        and sessions & set(line(found, pid))
    }
    return sessions if kind == "connection" and modules else modules


def main() -> None:
    deadline = time.monotonic() + 20
    while not (pids := doomed(sys.argv[1])):
        if time.monotonic() > deadline:
            sys.exit(f"There is no {sys.argv[1]} of a deployment to end.")
        time.sleep(0.02)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


main()
