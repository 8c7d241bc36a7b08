# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below a directory of a user: looked at by a process that is that user, within bounds.

Everything there may be a link to something of root's, a pipe that nobody writes into, a device without end or
a file system that never answers. So this is the only way there: a link leads no farther than its owner may
go, only regular files are read, only so much of them, and only for so long.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import reading
from .accounts import Account
from .privileges import as_user

# Seconds after which a look counts as failed.
PATIENCE = 20.0


class UserFiles:
    """The files of one user, read only. Raises OSError like the functions of the system."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def look(self, work: Callable[[], Any]) -> Any:
        """Do some looking as the user at one go; what it returns must be plain data."""
        if os.geteuid() == self.account.uid:
            return work()

        def guarded(_account: Account) -> Any:
            try:
                return {"found": work()}
            except OSError as error:
                # That of a descriptor is a number.
                name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else None
                return {"error": [error.errno or 0, error.strerror or str(error), name]}

        # What only looks starts nothing.
        answer = as_user(self.account.name, guarded, deadline=PATIENCE, enclosed=False)
        if "error" in answer:
            raise OSError(*answer["error"])
        return answer["found"]

    def read(self, path: Path, most: int = reading.MOST) -> str:
        """The text of a regular file of at most `most` bytes."""
        text: str = self.look(lambda: reading.read_regular(path, most))
        return text

    def exists(self, path: Path) -> bool:
        """Whether something is there that the user may see; what a link leads to, not the link."""
        # Not Path.exists, which raises for a directory that may not be entered.
        return bool(self.look(lambda: os.path.exists(path)))  # noqa: PTH110

    def target(self, path: Path) -> str:
        """What a link says."""
        return str(self.look(lambda: str(path.readlink())))

    def resolved(self, path: Path) -> Path:
        """The path without links; OSError where nothing is."""
        return Path(self.look(lambda: str(path.resolve(strict=True))))
