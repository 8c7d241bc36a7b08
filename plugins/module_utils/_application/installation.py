# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed on a host: the user, the deployed release and its settings."""

from __future__ import annotations

import threading
from pathlib import Path

from .._host.accounts import Account, expand_home, find_account
from .._host.environment_file import parse_environment_file, secret_names
from .._host.errors import HostError
from .._host.user_files import UserFiles
from .._redaction import Redactor, secrets


class Installation:
    """Looks things up when they are first wanted. Nothing here writes, and no secret leaves unknown."""

    def __init__(
        self, *, user: str, root: str, env_file: str, redactor: Redactor, where: str = "this host"
    ) -> None:
        self._user = user
        self._root = root
        # Empty where it is to be looked for.
        self.named_env_file = env_file
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
    def env_file(self) -> Path:
        """The backend's environment file."""
        if self.named_env_file:
            return Path(expand_home(self.named_env_file, self.account))
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
