# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A user's file, read with that user's rights: what is no regular file, or too large, is refused."""

from __future__ import annotations

import os
import stat

from .errors import DeploymentError
from .privileges import as_user

# Settings, keys and records are far below.
LARGEST = 1 << 20


def read_user_file(user: str, path: str, largest: int = LARGEST) -> str | None:
    """The file's text, None where there is none; `largest` in bytes. Links lead where the user may go."""

    text: str | None = as_user(user, lambda account: read_regular_file(path, account.name, largest))
    return text


def read_regular_file(path: str, user: str, largest: int = LARGEST) -> str | None:
    """The same for a process that is the user already."""
    try:
        # A pipe with nobody at its other end must not stop us.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            _refuse(path, "it is not a regular file", user)
        content = b""
        while len(content) <= largest and (block := os.read(descriptor, largest + 1 - len(content))):
            content += block
    finally:
        os.close(descriptor)
    if len(content) > largest:
        _refuse(path, f"it is larger than {largest} bytes", user)
    return content.decode("utf-8", "replace")


def _refuse(path: str, why: str, user: str) -> None:
    raise DeploymentError(
        f"{path} of the user {user} is not read: {why}.",
        kind="not_a_file",
        remedy="Look at it, and put the file back in its place.",
    )
