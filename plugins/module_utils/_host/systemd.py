# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's systemd manager, as seen from root or from the user itself; the host's is in system_manager.

What the properties that it shows mean is in unit_status.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from .accounts import Account
from .commands import Completed, Runner, run
from .errors import HostError
from .unit_names import unit_name
from .unix_sockets import listening_paths

# A manager answers within milliseconds, on a busy host within a second or two.
LOOK_SECONDS = 10.0
# Until when (monotonic) a user's manager that did not answer is not asked again, which would cost as much
# anew; and what is said instead.
_SILENT: dict[int, tuple[float, HostError]] = {}


class ManagerError(HostError):
    """A user's systemd manager cannot be asked; kind says why, remedy what to do."""


def parse_show(text: str) -> list[dict[str, str]]:
    """Read what `systemctl show` prints: a block of Key=Value lines for each unit."""
    blocks = []
    for block in text.strip("\n").split("\n\n"):
        properties: dict[str, str] = {}
        for line in block.split("\n"):
            key, separator, value = line.partition("=")
            if separator:
                # ExecStart and the like are there once for each command.
                properties[key] = f"{properties[key]}\n{value}" if key in properties else value
        if properties:
            blocks.append(properties)
    return blocks


def main_pid(properties: Mapping[str, str]) -> int:
    """The main process of a unit, out of what is shown of it; 0 where none runs."""
    text = properties.get("MainPID", "")
    return int(text) if text.isdigit() else 0


def read_show(completed: Completed, units: Sequence[str]) -> dict[str, dict[str, str]]:
    """What systemctl said of each of these units. Raises HostError where it did not describe all of them."""
    blocks = parse_show(completed.stdout)
    if not completed.ok or len(blocks) != len(units):
        raise HostError(
            f"systemctl did not describe the units {', '.join(units)}: {completed.complaint}",
            kind="failed",
            remedy="Run the same systemctl show by hand on the host.",
        )
    return dict(zip(units, blocks, strict=True))


def show_arguments(names: Sequence[str], properties: Sequence[str] | None) -> list[str]:
    """How systemctl is asked for units, for all their properties or those named."""
    arguments = ["show", "--no-pager", "--timestamp=unix"]
    if properties is not None:
        arguments.append(f"--property={','.join(properties)}")
    return [*arguments, "--", *names]


class UserManager:
    """The manager of a lingering (or logged in) user, reached over its private socket.

    As root the calls are made by a child with the user's own identity: the manager refuses root.
    """

    def __init__(self, account: Account, run: Runner = run, root: Path = Path("/")) -> None:
        self.account = account
        self._run = run
        self._root = root

    @property
    def lingering(self) -> bool:
        return (self._root / "var/lib/systemd/linger" / self.account.name).exists()

    @property
    def private_socket(self) -> Path:
        return self._root / "run/user" / str(self.account.uid) / "systemd/private"

    @property
    def running(self) -> bool:
        """Whether the manager listens: the socket's file outlives a manager that was stopped."""
        path = str(self.private_socket)
        # The kernel is asked first: a connection that says nothing leaves a warning in the manager's journal.
        if path in listening_paths():
            return True
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(path)
            except OSError:
                return False
        return True

    def require(self) -> None:
        """Raise ManagerError, with the remedy, unless the manager can be asked."""
        name, uid = self.account.name, self.account.uid
        if os.geteuid() not in (0, uid):
            raise ManagerError(
                f"The systemd manager of {name} answers only to {name} and, through it, to root.",
                kind="not_permitted",
                remedy=f"Run as root (become: true) or as {name}.",
            )
        if self.running:
            return
        if not self.lingering:
            raise ManagerError(
                f"The user {name} does not linger, so its systemd manager is not running.",
                kind="no_linger",
                remedy=f"loginctl enable-linger {name}",
            )
        raise ManagerError(
            f"The systemd manager of {name} (user@{uid}.service) is down although the user lingers.",
            kind="manager_down",
            remedy=f"systemctl start user@{uid}.service; journalctl -u user@{uid}.service tells why it ended",
        )

    def call(self, *arguments: str, timeout: float = 60.0) -> Completed:
        self.require()
        argv = ["systemctl", "--user", "--no-ask-password", *arguments]
        completed = self._run(argv, account=self.account, timeout=timeout)
        if completed.returncode != 0 and "Failed to connect to" in completed.stderr:
            self._require_sockets()
            raise ManagerError(
                f"The systemd manager of {self.account.name} does not answer: {completed.complaint}",
                kind="manager_down",
                remedy=f"systemctl restart user@{self.account.uid}.service",
            )
        return completed

    def _require_sockets(self) -> None:
        """Raise ManagerError where the manager runs and the files of its sockets are gone."""
        name, uid = self.account.name, self.account.uid
        if os.path.lexists(self.private_socket) or not self.running:
            return
        raise ManagerError(
            f"The systemd manager of {name} (user@{uid}.service) runs, and what was below /run/user/{uid} is "
            "gone: something that cleans up has removed the files of its sockets.",
            kind="manager_cut_off",
            remedy=f"systemctl restart user@{uid}.service, which restarts all services of {name}",
        )

    def show(
        self, units: Sequence[str], properties: Sequence[str] | None = None
    ) -> dict[str, dict[str, str]]:
        """All units, all properties (or those named), in one call; keys are full unit names."""
        names = [unit_name(unit) for unit in units]
        return read_show(self._look(*show_arguments(names, properties)), names) if names else {}

    def _look(self, *arguments: str) -> Completed:
        """A call that changes nothing; HostError where the answer takes too long."""
        uid = self.account.uid
        until, told = _SILENT.get(uid, (0.0, None))
        if told is not None and time.monotonic() < until:
            raise told
        try:
            return self.call(*arguments, timeout=LOOK_SECONDS)
        except HostError as error:
            if error.kind not in ("timeout", "stopped"):
                raise
            # The manager is not to blame for a systemctl that was stopped.
            told = self.silent() if error.kind == "timeout" else error
        _SILENT[uid] = time.monotonic() + LOOK_SECONDS, told
        raise told

    def silent(self, seconds: float = LOOK_SECONDS) -> ManagerError:
        """What is said of a manager that runs and does not answer."""
        unit = f"user@{self.account.uid}.service"
        return ManagerError(
            f"The systemd manager of {self.account.name} ({unit}) runs, but did not answer"
            f" within {seconds:g} s.",
            kind="manager_hangs",
            remedy=(
                f"systemctl kill --kill-whom=main --signal=SIGCONT {unit} lets it go on where a signal"
                f" stopped it; else systemctl restart {unit}, which restarts all services of the user"
            ),
        )
