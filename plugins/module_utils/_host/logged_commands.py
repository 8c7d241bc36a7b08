# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long work for the application's user: a child process with its privileges, commands with a log, a lock.

The modules start as root. Whatever touches files below the application's root happens in a child process
that has become the application's user for good, so that nothing there (a link, say) can lead root astray.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .._durations import utc_stamp
from .._redaction import Redactor
from .accounts import Account, user_environment
from .errors import MAKE_ROOM, CancelledError, DeploymentError

TAIL_LINES = 30
_DISK_FULL = re.compile(r"No space left on device|\bENOSPC\b|os error 28\b")
_NO_NETWORK = re.compile(
    r"(?i)failed to lookup address|could not resolve|name resolution|Name or service not known"
    r"|network is unreachable|failed to connect to|no route to host"
    r"|connection (?:refused|timed out|reset)|operation timed out|error sending request"
    r"|\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b"
)
# As uv, npm, pip, Git and Python say it.
_NO_TRUST = re.compile(
    r"(?i)invalid peer certificate|UnknownIssuer|self[-_ ]signed[-_ ]cert|SSL certificate problem"
    r"|certificate verif(?:y|ication) failed|CERTIFICATE_VERIFY_FAILED"
    r"|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)"
    r"|unable to (?:get (?:local )?issuer certificate|verify the first certificate)"
)
# uv tells an error from the outside to the inside: the last of these lines is the reason.
_CAUSE = re.compile(r"(?i)^\s*(?:caused by|cause): *")
TRUST = (
    "Set SSL_CERT_FILE and NODE_EXTRA_CA_CERTS (for Git, GIT_SSL_CAINFO) in"
    " mission_control_download_environment to a file on this host that holds the certificate of the"
    " authority which signed that server's."
)
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
    ) -> str:
        """Run a command, return its output; a failure becomes a message with the end of the output."""
        words = [str(word) for word in argv]
        self.note(f"{what}: {self._redactor.text(shown or ' '.join(words))}")
        tail: deque[str] = deque(maxlen=TAIL_LINES)
        output: list[str] = []
        with self._guard:
            if self._cancelled:
                raise CancelledError(f"{what}: not started, because another step failed.")
            try:
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
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
                raise DeploymentError(
                    f"{what}: cannot run {words[0]}: {error.strerror}.", kind="no_such_command", remedy=remedy
                ) from None
            self._running.add(process)
        if self._cancelled:
            self._kill(process)
        started = time.monotonic()
        timer = threading.Timer(timeout, self._kill, [process])
        timer.daemon = True
        timer.start()
        try:
            # Leaving the process closes its pipe and waits for its end.
            with process, self._opened_log() as log:
                for line in process.stdout or ():
                    shown = self._redactor.text(line.rstrip("\n"))
                    log.write(shown + "\n")
                    tail.append(shown)
                    output.append(line)
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
            if status == -signal.SIGKILL and not remedy:
                remedy = "The kernel kills processes when memory runs out: give the host more memory or swap."
        else:
            reason = f"ended with status {status}"
        obstacle, cure = _obstacle(tail)
        raise DeploymentError(
            f"{what} failed: {words[0].rsplit('/', 1)[-1]} {reason}. {obstacle}".rstrip(),
            kind="command_failed",
            remedy=cure
            or remedy
            or ("" if self.log == NO_LOG else f"The whole output is in {self.log} on the host."),
            details={"output": list(tail), "log": str(self.log), "rc": status},
        )

    @staticmethod
    def _kill(process: subprocess.Popen[str]) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def cancel(self) -> None:
        """End every running command and start none any more. No lock: a signal handler calls it too."""
        self._cancelled = True
        for process in tuple(self._running):
            self._kill(process)

    def side_by_side(self, *jobs: Callable[[], Any]) -> list[Any]:
        """Run jobs in threads of their own; the first failure ends the others and is the one raised."""
        results: list[Any] = [None] * len(jobs)
        errors: list[BaseException] = []

        def work(index: int, job: Callable[[], Any]) -> None:
            try:
                results[index] = job()
            except BaseException as error:  # also what is no Exception must reach the caller
                errors.append(error)
                self.cancel()

        threads = [threading.Thread(target=work, args=pair, daemon=True) for pair in enumerate(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in errors:
            if not isinstance(error, CancelledError):
                raise error
        if errors:
            raise errors[0]
        return results


def _obstacle(output: Iterable[str]) -> tuple[str, str]:
    """What stood in a command's way, by its own words, and a cure where it is always the same."""
    lines = list(output)
    if any(_DISK_FULL.search(line) for line in lines):
        return "The disk is full.", MAKE_ROOM
    found = [at for at, line in enumerate(lines) if _NO_NETWORK.search(line) or distrusts(line)]
    if found:
        last = found[-1]
        while last + 1 < len(lines) and _CAUSE.match(lines[last + 1]):
            last += 1
        said = _CAUSE.sub("", lines[last]).strip().rstrip(".")
        if distrusts(said):
            return f"This host does not trust the server that it has to download from: {said}.", TRUST
        return f"This host does not reach what it has to download: {said}.", ""
    # Git's own word for what ended it; more of them follow from the first.
    said = next((line.strip().rstrip(".") for line in lines if line.startswith("fatal: ")), "")
    return f"{said}." if said else "", ""


def distrusts(said: str) -> bool:
    """Whether a certificate was refused because nobody here knows who signed it."""
    return _NO_TRUST.search(said) is not None


def application_environment(account: Account, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of builds: clean, and of the operator's only what he named."""
    own = {
        **user_environment(account),
        # In /tmp other users could be there first: uv, npm and Node make files of known names.
        "TMPDIR": f"{account.home}/.cache/mission-control/tmp",
    }
    return {**own, **{name: str(value) for name, value in (extra or {}).items()}}
