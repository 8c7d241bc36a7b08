# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands run as an account, whole or line by line, with a deadline."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from .accounts import SEARCH_PATH, Account, _identity, user_environment
from .errors import HostError


@dataclass(frozen=True)
class Completed:
    argv: tuple[str, ...]
    returncode: int
    stdout: str = ""
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    @property
    def complaint(self) -> str:
        """What the command said about its failure, in one line."""
        text = self.stderr.strip() or self.stdout.strip() or f"exit status {self.returncode}"
        return " ".join(text.split())


class Runner(Protocol):
    def __call__(
        self,
        argv: Sequence[str],
        *,
        account: Account | None = None,
        timeout: float = 60.0,
        input: str | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Completed: ...


def _child_environment(account: Account | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    if account is None:
        environment = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": "/"}
        environment["HOME"] = os.environ.get("HOME", "/")
    else:
        environment = user_environment(account)
    environment.update(extra or {})
    return environment


def run(
    argv: Sequence[str],
    *,
    account: Account | None = None,
    timeout: float = 60.0,
    input: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Completed:
    """Run a command in a clean environment, as the account where one is given."""
    try:
        done = subprocess.run(
            list(argv),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            env=_child_environment(account, environment),
            cwd=cwd or "/",
            check=False,
            # A session of its own has no terminal: what runs as another user cannot type into root's.
            start_new_session=True,
            **_identity(account),
        )
    except subprocess.TimeoutExpired:
        raise HostError(
            f"{argv[0]} did not finish within {timeout:g} s.",
            kind="timeout",
            remedy="See whether the host is overloaded, or allow more time.",
        ) from None
    except FileNotFoundError:
        raise HostError(
            f"The command {argv[0]} is not installed on this host.",
            kind="no_such_command",
            remedy=f"Install the package that brings {argv[0]}.",
        ) from None
    return Completed(tuple(argv), done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def stream(argv: Sequence[str], *, account: Account | None = None) -> Generator[Iterator[bytes]]:
    """Lines of a command's output, one at a time; the command ends with the block.

    A command that fails after its output raises HostError (kind "failed") with what it said.
    """
    try:
        child = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_child_environment(account, None),
            cwd="/",
            start_new_session=True,
            **_identity(account),
        )
    except FileNotFoundError:
        raise HostError(
            f"The command {argv[0]} is not installed on this host.",
            kind="no_such_command",
            remedy=f"Install the package that brings {argv[0]}.",
        ) from None
    output, complaints = child.stdout, child.stderr
    assert output is not None and complaints is not None  # noqa: S101 - both are pipes
    try:
        yield _lines_then_status(child, output, complaints)
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        output.close()
        complaints.close()


def _lines_then_status(
    child: subprocess.Popen[bytes], output: IO[bytes], complaints: IO[bytes]
) -> Iterator[bytes]:
    yield from output
    said = complaints.read(4096).decode("utf-8", "replace").strip()
    if child.wait() != 0:
        raise HostError(said or f"exit status {child.returncode}", kind="failed")
