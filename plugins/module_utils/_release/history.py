# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment as a whole: one at a time on a host, and a record of each.

Who deploys stands in a file of root's. It counts as long as somebody holds a lock on that file: a small
process on the host, started through the connection of the run (plugins/action/deployment.py), which ends with
the run, with the connection and with the host. So nothing has to be removed by a person, ever.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._application.root_state import STATE_DIRECTORY
from .._host import reading
from .._host.proc_files import PROC, stat_fields
from .._host.process_environment import read_environment
from .._plain_json import parse_json
from .._redaction import Redactor
from .._times.timestamps import timestamp
from . import past, records

DIRECTORY = STATE_DIRECTORY
# For so long a run counts that has not started its process on the host yet.
GRACE = 60.0
REASON = 500


def place(user: str) -> Path:
    """The file that says who deploys for this user."""
    return DIRECTORY / f"deployment-{user}.json"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def from_where(proc: Path = PROC) -> str:
    """The address that the SSH session of this process came from; sudo has taken the variable away."""
    pid = os.getpid()
    while pid > 1:
        environment, fields = read_environment(pid, proc), stat_fields(pid, proc)
        if environment is None or fields is None:
            return ""
        if connection := environment.get("SSH_CONNECTION"):
            return connection.split(" ")[0]
        pid = int(fields[1])
    return ""


@dataclass
class Run:
    """A deployment, a rollback or a rotation on this host."""

    identifier: str
    action: str
    by: str = ""
    address: str = ""
    source: str = ""
    revision: str = ""
    rotated: tuple[str, ...] = ()
    previous: str | None = None
    started: str = field(default_factory=records.now)

    def as_record(self) -> dict[str, Any]:
        return {
            "run": self.identifier,
            "action": self.action,
            "by": self.by,
            "from": self.address,
            "source": self.source,
            "revision": self.revision,
            "rotated": list(self.rotated),
            "previous": self.previous,
            "started": self.started,
        }


class Register:
    """Who deploys: the file, and whether what it says is still true."""

    def __init__(
        self,
        path: Path,
        boot: Callable[[], str] = _boot,
        uptime: Callable[[], float] = _uptime,
    ) -> None:
        self.path = path
        self._boot = boot
        self._uptime = uptime

    def look(self) -> dict[str, Any] | None:
        """The run that goes on; None when there is none."""
        if not self.path.exists():
            return None
        with self._opened() as descriptor:
            return self._living(descriptor)

    def begin(
        self, run: Run, left_over: Callable[[dict[str, Any]], None] = lambda answer: None
    ) -> dict[str, Any] | None:
        """Enter the run, or return the one in its way. One that ended without saying so is passed on."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone(), self._opened() as descriptor:
            living = self._living(descriptor)
            if living is not None:
                return living
            dead = self._read(descriptor)
            if dead is not None:
                left_over(dead)
            self._write(descriptor, {**run.as_record(), "boot": self._boot(), "uptime": self._uptime()})
        return None

    def entered(self, identifier: str) -> dict[str, Any] | None:
        """What a run entered, whether it still counts or not; None when another has taken its place."""
        if not self.path.exists():
            return None
        with self._opened() as descriptor:
            answer = self._read(descriptor)
        return answer if answer is not None and answer.get("run") == identifier else None

    def end(self, identifier: str) -> None:
        """Take the run out, if it is the one that is entered."""
        with self._alone(), self._opened() as descriptor:
            answer = self._read(descriptor)
            if answer is not None and answer.get("run") == identifier:
                self._write(descriptor, None)

    def _living(self, descriptor: int) -> dict[str, Any] | None:
        answer = self._read(descriptor)
        if answer is None:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return answer
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        # The process on the host adds a line of its own: from then on its lock is what counts.
        if os.pread(descriptor, 1 << 16, 0).count(b"\n") > 1 or answer.get("boot") != self._boot():
            return None
        return answer if self._uptime() - answer.get("uptime", 0.0) < GRACE else None

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Two that enter themselves at the same time do it one after the other."""
        descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _opened(self) -> Generator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @staticmethod
    def _read(descriptor: int) -> dict[str, Any] | None:
        try:
            answer = parse_json(os.pread(descriptor, 1 << 16, 0).partition(b"\n")[0])
        except ValueError:
            return None
        return answer if isinstance(answer, dict) else None

    @staticmethod
    def _write(descriptor: int, answer: Mapping[str, Any] | None) -> None:
        text = b"" if answer is None else json.dumps(answer).encode() + b"\n"
        # The lock is on this very file, so it is never replaced by another.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text, 0)
        os.fsync(descriptor)


