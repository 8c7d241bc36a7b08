# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group for what runs as a user while root waits for it: what is left of it ends with it.

Programs of the user's may start others that leave the session. They would stay where root called them, beyond
the limits of the user's slice and out of reach of whoever stops it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Generator
from pathlib import Path

# Seconds for which what was ended is waited for.
_PATIENCE = 2.0
# Where the unified hierarchy is; the second one beside the old hierarchies.
_PLACES = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
_numbers = itertools.count(1)


class Enclosure:
    """One group, below that of this process."""

    def __init__(self, path: str) -> None:
        self._path = path

    def enter(self) -> None:
        """In the child, as root still: what it starts from now on stays in. Only root can prevent it."""
        with contextlib.suppress(OSError):
            self._write("cgroup.procs", b"0")

    def end(self) -> None:
        """End whatever is in it, and remove it."""
        # A kernel before 5.14 has no such file.
        with contextlib.suppress(OSError):
            self._write("cgroup.kill", b"1")
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                Path(self._path).rmdir()
            except FileNotFoundError:
                return
            except OSError:
                # What hangs in the kernel ends when it comes back from there.
                if time.monotonic() > until:
                    return
                time.sleep(0.002)
            else:
                return

    def _write(self, name: str, data: bytes) -> None:
        # Nothing is made: without the file there is no control group.
        descriptor = os.open(f"{self._path}/{name}", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def enclosure() -> Generator[Enclosure | None]:
    """A group of its own for a child; None where this host has no place for one."""
    made = _make()
    try:
        yield made
    finally:
        if made is not None:
            made.end()


def _make() -> Enclosure | None:
    for place in _PLACES:
        # The directory of the old hierarchies has none.
        if not Path(place, "cgroup.procs").exists():
            continue
        try:
            path = f"{place}{_own()}/mission-control-{os.getpid()}-{next(_numbers)}"
            Path(path).mkdir(0o755)
        except OSError:
            # Read only, as within a container or a unit, or the group of another namespace.
            return None
        return Enclosure(path)
    return None


def _own() -> str:
    """The path of this process's group in the unified hierarchy."""
    descriptor = os.open("/proc/self/cgroup", os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        for line in file.read().split(b"\n"):
            if line.startswith(b"0::"):
                return os.fsdecode(line[3:]).rstrip("/")
    raise FileNotFoundError("0::")
