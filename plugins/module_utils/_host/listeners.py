# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens where, as /proc says."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from .net_sockets import LISTEN, sockets
from .proc_files import PROC, all_pids, real_owner_of, started, stat_fields, status_of, unit_of_process
from .root_questions import answered_by_root

# What is looked at of one user's processes: another's many leave those of the others their share.
DESCRIPTORS = 1 << 17
SECONDS = 5.0
# Descriptors of each process that are looked at first: who listens does so before it takes connections.
_FIRST = 64


@dataclass(frozen=True)
class Listener:
    protocol: str
    address: str
    port: int
    uid: int
    pid: int | None
    pids: tuple[int, ...]
    command: str
    unit: str | None
    # Nothing is known of processes that hold it: there was too much to look at.
    unknown: bool = False
    # Of the process that is named first: its state, and when it began; empty where none can be seen.
    state: str = ""
    started: float = 0.0


class _Walk:
    """Goes through the descriptors of one user's processes, who may have made any number of both."""

    def __init__(self, pids: Collection[int], proc: Path, clock: Callable[[], float]) -> None:
        self._pids, self._proc, self._clock = pids, proc, clock
        self._left, self._until = DESCRIPTORS, clock() + SECONDS
        self.ended_early = False

    def __call__(self) -> Iterator[tuple[int, str]]:
        """Process and what its descriptor leads to: the first ones of all processes, then the others."""
        long = []
        for pid in self._pids:
            seen = 0
            for link in self._links(pid, 0, _FIRST):
                seen += 1
                yield pid, link
            if seen == _FIRST:
                long.append(pid)
        for pid in long:
            for link in self._links(pid, _FIRST, None):
                yield pid, link

    def _links(self, pid: int, first: int, last: int | None) -> Iterator[str]:
        try:
            with os.scandir(self._proc / str(pid) / "fd") as entries:
                for entry in islice(entries, first, last):
                    if self._is_over():
                        return
                    yield _link(entry.path)
        except OSError:
            return

    def _is_over(self) -> bool:
        self._left -= 1
        self.ended_early = self.ended_early or self._left < 0 or self._clock() > self._until
        return self.ended_early


def _link(path: str) -> str:
    try:
        # A Path for each would take longer than the kernel does.
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return ""


def _socket_owners(
    wanted: Mapping[str, int], proc: Path, clock: Callable[[], float]
) -> tuple[dict[str, list[int]], set[int]]:
    """The processes that hold sockets (by inode: whose each is), and the users who have too many.

    They are looked for where they can be: with the users whose sockets these are, and with root.
    """
    whose: dict[int, list[int]] = defaultdict(list)
    users = {0, *wanted.values()}
    for pid in all_pids(proc):
        uid = real_owner_of(pid, proc)
        if uid in users:
            whose[uid].append(pid)
    owners: dict[str, dict[int, None]] = defaultdict(dict)
    too_many = set()
    for uid, pids in whose.items():
        walk = _Walk(pids, proc, clock)
        for pid, link in walk():
            inode = link[8:-1] if link.startswith("socket:[") else ""
            if inode in wanted:
                owners[inode][pid] = None
        if walk.ended_early:
            too_many.add(uid)
    return {inode: list(pids) for inode, pids in owners.items()}, too_many


def _process(pid: int, proc: Path) -> tuple[str, float, str | None]:
    """Its state, since when it runs, and its unit."""
    fields = stat_fields(pid, proc)
    began = started(fields, proc) if fields else 0.0
    return fields[0] if fields else "", began, unit_of_process(pid, proc)


@answered_by_root
def listeners(
    proc: Path = PROC, ports: Collection[int] | None = None, clock: Callable[[], float] = time.monotonic
) -> list[Listener]:
    """The listening TCP sockets with their owners (of every user for root, else one's own).

    Who holds one is `unknown` where the users who could have more open than is looked at.
    A socket of a socket unit is held by the manager and by its service: the service is named first.
    """
    listening = [
        entry for entry in sockets(proc) if entry.state == LISTEN and (not ports or entry.port in ports)
    ]
    owners, too_many = _socket_owners({entry.inode: entry.uid for entry in listening}, proc, clock)
    # Each process is looked at once, however many ports it has.
    name = cache(lambda pid: status_of(pid, proc).get("Name", ""))
    first_of = cache(lambda pid: _process(pid, proc))
    found = []
    for entry in listening:
        pids = sorted(owners.get(entry.inode, []), key=lambda pid: (name(pid) == "systemd", pid))
        first = pids[0] if pids else None
        state, began, unit = first_of(first) if first is not None else ("", 0.0, None)
        found.append(
            Listener(
                protocol=entry.protocol,
                address=entry.address,
                port=entry.port,
                uid=entry.uid,
                pid=first,
                pids=tuple(pids),
                command=name(first) if first is not None else "",
                unit=unit,
                unknown=first is None and not too_many.isdisjoint({0, entry.uid}),
                state=state,
                started=began,
            )
        )
    return sorted(found, key=lambda entry: (entry.port, entry.protocol, entry.address))
