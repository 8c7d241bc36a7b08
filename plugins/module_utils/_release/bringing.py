# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a source as the application's user, with the log and under the lock of a deployment."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from .. import _redaction
from .._application.gateway_support import support_of
from .._host import builds, locks, logged_commands, privileges
from .._host.accounts import Account
from .._host.deployment_errors import DeploymentError
from .._redaction import Redactor
from . import source


def bring(root: Path, request: source.Request, account: Account) -> dict[str, Any]:
    """Bring the source below the application's root, and see what it says; called as that user."""
    answer = _bring(root, request, account)
    tree = answer.get("path")
    return {**answer, "gateway": support_of(Path(tree) / "backend") if tree else None}


def _bring(root: Path, request: source.Request, account: Account) -> dict[str, Any]:
    store = source.SourceStore(root)
    environment = builds.download_environment(account, request.environment)
    redactor = Redactor(_redaction.secrets({**request.environment, "source": request.source}))
    log = logged_commands.NO_LOG if request.check_mode else root / "shared" / "log" / "source.log"
    commands = builds.BuildCommands(log, environment, redactor=redactor)
    if request.check_mode or store.description(request.revision) is not None:
        return source.bring(store, request, commands)
    with locks.deployment_lock(root / "shared" / ".lock", purpose="bringing the source", timeout=600) as lock:
        commands = builds.BuildCommands(log, environment, redactor=redactor, keep_open=(lock,))
        privileges.stop_with(commands.cancel)
        return source.bring(store, request, commands)


def bring_as_user(user: str, root: Path, request: source.Request) -> dict[str, Any]:
    """The same, called as root. In check mode the user may be one who would have been created before."""
    try:
        archive = [] if request.archive is None else [request.archive.fileno()]
        found: dict[str, Any] = privileges.as_user(user, partial(bring, root, request), keep=archive)
    except DeploymentError as error:
        if not request.check_mode or error.kind != "no_such_user":
            raise
        return source.predicted(request)
    return found
