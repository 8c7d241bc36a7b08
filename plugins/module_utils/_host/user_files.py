# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What lies below a directory of a user: looked at by a process that is that user, within bounds.

Everything there may be a link to something of root's, a pipe that nobody writes into, a device without end or
a file system that never answers. So this is the only way there: a link leads no farther than its owner may
go, only regular files are read, only so much of them, and only for so long.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import files
from .accounts import Account
from .errors import DeploymentError
from .privileges import as_user

# Seconds after which a look counts as failed.
PATIENCE = 20.0


@dataclass(frozen=True)
class Status:
    """What is known of a file: its kind, its mode, and when it was changed (seconds since the epoch)."""

    regular: bool
    directory: bool
    mode: int
    changed: float


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

        answer = as_user(self.account.name, guarded, deadline=PATIENCE)
        if "error" in answer:
            raise OSError(*answer["error"])
        return answer["found"]

    def read(self, path: Path, most: int = files.MOST) -> str:
        """The text of a regular file of at most `most` bytes."""
        text: str = self.look(lambda: files.read_regular(path, most))
        return text

    def exists(self, path: Path) -> bool:
        """Whether something is there that the user may see; what a link leads to, not the link."""
        # Not Path.exists, which raises for a directory that may not be entered.
        return bool(self.look(lambda: os.path.exists(path)))  # noqa: PTH110

    def there(self, path: Path) -> bool:
        """Whether anything bears that name, a dead link too. Raises OSError where that cannot be seen."""

        def look() -> bool:
            try:
                path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

        return bool(self.look(look))

    def target(self, path: Path) -> str:
        """What a link says."""
        return str(self.look(lambda: str(path.readlink())))

    def resolved(self, path: Path) -> Path:
        """The path without links; OSError where nothing is."""
        return Path(self.look(lambda: str(path.resolve(strict=True))))

    def status(self, path: Path) -> Status:
        """What the path leads to."""

        def look() -> list[Any]:
            found = path.stat()
            mode = found.st_mode
            return [stat.S_ISREG(mode), stat.S_ISDIR(mode), stat.S_IMODE(mode), found.st_mtime]

        return Status(*self.look(look))

    def ages(self, directory: Path, now: float) -> list[float]:
        """How old the entries of a directory are, in seconds, those that begin with a dot left out."""

        def look() -> list[float]:
            return [
                now - entry.stat(follow_symlinks=False).st_mtime
                for entry in os.scandir(directory)
                if not entry.name.startswith(".")
            ]

        return [float(age) for age in self.look(look)]

    def texts(self, directory: Path, pattern: str) -> dict[str, str]:
        """The regular files of a directory whose names fit the pattern, with their texts."""

        def look() -> dict[str, str]:
            found: dict[str, str] = {}
            for path in sorted(directory.glob(pattern)):
                if path.is_file():
                    found[path.name] = files.read_regular(path)
            return found

        return dict(self.look(look))


def read_user_file(user: str, path: str, most: int = files.MOST) -> str | None:
    """The text of a user's file (`most` bytes), None where there is none. Links lead where he may go."""
    text: str | None = as_user(user, lambda account: read_regular_file(path, account.name, most))
    return text


def read_regular_file(path: str, user: str, most: int = files.MOST) -> str | None:
    """The same for a process that is the user already. What is no regular file, or too large, is refused."""
    try:
        return files.read_regular(Path(path), most)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.EINVAL:
            _refuse(path, "it is not a regular file", user)
        if error.errno == errno.EFBIG:
            _refuse(path, f"it is larger than {most} bytes", user)
        raise


def _refuse(path: str, why: str, user: str) -> NoReturn:
    raise DeploymentError(
        f"{path} of the user {user} is not read: {why}.",
        kind="not_a_file",
        remedy="Look at it, and put the file back in its place.",
    )