def step(layout: Layout) -> str:
    """What the modules of a deployment are doing at this moment, if they say."""
    try:
        # Not waited for, should the user have put a pipe there.
        descriptor = os.open(layout.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return str(parse_json(reading.read_regular(layout.lock)).get("purpose", ""))
        finally:
            os.close(descriptor)
    except (OSError, ValueError, AttributeError):
        return ""
    return ""


def describe(answer: Mapping[str, Any], doing: str = "", now: float | None = None) -> str:
    """A run that goes on, in one sentence."""
    by, address = answer.get("by") or "somebody", answer.get("from")
    words = f"{answer.get('action', 'deploy')} by {by}{f' (from {address})' if address else ''}"
    source, revision = str(answer.get("source") or ""), str(answer.get("revision") or "")
    if answer.get("rotated"):
        words += f" of {', '.join(answer['rotated'])}"
    if source or revision:
        words += f" of {source}{f' at {revision}' if revision and source else revision}"
    if answer.get("previous"):
        words += f", while release {answer['previous']} serves"
    words += f", since {answer.get('started', 'an unknown time')}{_ago(answer.get('started'), now)}"
    return f"{words}; it is {doing}" if doing else words


def _ago(moment: Any, now: float | None) -> str:
    seconds = seconds_since(moment, now)
    if seconds is None:
        return ""
    return f" ({seconds:.0f} s ago)" if seconds < 120 else f" ({seconds / 60:.0f} min ago)"


def seconds_since(moment: Any, now: float | None = None) -> float | None:
    then = timestamp(moment) if isinstance(moment, str) else None
    if then is None:
        return None
    return max((time.time() if now is None else now) - then, 0.0)


# --- the history ---------------------------------------------------------------------------------


Releases = Mapping[str, Mapping[str, Any]]


def deployed_since(releases: Releases, started: str) -> tuple[str, Mapping[str, Any]] | None:
    """The release that was made or verified last since a time, if there is one."""
    found = [
        (name, answer)
        for name, answer in releases.items()
        if started <= max(str(answer.get("created", "")), str((answer.get("outcome") or {}).get("at", "")))
    ]
    return found[-1] if found else None


def entry(
    layout: Layout, answer: Mapping[str, Any], result: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """One line of the history, with what the releases below the root say of themselves."""
    current, releases = layout.current_release, records.complete_releases(layout)
    return compose(current, releases, answer, result, values)


def compose(
    current: str | None,
    releases: Releases,
    answer: Mapping[str, Any],
    result: str,
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """One line of the history. `answer` is the run as it was entered, `values` what its end says."""
    started = str(answer.get("started", ""))
    identifier = str(values.get("release") or "")
    if not identifier and result == "interrupted":
        # This is all that is known of it.
        touched = deployed_since(releases, started)
        identifier = touched[0] if touched else ""
    elif not identifier and result in ("deployed", "rolled_back", "restored", "rotated"):
        identifier = current or ""
    release = releases.get(identifier, {})
    if result == "deployed" and current == answer.get("previous"):
        tried_at = str((release.get("outcome") or {}).get("at", ""))
        result = "deployed" if tried_at >= started else "unchanged"
    text = Redactor().text
    line = {
        "time": records.now(),
        "action": answer.get("action", ""),
        "result": result,
        "release": identifier or None,
        "previous": answer.get("previous"),
        "current": current,
        "revision": release.get("revision") or answer.get("revision") or None,
        "source": (release.get("source") or {}).get("origin") or answer.get("source") or None,
        "by": answer.get("by", ""),
        "from": answer.get("from", ""),
        "started": started,
        "seconds": None if result == "interrupted" else round(seconds_since(started) or 0.0),
        "failed_task": values.get("failed_task") or None,
        "failed_checks": list(values.get("failed_checks") or []),
        "reason": text(" ".join(str(values.get("reason") or "").split()))[:REASON] or None,
        "schema": values.get("schema") or None,
        "rotated": list(answer.get("rotated") or []),
        "run": answer.get("run", ""),
    }
    return {name: value for name, value in line.items() if value not in (None, [], "")}


def record(layout: Layout, line: Mapping[str, Any], piece: int = past.PIECE) -> bool:
    """Append a line, unless the run has one already."""
    if any(
        old.get("run") == line.get("run") and old.get("started") == line.get("started")
        for old in past.history(layout, 5)
    ):
        return False
    files = past.pieces(layout)
    with contextlib.suppress(FileNotFoundError):
        if files[0].stat().st_size > piece:
            for newer, older in reversed(list(itertools.pairwise(files))):
                with contextlib.suppress(FileNotFoundError):
                    newer.replace(older)
    # A pipe is refused, not waited for.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(files[0], flags, 0o640)
    try:
        # In one write: a line is there completely or, on a full disk, is made up for by the next run.
        os.write(descriptor, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True
