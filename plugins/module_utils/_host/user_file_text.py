# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of one file of a user's, or why it is refused."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NoReturn

from . import reading
from .deployment_errors import DeploymentError
from .privileges import as_user


def read_user_file(user: str, path: str, most: int = reading.MOST) -> str | None:
    """The text of a user's file (`most` bytes), None where there is none. Links lead where he may go."""
    text: str | None = as_user(
        user, lambda account: read_regular_file(path, account.name, most), enclosed=False
    )
    return text


def read_regular_file(path: str, user: str, most: int = reading.MOST) -> str | None:
    """The same for a process that is the user already. What is no regular file, or too large, is refused."""
    try:
        return reading.read_regular(Path(path), most)
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
