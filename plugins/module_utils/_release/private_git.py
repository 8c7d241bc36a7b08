# SPDX-License-Identifier: GPL-3.0-or-later
"""A Git repository behind a login, fetched by root: the application's user gets an archive, not the login.

What git is told in its environment, every process of the same user can read. So git runs as root here, in a
repository that only root can change; what the user's own processes see is a file that is open for reading.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from .. import _redaction
from .._host.accounts import find_account
from .._host.builds import BuildCommands, download_environment
from .._host.logged_commands import NO_LOG
from .._redaction import Redactor
from .git import _Repository, split_login
from .source import COMMIT, Request, missing_files, no_revision, predicted, refuse_missing

BASE = Path("/var/lib/mission-control/source")
# A redirection leads to a download at most. No configuration of the host's adds a helper or a filter.
_GIT = {"GIT_ALLOW_PROTOCOL": "https:http", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def needed(request: Request, user: str) -> bool:
    """Whether the source is a repository with a login, and there is a user that it can be kept from."""
    if request.kind != "git" or request.tree or os.geteuid() != 0 or user == "root":
        return False
    return split_login(request.source)[1] is not None


def bring(
    request: Request, as_user: Callable[[Request], Mapping[str, Any]], base: Path = BASE
) -> Mapping[str, Any]:
    """Have the source on the host.

    :param as_user: as the application's user, brings a request's archive, or says that it needs one.
    :param base: a directory of root's.
    """
    wanted = request.revision.strip()
    if not wanted or wanted.startswith("-"):
        raise no_revision(wanted)
    known = COMMIT.fullmatch(wanted) is not None
    answer = as_user(_handed_over(request, wanted)) if known else predicted(request)
    if known and not answer["changed"]:
        return answer
    with _repository(request, base) as repository:
        commit = wanted if known else repository.look_up(wanted)
        if commit and not known:
            answer = as_user(_handed_over(request, commit))
        if not answer["changed"]:
            return answer
        if request.check_mode:
            return predicted(request, revision=commit or wanted)
        commit = repository.fetch(commit, wanted)
        missing = missing_files(lambda name: repository.has(commit, name), request.required)
        refuse_missing(missing, request.source)
        with _archive(repository, commit) as archive:
            return as_user(replace(_handed_over(request, commit), archive=archive))


def _handed_over(request: Request, commit: str) -> Request:
    """What the user's process is asked: without login, and without the environment of downloads."""
    described = request.revision if request.revision != commit else commit[:12]
    plain = split_login(request.source)[0]
    return replace(
        request, source=plain, revision=commit, described=described, environment={}, fetched_by_root=True
    )


@contextlib.contextmanager
def _repository(request: Request, base: Path) -> Iterator[_Repository]:
    """The repository of root's, for one run at a time."""
    for directory in (base.parent, base):
        directory.mkdir(mode=0o700, exist_ok=True)
    environment = {
        **download_environment(find_account(), request.environment),
        "TMPDIR": str(base),
        **_GIT,
    }
    secrets = _redaction.secrets({**request.environment, "source": request.source})
    log = NO_LOG if request.check_mode else base / "git.log"
    commands = BuildCommands(log, environment, redactor=Redactor(secrets))
    descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield _Repository(base / "repository.git", request.source, commands)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _archive(repository: _Repository, commit: str) -> Iterator[IO[bytes]]:
    """The tree of a commit as an open file that has no name any more."""
    path = repository.path.with_name("export.tar")
    try:
        repository.write_archive(commit, path)
        opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        path.unlink(missing_ok=True)
    with os.fdopen(opened, "rb") as archive:
        yield archive
