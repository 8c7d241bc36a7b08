# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What checks want to know of the host: the user, the deployed release, its settings, units and processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._redaction import Redactor, secrets

if TYPE_CHECKING:
    from .._application.maintenance import Notice
    from .._host.accounts import Account
    from .._host.systemd import UnitStatus


class Host:
    """Looks things up when they are first wanted. Nothing here writes, and no secret leaves unknown."""

    def __init__(
        self, *, user: str, root: str, env_file: str, redactor: Redactor, where: str = "this host"
    ) -> None:
        self._user = user
        self._root = root
        self._env_file = env_file
        self._redactor = redactor
        self._lock = threading.RLock()
        self._account: Account | None = None
        self._environment: dict[str, str] | None = None
        self.where = where

    @property
    def account(self) -> Account:
        """The application's user. Raises HostError where there is none."""
        from .._host.accounts import find_account

        with self._lock:
            if self._account is None:
                self._account = find_account(self._user or None)
            return self._account

    @property
    def root(self) -> Path:
        """The application's root directory."""
        from .._host.accounts import expand_home

        return Path(expand_home(self._root, self.account))

    @property
    def release(self) -> Path | None:
        """The directory of the release that `current` points to."""
        current = self.root / "current"
        try:
            return current.resolve(strict=True)
        except OSError:
            return None

    @property
    def bare(self) -> bool:
        """Nothing was ever put into service below the root. What may not be looked at counts as something."""
        if self._env_file:
            return False
        for name in ("current", "backend"):
            try:
                (self.root / name).lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return False
            return False
        return True

    @property
    def maintenance(self) -> Notice | None:
        """What users are told during maintenance; None when there is none."""
        from .._application.maintenance import read

        return read(self.root)

    @property
    def env_file(self) -> Path:
        """The backend's environment file."""
        from .._host.accounts import expand_home

        if self._env_file:
            return Path(expand_home(self._env_file, self.account))
        current = self.root / "current" / "backend" / ".env"
        # Not Path.exists, which raises for a directory that may not be read.
        return current if os.path.exists(current) else self.root / "backend" / ".env"  # noqa: PTH110

    @property
    def environment(self) -> dict[str, str]:
        """The backend's settings as deployed; empty where they cannot be read."""
        from .._host.environment_file import parse_environment_file, secret_names
        from .._host.errors import HostError

        with self._lock:
            if self._environment is None:
                try:
                    text = self.env_file.read_text(encoding="utf-8", errors="replace")
                    self._environment = parse_environment_file(text)
                except (OSError, HostError, ValueError):
                    self._environment, text = {}, ""
                self._redactor.add(*secrets(self._environment, secret_names(text)))
            return self._environment

    def forget(self) -> None:
        """Look at everything anew, for the next attempt."""
        with self._lock:
            self._environment = None

    def units(self, names: Sequence[str]) -> dict[str, UnitStatus]:
        """The state of the units and of the sockets that belong to them, by one call of systemctl."""
        from .._host.systemd import UserManager, unit_status

        manager = UserManager(self.account)
        manager.require()
        wanted = [*names, *(f"{name.removesuffix('.service')}.socket" for name in names)]
        return {name: unit_status(name, properties) for name, properties in manager.show(wanted).items()}

    def lingering(self) -> bool:
        """Whether the user's units run without a login."""
        from .._host.systemd import UserManager

        return UserManager(self.account).lingering

    def last_lines(self, unit: str, lines: int = 40) -> list[str]:
        """The last journal lines of a unit, redacted; none where the journal cannot be read."""
        from .._host.errors import HostError
        from .._host.journal import tail

        try:
            return [self._redactor.text(line) for line in tail(self.account, [unit], lines)]
        except (HostError, OSError):
            return []

    def processes(self, unit: str) -> list[Any]:
        """Evidence of the processes of a user unit."""
        from .._host.processes import process_evidence, processes_of_unit

        found = [process_evidence(pid) for pid in processes_of_unit(unit, self.account.uid)]
        return [evidence for evidence in found if evidence is not None]
