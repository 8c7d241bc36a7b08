# SPDX-License-Identifier: GPL-3.0-or-later
"""A Git repository as the source of a release: logins, revisions, and why it cannot be reached."""

from __future__ import annotations

import re
import tarfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from .. import _redaction
from .._host import files, trees
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import Commands
from .._redaction import MASK

SHORT = 12
REACH_REMEDY = "Check mission_control_source and mission_control_download_environment if a proxy is needed."
LOGIN_REMEDY = (
    "Put a user and a password or token into mission_control_source, as https://user:token@host/path, and"
    " keep that in the vault."
)
PIN_REMEDY = "Name a branch, a tag or a full commit hash of that repository in mission_control_revision."


def without_password(url: str) -> str:
    """The URL as it may be shown; a token in the place of the user goes, too."""
    parts = urllib.parse.urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url
    user, colon, _password = login.partition(":")
    shown = f"{MASK if _redaction.user_token(url) else user}{f':{MASK}' if colon else ''}"
    return parts._replace(netloc=f"{shown}@{host}").geturl()


@dataclass(frozen=True)
class Login:
    """What a server asks for; kept out of URLs, because these end up in command lines."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def split_login(url: str) -> tuple[str, Login | None]:
    """The URL without its login. A user without a password stays: ssh needs him."""
    parts = urllib.parse.urlsplit(url)
    login, _at, host = parts.netloc.rpartition("@")
    user, colon, password = login.partition(":")
    if not colon and not _redaction.user_token(url):
        return url, None
    if parts.scheme not in ("http", "https"):
        # ssh takes no password from a URL.
        return parts._replace(netloc=f"{user}@{host}").geturl(), None
    found = Login(urllib.parse.unquote(user), urllib.parse.unquote(password))
    if any(character < " " for character in found.user + found.password):
        raise DeploymentError(
            f"mission_control_source: the login in {without_password(url)} holds a line break or the like.",
            kind="bad_login",
            remedy="Take another password; %0A is a line break.",
        )
    return parts._replace(netloc=host).geturl(), found


# A credential helper in the words of the shell; it is asked for "get", and told to "store" and "erase".
_HELPER = (
    """!f() { test "$1" != get || printf 'username=%s\\npassword=%s\\n' """
    """"$MISSION_CONTROL_GIT_USER" "$MISSION_CONTROL_GIT_PASSWORD"; }; f"""
)
_NO_LOGIN = re.compile(r"Authentication failed for|could not read (?:Username|Password) for")


class _Repository:
    """A bare repository that holds the commits deployed so far."""

    def __init__(self, path: Path, url: str, commands: Commands) -> None:
        self.path = path
        self.url, self._login = split_login(url)
        self._commands = commands
        self._environment = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
        self._options: tuple[str, ...] = ()
        if self._login:
            self._environment["MISSION_CONTROL_GIT_USER"] = self._login.user
            self._environment["MISSION_CONTROL_GIT_PASSWORD"] = self._login.password
            # Only for this server, not for one that it redirects to. No helper of the host's stores it.
            server = urllib.parse.urlsplit(self.url)._replace(path="", query="", fragment="").geturl()
            self._options = ("-c", "credential.helper=", "-c", f"credential.{server}.helper={_HELPER}")

    def _git(self, *arguments: str, what: str, inside: bool = True, remedy: str = "") -> str:
        words = [*(("-C", str(self.path)) if inside else ()), *arguments]
        try:
            output: str = self._commands(
                ["git", *self._options, *words],
                what=what,
                shown=" ".join(["git", *words]),
                environment=self._environment,
                timeout=900,
                remedy=remedy,
            )
        except DeploymentError as error:
            if not any(_NO_LOGIN.search(line) for line in error.details.get("output", ())):
                raise
            said = "does not accept the login in it" if self._login else "asks for a login"
            raise DeploymentError(
                f"{what} failed: the server of mission_control_source, {self.url}, {said}.",
                kind="no_login",
                remedy=LOGIN_REMEDY,
                details=error.details,
            ) from None
        return output

    def look_up(self, name: str) -> str:
        """The commit that a branch or tag names at the origin; nothing for an abbreviated hash."""
        listed = self._git(
            "ls-remote",
            self.url,
            name,
            f"{name}^{{}}",
            what=f"Looking up {name}",
            inside=False,
            remedy=REACH_REMEDY,
        )
        found: dict[str, str] = {}
        for line in listed.split("\n"):
            commit, separator, reference = line.partition("\t")
            if separator:
                found[reference] = commit
        for reference in (f"refs/tags/{name}^{{}}", f"refs/tags/{name}", f"refs/heads/{name}", name):
            if reference in found:
                return found[reference]
        return ""

    def has_commit(self, commit: str) -> bool:
        return self._succeeds("cat-file", "-e", f"{commit}^{{commit}}")

    def has(self, commit: str, name: str) -> bool:
        return self._succeeds("cat-file", "-e", f"{commit}:{name}")

    def _succeeds(self, *arguments: str) -> bool:
        try:
            self._git(*arguments, what="Looking into the repository")
        except DeploymentError as error:
            if error.kind == "command_failed":
                return False
            raise
        return True

    def fetch(self, commit: str, wanted: str) -> str:
        if not (self.path / "HEAD").exists():
            files.remove(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._git("init", "--quiet", "--bare", str(self.path), what="Making the repository", inside=False)
        # A fetch that was killed may have left its lock.
        (self.path / "shallow.lock").unlink(missing_ok=True)
        if commit and self.has_commit(commit):
            return commit
        if commit:
            try:
                self._git(
                    "fetch", "--quiet", "--depth=1", self.url, commit, what=f"Fetching {commit[:SHORT]}"
                )
            except DeploymentError as error:
                if error.kind == "no_login":
                    raise
                # Some servers hand out only what a branch or tag names.
                self._commands.note(f"fetching everything instead, because: {error.message}")
            else:
                return commit
        self._git(
            "fetch",
            "--quiet",
            *(("--unshallow",) if (self.path / "shallow").exists() else ()),
            self.url,
            "+refs/heads/*:refs/heads/*",
            "+refs/tags/*:refs/tags/*",
            what="Fetching the repository",
            remedy=REACH_REMEDY,
        )
        found = self._git(
            "rev-parse",
            "--verify",
            "--quiet",
            f"{wanted}^{{commit}}",
            what=f"Finding {wanted}",
            remedy=PIN_REMEDY,
        )
        return found.strip()

    def export(self, commit: str, partial: Path) -> None:
        archive = partial / "export.tar"
        self.write_archive(commit, archive)
        with tarfile.open(archive) as file:
            trees.unpack_tar(file, partial / "tree")
        archive.unlink()

    def write_archive(self, commit: str, path: Path) -> None:
        """The tree of a commit as a tar file."""
        self._git("archive", "--format=tar", f"--output={path}", commit, what=f"Exporting {commit[:SHORT]}")
