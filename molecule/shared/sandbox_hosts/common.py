# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the other modules share: settings of a run, errors, commands, locks, small file helpers."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_CACHE = Path("/var/cache/openclaw-mission-control")
RUNTIME = Path("/run/mission-control-sandbox")
NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class SandboxError(Exception):
    """A failure the user can act on; its text is the whole message."""


class NoHostsError(SandboxError):
    """A run has no network: no host was made yet, or the last one has just gone."""


@dataclass(frozen=True)
class Run:
    """One set of hosts: a checkout's, or the one that SANDBOX_RUN names."""

    label: str  # as the user knows it
    state: Path  # everything of this run on disk
    cache: Path  # shared by all runs: base root file systems and download caches

    @property
    def ident(self) -> str:
        """Short, unique to the state directory, used in names of interfaces and control groups."""
        return hashlib.sha256(str(self.state).encode()).hexdigest()[:6]

    @property
    def owner(self) -> str:
        """Written on the bridge, so that nobody mistakes it for his own."""
        return "mission-control-sandbox:" + hashlib.sha256(str(self.state).encode()).hexdigest()[:32]

    @property
    def runtime(self) -> Path:
        """SSH control sockets: a short path, because socket paths are limited to 107 bytes."""
        return RUNTIME / self.ident

    @property
    def key(self) -> Path:
        return self.state / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.state / "known_hosts"

    @property
    def hosts(self) -> Path:
        return self.state / "hosts"

    @property
    def layers(self) -> Path:
        return self.state / "layers"

    @property
    def snapshots(self) -> Path:
        return self.state / "snapshots"

    def lock(self, name: str = "run") -> contextlib.AbstractContextManager[int]:
        return locked(self.state / "locks" / name)


def find_run(checkout: Path, environment: Mapping[str, str]) -> Run:
    """The run of this checkout, or the one named by SANDBOX_RUN."""
    checkout = checkout.resolve()
    label = environment.get("SANDBOX_RUN") or hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    check_name(label, "SANDBOX_RUN")
    state = Path(environment.get("SANDBOX_STATE") or checkout / ".cache" / "sandbox").resolve() / label
    cache = Path(environment.get("SANDBOX_CACHE") or DEFAULT_CACHE).resolve()
    return Run(label=label, state=state, cache=cache)


def patience() -> float:
    """By how much longer to wait than usual, as whoever calls has said (SANDBOX_PATIENCE)."""
    try:
        return max(1.0, float(os.environ.get("SANDBOX_PATIENCE") or 1))
    except ValueError as error:
        raise SandboxError("SANDBOX_PATIENCE is not a number; 3 waits three times as long.") from error


def check_name(name: str, what: str) -> str:
    if not NAME_PATTERN.fullmatch(name):
        raise SandboxError(
            f"{what} {name!r}: use lower-case letters, digits and inner hyphens, at most 40 characters."
        )
    return name


def say(text: str) -> None:
    """A line of progress; results go to standard output, this does not."""
    print(f"sandbox: {text}", file=sys.stderr, flush=True)


def command(
    arguments: Sequence[str | Path],
    *,
    check: bool = True,
    timeout: float | None = 600,
    stdin: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command quietly; a failure becomes one line with the command's last words."""
    words = [str(word) for word in arguments]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise SandboxError(f"The command {words[0]} is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"{' '.join(words)} did not end within {timeout:.0f} s.") from error
    if check and done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise SandboxError(f"{' '.join(words)} failed with status {done.returncode}: {last}")
    return done


@contextlib.contextmanager
def locked(path: Path, waiting: str = "") -> Iterator[int]:
    """Exclusive lock on a file, given back when this process ends whatever happens. Yields its descriptor.

    waiting: said when somebody else holds it.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue  # its directory was removed meanwhile
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting:
                    say(waiting)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not path.exists() or not os.path.samestat(os.fstat(descriptor), path.stat()):
                continue  # whoever held it removed it: the lock that counts is another file
            yield descriptor
            return
        finally:
            os.close(descriptor)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that it is either the old or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.chmod(mode)
    partial.rename(path)


def read_json(path: Path) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    write(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def remove_tree(path: Path) -> None:
    """Remove a directory tree, never across a mount point: what is mounted below is not ours to empty."""
    for mounted in mounts():
        if mounted == path or path in mounted.parents:
            raise SandboxError(f"{mounted} is still mounted; nothing below {path} was removed.")
    command(["rm", "-rf", "--one-file-system", "--", path])


def mounts(kind: str | None = None) -> list[Path]:
    """Mount points of this mount namespace (of one kind of file system), in the order they were mounted."""
    result = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        if kind in (None, rest.split()[0]):
            place = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields.split()[4])
            result.append(Path(place))
    return result
