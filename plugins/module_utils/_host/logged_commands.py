# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work for the application's user: commands with a log. What builds have besides is in builds.

The modules start as root. Whatever touches files below the application's root happens in a child process
that has become the application's user for good, so that nothing there (a link, say) can lead root astray.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

from .._redaction import Redactor
from .._times.record_stamps import utc_stamp
from . import process_groups
from .deployment_errors import CancelledError, DeploymentError
from .obstacles import EXECUTABLE, Reason, explain, explain_signal, mounted_noexec, not_executable
from .pipes import asked_for, pieces

TAIL_LINES = 30
# So much of an output is looked at for the reason of a failure.
MOST_LINES = 2000
# Letters of a line that are looked at for it, and of all that a command may say, which is its user's.
MOST_LETTERS = 10_000
MOST_SAID = 128 << 20
NO_LOG = Path("/dev/null")


class Commands:
    """Runs commands one after another, from any thread, with all their output in one log file."""

    def __init__(
        self,
        log: Path,
        environment: Mapping[str, str],
        *,
        redactor: Redactor | None = None,
        keep_open: Sequence[int] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        self.log = log
        self.environment = dict(environment)
        self._redactor = redactor or Redactor()
        self._keep_open = tuple(keep_open)
        self._now = now
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._cancelled = False

    def explain(self, output: Iterable[str]) -> Reason:
        """The reason of a failure, from the whole output: what any program may say of the system."""
        return explain(output)

    def note(self, text: str) -> None:
        """A line of our own in the log."""
        at = utc_stamp(self._now())
        self._write(f"# {at} {text}\n")

    def _write(self, text: str) -> None:
        with self._opened_log() as log:
            log.write(text)

    def _opened_log(self) -> IO[str]:
        """The log, which outlives this process: a later run finds what an interrupted one did."""
        self.log.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        return os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)

    def _own_environment(self) -> dict[str, str]:
        """With a directory for temporary files that is there; without one where it cannot be made."""
        own = dict(self.environment)
        if place := own.get("TMPDIR"):
            try:
                Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError:
                del own["TMPDIR"]
        return own

    def __call__(
        self,
        argv: Sequence[str | Path],
        *,
        what: str,
        shown: str = "",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        timeout: float = 1800.0,
        remedy: str = "",
        stdin: int = subprocess.DEVNULL,
    ) -> str:
        """Run a command, return its output; a failure becomes a message with the end of the output."""
        words = [str(word) for word in argv]
        self.note(f"{what}: {self._redactor.text(shown or ' '.join(words))}")
        seen: deque[str] = deque(maxlen=MOST_LINES)
        output: list[str] = []
        with self._guard:
            if self._cancelled:
                raise CancelledError(f"{what}: not started, because another step failed.")
            try:
                process = subprocess.Popen(
                    words,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    cwd=cwd or "/",
                    env={**self._own_environment(), **(environment or {})},
                    process_group=0,
                    # The lock stays held until the last descendant of a killed run has ended.
                    pass_fds=self._keep_open,
                )
            except OSError as error:
                raise _not_started(what, words[0], error, remedy) from None
            self._running.add(process)
        if self._cancelled:
            process_groups.kill(process)
        started = time.monotonic()
        timer = threading.Timer(timeout, process_groups.kill, [process])
        timer.daemon = True
        timer.start()
        try:
            # Leaving the process closes its pipe and waits for its end.
            with process, self._opened_log() as log:
                if self._hear(asked_for(process.stdout), log, seen, output) > MOST_SAID:
                    process_groups.kill(process)
                    raise _too_much(what, words[0])
            status = process.returncode
        finally:
            timer.cancel()
            with self._guard:
                self._running.discard(process)
        if status == 0:
            return "".join(output)
        if self._cancelled:
            raise CancelledError(f"{what}: ended, because another step failed.")
        if time.monotonic() - started >= timeout:
            reason = f"did not end within {timeout:g} s"
        elif status < 0:
            reason = f"was killed by {signal.Signals(-status).name}"
            remedy = explain_signal(-status) or remedy
        else:
            reason = f"ended with status {status}"
        found = self.explain(seen)
        raise DeploymentError(
            f"{what} failed: {words[0].rsplit('/', 1)[-1]} {reason}. {found.sentence}".rstrip(),
            kind="command_failed",
            remedy=found.cure
            or remedy
            or found.otherwise
            or ("" if self.log == NO_LOG else f"The whole output is in {self.log} on the host."),
            details={"output": _telling(list(seen), found), "log": str(self.log), "rc": status},
        )

    def _hear(self, stream: IO[str], log: IO[str], seen: deque[str], output: list[str]) -> int:
        """What a command says, to its end or until it is too much; returns how much it was."""
        said = 0
        for line in pieces(stream):
            shown = self._redactor.text(line.rstrip("\n"))
            log.write(shown + "\n")
            seen.append(shown[:MOST_LETTERS])
            output.append(line)
            said += len(line)
            if said > MOST_SAID:
                break
        return said

    def cancel(self) -> None:
        """End every running command and start none any more. No lock: a signal handler calls it too."""
        self._cancelled = True
        for process in tuple(self._running):
            process_groups.kill(process)


def _too_much(what: str, program: str) -> DeploymentError:
    return DeploymentError(
        f"{what}: {program.rsplit('/', 1)[-1]} said more than {MOST_SAID >> 20} MB, and was ended.",
        kind="too_much_output",
        remedy="See who can change that program, or what it reads.",
    )


def _not_started(what: str, program: str, error: OSError, remedy: str) -> DeploymentError:
    if error.errno == errno.EACCES and mounted_noexec(program):
        return DeploymentError(f"{what}: {not_executable(program)}", kind="noexec", remedy=EXECUTABLE)
    return DeploymentError(
        f"{what}: cannot run {program}: {error.strerror}.", kind="no_such_command", remedy=remedy
    )


def _telling(lines: list[str], reason: Reason) -> list[str]:
    """The lines to show: the last ones, or those from the reason on where that lies before them."""
    at = reason.line
    if at is None or at >= len(lines) - TAIL_LINES:
        return lines[-TAIL_LINES:]
    return lines[max(0, at - 4) :][:TAIL_LINES]
