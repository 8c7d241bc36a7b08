# SPDX-License-Identifier: GPL-3.0-or-later
"""restic: called so that no secret is an argument, and its failures in the operator's terms."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any

from .._host.accounts import SEARCH_PATH
from .._host.commands import not_installed
from .._host.deployment_errors import DeploymentError
from .._host.pipes import asked_for
from .._host.symptoms import Symptom, recognize
from .._plain_json import parse_json
from .._redaction import Redactor, secrets
from .configuration import Configuration, read_credentials

# Exit statuses of restic 0.17 and newer.
NO_REPOSITORY, LOCKED, WRONG_PASSWORD = 10, 11, 12
# Braces: repository.
SYMPTOMS: tuple[Symptom, ...] = (
    Symptom(
        pattern=re.compile(r"wrong password or no key found"),
        kind="wrong_password",
        cause="The password does not open the repository {repository}.",
        remedy="Give the password that it was made with in mission_control_backup_password (the vault), or "
        "name another repository. Without that password nobody can read it.",
    ),
    Symptom(
        pattern=re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE),
        kind="no_space",
        cause="There is no room left where the repository {repository} is.",
        remedy="Make room there, or keep fewer restore points (mission_control_backup_keep).",
    ),
    Symptom(
        pattern=re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
        kind="unknown_host_key",
        cause="The key of the SFTP server of {repository} is not known to this host.",
        remedy="Put its line (ssh-keyscan NAME, compared with what the server's owner says) into "
        "mission_control_backup_known_hosts.",
    ),
    Symptom(
        pattern=re.compile(r"Permission denied \(|subsystem request failed", re.IGNORECASE),
        kind="no_login",
        cause="The SFTP server of {repository} refuses the login.",
        remedy="Give a key that it accepts in mission_control_backup_ssh_key.",
    ),
    # What ssh itself says is lost where restic ends before it has read it.
    Symptom(
        pattern=re.compile(r"server unexpectedly closed connection|unable to start the sftp session"),
        kind="no_login",
        cause="The SFTP server of {repository} ends the connection before a session begins: it refuses the "
        "login, or takes no more connections.",
        remedy="Give a key that it accepts in mission_control_backup_ssh_key. Its own log (journalctl -u "
        "ssh, there) tells whether it keeps this host away for a while (PerSourcePenalties) or lets in only "
        "so many at once (MaxStartups).",
    ),
    Symptom(
        pattern=re.compile(r"HTTP response \(40[13]\)|server response unexpected: 40[13]"),
        kind="no_login",
        cause="The REST server of {repository} refuses the login, or there is none.",
        remedy="Give RESTIC_REST_USERNAME and RESTIC_REST_PASSWORD in mission_control_backup_credentials.",
    ),
    Symptom(
        pattern=re.compile(
            r"Access Key|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Access Denied|"
            r"no credentials|anonymous",
            re.IGNORECASE,
        ),
        kind="no_credentials",
        cause="The server of {repository} refuses the keys, or there are none.",
        remedy="Give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in mission_control_backup_credentials.",
    ),
    Symptom(
        pattern=re.compile(r"unsupported repository version|config version"),
        kind="newer_format",
        cause="The repository {repository} has a format that this restic does not know.",
        remedy="Use a newer restic on this host, or another repository.",
    ),
    Symptom(
        pattern=re.compile(r"already locked|unable to create lock", re.IGNORECASE),
        kind="repository_locked",
        cause="Another run holds a lock in the repository {repository}.",
        remedy="Wait for it. A lock of a run that has died on this host is removed by the next one; that of "
        "another host by restic unlock, there.",
    ),
    # A connection that is cut is no damage.
    Symptom(
        pattern=re.compile(r"(Get|Head|Post|Put|Delete) \"[^\"]*\": (unexpected )?EOF|(read|write) tcp "),
        kind="unreachable",
        cause="The server of {repository} ends the connection.",
        remedy="See that it runs, and what its own log says.",
    ),
    Symptom(
        pattern=re.compile(
            r"ciphertext verification failed|invalid data returned|does not match|unexpected EOF|"
            r"repository contains errors|not found in index|is not present in the index|"
            r"no decoder|hash mismatch|blob .* not found",
            re.IGNORECASE,
        ),
        kind="damaged",
        cause="The repository {repository} is damaged.",
        remedy="See what is left of it: restic check --read-data. Begin a new repository, then repair this "
        "one (restic repair).",
    ),
    Symptom(
        pattern=re.compile(r"Is there a repository at|repository does not exist|unable to open config file"),
        kind="no_repository",
        cause="There is no repository at {repository}.",
        remedy="Correct mission_control_backup_repository, or mount what should be there.",
    ),
    Symptom(
        pattern=re.compile(
            r"dial tcp|no such host|connection refused|i/o timeout|Could not resolve|"
            r"Connection (reset|closed)|No route to host|permission denied|no such file",
            re.IGNORECASE,
        ),
        kind="unreachable",
        cause="The repository {repository} cannot be reached.",
        remedy="See that the place exists and that this host may reach and write it.",
    ),
)
_OTHERWISE = Symptom(
    pattern=re.compile(""),
    kind="restic_failed",
    cause="restic failed with {repository} for a reason that this collection does not know.",
    remedy="Look at what it said, in the evidence.",
)


class ResticError(DeploymentError):
    """What restic could not do."""


class Restic:
    """One repository. `environment` is that of the programs; its secrets are in no message."""

    def __init__(self, configuration: Configuration, *, program: str = "restic") -> None:
        self.configuration = configuration
        credentials = read_credentials(configuration)
        self._program = program
        self._redactor = Redactor([*secrets(credentials), *(v for n, v in credentials.items() if "KEY" in n)])
        self.environment = {
            "PATH": SEARCH_PATH,
            "HOME": "/root",
            "LANG": "C.UTF-8",
            # The times of restore points are given in it.
            "TZ": "UTC",
            "RESTIC_REPOSITORY": configuration.repository,
            "RESTIC_PASSWORD_FILE": str(configuration.password_file),
            "RESTIC_CACHE_DIR": str(configuration.directory / "cache"),
            "RESTIC_PROGRESS_FPS": "0.01",
            **credentials,
        }
        self._options = _ssh_options(configuration)

    def _argv(self, words: Sequence[str]) -> list[str]:
        return [self._program, *self._options, "--retry-lock=5m", *words]

    @property
    def shown(self) -> str:
        """The repository's address without a secret."""
        return self._redactor.text(re.sub(r"://[^/@]*@", "://", self.configuration.repository))

    def failure(self, what: str, status: int, output: str) -> ResticError:
        words = {"repository": self.shown}
        text = self._redactor.text(output)
        known = {
            WRONG_PASSWORD: "wrong password or no key found",
            NO_REPOSITORY: "repository does not exist",
            LOCKED: "already locked",
        }.get(status, "")
        found = recognize(f"{known}\n{text}", SYMPTOMS, words) or _OTHERWISE._replace(
            cause=_OTHERWISE.cause.format(**words)
        )
        lines = [line for line in text.splitlines() if line.strip()][-10:]
        return ResticError(
            f"{what} failed: {found.cause}",
            kind=found.kind,
            remedy=found.remedy,
            details={"output": lines, "rc": status},
        )

    def run(self, *words: str, what: str, timeout: float = 3600.0) -> str:
        """Call restic; returns its standard output."""
        try:
            done = subprocess.run(
                self._argv(words),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=timeout,
                env=self.environment,
                cwd="/",
                check=False,
            )
        except FileNotFoundError:
            raise not_installed(self._program) from None
        except subprocess.TimeoutExpired as error:
            # It tries again and again, and says each time why.
            text = bytes(error.stderr or b"").decode("utf-8", "replace")
            if recognize(text, SYMPTOMS, {"repository": self.shown}):
                raise self.failure(what, -signal.SIGKILL, text) from None
            raise ResticError(
                f"{what} did not end within {timeout:g} s ({self.shown}).",
                kind="unreachable",
                remedy="See whether the repository answers. A bucket of S3 has to be there.",
            ) from None
        if done.returncode != 0:
            raise self.failure(what, done.returncode, done.stderr + done.stdout[-4000:])
        return done.stdout

    def save(
        self, file_name: str, tags: Sequence[str], moment: str, write: Callable[[int], Any]
    ) -> tuple[Mapping[str, Any], Any]:
        """A snapshot of what `write` writes to a descriptor; returns restic's summary, and what it returns.

        restic sees the end of the stream only after `write` has succeeded: what failed leaves no snapshot.
        """
        configuration = self.configuration
        words = ["backup", "--json", "--quiet", "--stdin", f"--stdin-filename={file_name}"]
        words += [f"--host={configuration.host}", f"--time={moment}", *(f"--tag={tag}" for tag in tags)]
        reader, writer = os.pipe()
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    self._argv(words),
                    stdin=reader,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    cwd="/",
                )
            except FileNotFoundError:
                os.close(writer)
                raise not_installed(self._program) from None
            finally:
                os.close(reader)
            try:
                answer = write(writer)
            except BaseException:
                dead = _ended(process, 0.5)
                _end(process)
                os.close(writer)
                if dead:
                    # The stream broke because restic had ended.
                    raise self._failed_backup(process.returncode, output) from None
                raise
            os.close(writer)
            status = process.wait()
            if status != 0:
                raise self._failed_backup(status, output)
            return _summary(_text(output)), answer

    def _failed_backup(self, status: int, output: IO[bytes]) -> ResticError:
        return self.failure("Writing into the repository", status, _text(output))

    @contextlib.contextmanager
    def stream(self, snapshot: str, file_name: str) -> Iterator[IO[bytes]]:
        """What was saved, as a stream. Leaving it fails where restic did, whatever has been read."""
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(
                self._argv(["dump", snapshot, f"/{file_name}"]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=self.environment,
                cwd="/",
            )
            told = asked_for(process.stdout)
            try:
                yield told
            except BaseException:
                # A reader that found an end too early says less than restic does.
                if _ended(process, 0.5) and process.returncode > 0:
                    text = _text(complaints)
                    raise self.failure("Reading the repository", process.returncode, text) from None
                raise
            finally:
                told.close()
                if not _ended(process, 5.0):
                    _end(process)
            if process.returncode != 0:
                raise self.failure("Reading the repository", process.returncode, _text(complaints))

    def read_text(self, snapshot: str, file_name: str) -> str:
        return self.run("dump", snapshot, f"/{file_name}", what="Reading the repository")


def _ssh_options(configuration: Configuration) -> list[str]:
    """Root's own known hosts are not asked: which server is trusted is said by the inventory."""
    if not configuration.repository.startswith("sftp:"):
        return []
    words = "-o BatchMode=yes -o StrictHostKeyChecking=yes"
    for name, option in (("ssh_key", "IdentityFile"), ("known_hosts", "UserKnownHostsFile")):
        path = configuration.directory / name
        if path.exists():
            words += f" -o {option}={path}"
    return ["-o", f"sftp.args={words}"]


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(1 << 20).decode("utf-8", "replace")


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End restic so that it takes its lock away; if it does not, at once."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        if not _ended(process, 10.0):
            process.kill()
            process.wait()


def _summary(output: str) -> Mapping[str, Any]:
    for line in reversed(output.split("\n")):
        with contextlib.suppress(ValueError):
            found = parse_json(line)
            if isinstance(found, Mapping) and found.get("snapshot_id"):
                return found
    raise ResticError(
        "restic did not say what it has saved.",
        kind="restic_failed",
        remedy="See that its version is 0.17 or newer: restic version",
    )


def whole_seconds(text: str) -> str:
    """A time of restic's, which has nine digits after the point, without them."""
    head, dot, tail = text.partition(".")
    return text if not dot else head + tail.lstrip("0123456789")
