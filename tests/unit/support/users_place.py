"""A place of a user who is not root, for tests that run as root, and what that user can put into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account

USER = "nobody"
SECRET = "a line of root's\n"


@contextlib.contextmanager
def users_place(seconds: int = 20) -> Iterator[Path]:
    """A directory of the user's, beside a file `secret` that only root may read.

    Whoever is held up there for longer fails instead of staying.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can act for another user")
    outside = Path(tempfile.mkdtemp())
    outside.chmod(0o755)
    secret = outside / "secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    place = outside / "home"
    place.mkdir()
    before = signal.signal(signal.SIGALRM, _held_up)
    signal.alarm(seconds)
    try:
        yield place
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        shutil.rmtree(outside)


def give(place: Path) -> None:
    """Make all of it the user's."""
    account = find_account(USER)
    for path in (place, *place.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def obstruct(path: Path, kind: str) -> None:
    """Replace a file as a user can: by a pipe, a device without end, a directory, a link to root's secret."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "directory":
        path.mkdir()
    else:
        home = next(parent for parent in path.parents if (parent.parent / "secret").exists())
        path.symlink_to(home.parent / "secret")


OBSTACLES = ("pipe", "device", "directory", "link")


def _held_up(_number: int, _frame: Any) -> None:
    raise AssertionError("root waits for something of the user's")
