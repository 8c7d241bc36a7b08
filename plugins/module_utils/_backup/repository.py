# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository itself: one run at a time, and that it is the one that was there before."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator, Mapping
from typing import Any

from .._host.deployment_errors import DeploymentError
from .._host.locks import deployment_lock
from .._plain_json import parse_json
from . import state
from .addresses import server_of
from .configuration import DIRECTORY, Configuration
from .restic import Restic, ResticError

_PATIENCE = 10.0


@contextlib.contextmanager
def alone(configuration: Configuration, purpose: str, timeout: float = 900.0) -> Generator[None]:
    """One run at a time on this host."""
    configuration.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with deployment_lock(configuration.directory / "lock", purpose=purpose, timeout=timeout):
            yield
    except DeploymentError as error:
        if error.kind != "locked":
            raise
        raise DeploymentError(
            error.message.replace("Another deployment", "Another backup, restoration or drill"),
            kind="locked",
            remedy=error.remedy,
        ) from None


def gone(configuration: Configuration, shown: str, details: Mapping[str, Any] | None = None) -> ResticError:
    """What is said of a repository that was there."""
    return ResticError(
        f"The repository {shown}, which was there, is gone: what is there is none.",
        kind="repository_gone",
        remedy="See that its disk is mounted and its address right. If it was removed on purpose: rm "
        f"{DIRECTORY / state.NAME}, and back up again, which makes a new one.",
        details=details,
    )


def reach(wanted: Configuration) -> None:
    """Whether the server takes connections, which restic says late: it tries for a quarter of an hour."""
    address = server_of(wanted.repository)
    if address is None:
        return
    host, port = address
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError as error:
        raise ResticError(
            f"mission_control_backup_repository: {host} does not answer on port {port} "
            f"({error.strerror or error}).",
            kind="unreachable",
            remedy="See that the name is right, that the server runs, and that this host may reach it.",
        ) from None


def open_repository(restic: Restic, *, make: bool = True) -> bool:
    """Have a repository that this password opens; True if it was made. A lost one is not made again."""
    configuration = restic.configuration
    reach(configuration)
    try:
        found = parse_json(restic.run("cat", "config", "--no-lock", what="Opening the repository"))
    except ResticError as error:
        if error.kind != "no_repository" or not make:
            raise
        known = state.read_state(configuration.directory).get("repository", {})
        if known.get("address") == configuration.repository:
            raise gone(configuration, restic.shown, error.details) from None
        restic.run("init", what="Making the repository")
        found = parse_json(restic.run("cat", "config", "--no-lock", what="Opening the repository"))
        state.note(
            configuration.directory, repository={"address": configuration.repository, "id": found["id"]}
        )
        return True
    # Only those whose process is gone are removed.
    with contextlib.suppress(ResticError):
        restic.run("unlock", what="Removing locks of dead runs")
    state.note(configuration.directory, repository={"address": configuration.repository, "id": found["id"]})
    return False
