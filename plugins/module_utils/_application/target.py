# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is installed on a host: the user, the deployed release and its settings."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path

from .._host.accounts import Account, expand_home, find_account
from .._host.environment_file import parse_environment_file, secret_names
from .._host.errors import HostError
from .._host.user_files import UserFiles
from .._redaction import Redactor, secrets
from . import maintenance


class Host:
    """Looks things up when they are first wanted. Nothing here writes, and no secret leaves unknown."""

    def __init__(
        self, *, user: str, root: str, env_file: str, redactor: Redactor, where: str = "this host"
    ) -> None:
        self._user = user
        self._root = root
        self._env_file = env_file
        self.redactor = redactor
        self._lock = threading.RLock()
        self._account: Account | None = None
        self._environment: dict[str, str] | None = None
        self.where = where

    @property
    def account(self) -> Account:
        """The application's user. Raises HostError where there is none."""
        with self._lock:
            if self._account is None:
                self._account = find_account(self._user or None)
            return self._account

    @property
    def root(self) -> Path:
        """The application's root directory."""
        return Path(expand_home(self._root, self.account))

    @property
    def files(self) -> UserFiles:
        """The files of the application's user: the only way to what lies below the root."""
        return UserFiles(self.account)

    @property
    def release(self) -> Path | None:
        """The directory of the release that `current` points to."""
        try:
            return self.files.resolved(self.root / "current")
        except OSError:
            return None

    @property
    def bare(self) -> bool:
        """Nothing was ever put into service below the root. What may not be looked at counts as something."""
        if self._env_file:
            return False
        try:
            return not any(self.files.there(self.root / name) for name in ("current", "backend"))
        except OSError:
            return False

    @property
    def maintenance(self) -> maintenance.Notice | None:
        """What users are told during maintenance; None when there is none."""

        def look() -> dict[str, str] | None:
            notice = maintenance.read(self.root)
            return None if notice is None else asdict(notice)

        found = self.files.look(look)
        return None if found is None else maintenance.Notice(**found)

    @property
    def env_file(self) -> Path:
        """The backend's environment file."""
        if self._env_file:
            return Path(expand_home(self._env_file, self.account))
        current = self.root / "current" / "backend" / ".env"
        return current if self.files.exists(current) else self.root / "backend" / ".env"

    @property
    def environment(self) -> dict[str, str]:
        """The backend's settings as deployed; empty where they cannot be read."""
        with self._lock:
            if self._environment is None:
                try:
                    text = self.files.read(self.env_file)
                    self._environment = parse_environment_file(text)
                except (OSError, HostError, ValueError):
                    self._environment, text = {}, ""
                self.redactor.add(*secrets(self._environment, secret_names(text)))
            return self._environment

    def forget(self) -> None:
        """Look at everything anew, for the next attempt."""
        with self._lock:
            self._environment = None
