# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the gateway's user can have something started outside of its sandbox, by its manager, SSH or Node.

The unit mounts these read only for itself and its agents (roles/gateway/vars, __gateway_bus). What is not
there could not be mounted, and an agent would make it.
"""

from __future__ import annotations

import os
from pathlib import Path

from .._host.accounts import Account
from .._host.acting_as import acting_as
from .._host.deployment_errors import DeploymentError

# Units, their environment, files made at the start of a session, what its bus starts, who may log in.
READ_ONLY = (
    ".config/systemd",
    ".config/environment.d",
    ".config/user-tmpfiles.d",
    ".local/share/systemd",
    ".local/share/user-tmpfiles.d",
    ".local/share/dbus-1",
    ".ssh",
    # Where Node looks for what a program asks for, beside and above its own place: deployments run OpenClaw.
    "node_modules",
    ".node_modules",
    ".node_libraries",
)
# What is above them: mounted upon itself it cannot be moved out of the way.
PINNED = (".config", ".local", ".local/share")


def make(account: Account) -> None:
    """Have all of them, as the user."""
    with acting_as(account):
        for name in (*PINNED, *READ_ONLY):
            path = Path(account.home) / name
            try:
                path.mkdir(mode=0o700, exist_ok=True)
                linked = path.is_symlink()
            except OSError as error:
                raise _unfit(path, os.strerror(error.errno or 0)) from None
            if linked:
                # A mount would be where the link leads, and the link could be replaced.
                raise _unfit(path, "it is a link")


def _unfit(path: Path, why: str) -> DeploymentError:
    return DeploymentError(
        f"{path} cannot be kept from the gateway's agents: {why}.",
        kind="unit_places",
        remedy="See what it is, which an agent may have made, and have a directory of the user's there.",
    )
