# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the application's or the gateway's user is saved and put back by their own processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from .._host import privileges
from .._host.accounts import Account
from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._host.privileges import unwatched

# Seconds without a sign of life after which something hangs: a server that never answers, a file system.
SILENCE = 1800.0
# Seconds between two of them.
_BEAT = 1.0
_last = [0.0]


def by_owner(
    name: str,
    work: Callable[[Account], Any],
    *,
    silence: float = SILENCE,
    keep: Iterable[int] = (),
    watch: Callable[[], None] = unwatched,
) -> Any:
    """Do the work as a user, who may have made it endless: it has to tell again and again that it goes on."""
    try:
        return privileges.as_user(name, work, deadline=silence, keep=keep, watch=watch)
    except HostError as error:
        if error.kind != "timeout":
            raise
        raise DeploymentError(
            f"For {silence / 60:g} minutes nothing has come of what belongs to {name}.",
            kind="stalled",
            remedy="Nothing was kept of it. See what hangs there: the server of DATABASE_URL, which takes a "
            "connection and does not answer, or the file system of that user's files.",
        ) from None


def alive() -> None:
    """In that process: the work goes on. Called as often as there is something new."""
    if privileges.signs and time.monotonic() - _last[0] >= _BEAT:
        _last[0] = time.monotonic()
        os.write(privileges.signs[0], privileges.SIGN)
