# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of a user's, made with that user's rights; root makes only what root alone can change.

Whoever may write to a directory can put a link there. So root walks a path component by component, each
opened relative to the one before without following links, and goes no further than the first directory that
somebody else can change. What lies below is made by a child process that has become the user: a link leads it
nowhere new.
"""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from .account_names import user_name
from .accounts import Account, expand_home, find_account
from .deployment_errors import DeploymentError
from .errors import HostError
from .privileges import as_user

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_LINKS = 40


@dataclass(frozen=True)
class Directory:
    """A directory to be; `mode` is that of one that is made, an existing one keeps its own."""

    path: str
    mode: int = 0o755


class Walk:
    """A path from / to its end, one component after the other; use it as a context manager."""

    def __init__(self, path: str) -> None:
        if not PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise DeploymentError(
                f"{path} is not an absolute path of a directory.",
                kind="bad_path",
                remedy="Name it from / on, without ..",
            )
        self.left = deque(PurePosixPath(path).parts[1:])
        self.done = PurePosixPath("/")
        self.descriptor = os.open("/", _OPEN)
        self._wanted = path
        self._links = 0

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *_exception: object) -> None:
        os.close(self.descriptor)

    @property
    def trusted(self) -> bool:
        """Whether root alone can change what lies in the directory that was reached."""
        found = os.fstat(self.descriptor)
        return found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

    def next(self) -> os.stat_result | None:
        """What the next component is, None where nothing is. Links are followed if root made them."""
        while True:
            try:
                found = os.stat(self.left[0], dir_fd=self.descriptor, follow_symlinks=False)
            except FileNotFoundError:
                return None
            if not stat.S_ISLNK(found.st_mode):
                return found
            self._follow(found)
            if not self.left:
                return os.fstat(self.descriptor)

    def enter(self) -> None:
        """Go into the next component."""
        name = self.left[0]
        descriptor = os.open(name, _OPEN, dir_fd=self.descriptor)
        os.close(self.descriptor)
        self.descriptor = descriptor
        self.done /= name
        self.left.popleft()

    def make(self, mode: int, owner: Account | None = None) -> None:
        """Make the next component, and go into it."""
        os.mkdir(self.left[0], 0o700, dir_fd=self.descriptor)
        self.enter()
        if owner is not None:
            os.fchown(self.descriptor, owner.uid, owner.gid)
        os.fchmod(self.descriptor, mode)

    def _follow(self, found: os.stat_result) -> None:
        name = self.left[0]
        place = self.done / name
        target = os.readlink(name, dir_fd=self.descriptor)
        if found.st_uid != 0:
            self._refuse_link(place, target, found)
        self._links += 1
        if self._links > _MOST_LINKS:
            raise DeploymentError(f"{self._wanted}: too many links, the last at {place}.", kind="link")
        self.left.popleft()
        where = PurePosixPath(os.path.normpath(target if target.startswith("/") else self.done / target))
        self.left.extendleft(reversed(where.parts[1:]))
        os.close(self.descriptor)
        self.descriptor = os.open("/", _OPEN)
        self.done = PurePosixPath("/")

    def _refuse_link(self, place: PurePosixPath, target: str, found: os.stat_result) -> NoReturn:
        raise DeploymentError(
            f"{place} is a link (to {target!r}) that {user_name(found.st_uid)} made; "
            f"the directory {self._wanted} is not looked for behind it.",
            kind="link",
            remedy=(
                "Put a directory in its place, or name the one behind it (mission_control_user's home, "
                f"common_root). If it is meant, make the link as root: ln -sfn TARGET {place}."
            ),
        )


def bring(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module user_directories does; `options` are its own. Returns its result."""
    account = _find(options["user"], missing=check)

    def place(path: str) -> str:
        return expand_home(path, account) if account else path.replace("~", f"/home/{options['user']}", 1)

    wanted = [Directory(place(item["path"]), _mode(item["mode"])) for item in options["directories"]]
    created = ensure(wanted, account, options["user"], place(options["root"]), check=check)
    after = "".join(f"{path}/\n" for path in created)
    return {"changed": bool(created), "created": created, "diff": {"before": "", "after": after}}


def _mode(text: str) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise HostError(
            f"directories: the mode {text!r} is not an octal number.",
            kind="bad_mode",
            remedy='Write it like "0755".',
        )
    return int(text, 8)


def _find(user: str, *, missing: bool) -> Account | None:
    try:
        return find_account(user)
    except HostError:
        # Check mode has not created the user on a bare host.
        if missing:
            return None
        raise


def ensure(
    directories: Sequence[Directory], account: Account | None, user: str, root: str, *, check: bool = False
) -> list[str]:
    """Have the directories, owned by the account; returns those that were (in check mode would be) made.

    `root` is the outermost directory that is the user's: what is missing above it is root's, and is made only
    where root alone can change what lies there. Without an account (check mode on a host without it) all that
    is missing counts as made.
    """
    made: list[str] = []
    if os.geteuid() == 0:
        made += _make_base(root, account, check)
    plain = [(directory.path, directory.mode) for directory in directories]
    if account is None:
        return made + [path for path, _mode in plain if not Path(path).is_dir() and path not in made]

    def work(user_account: Account) -> list[str]:
        new: list[str] = []
        for path, mode in plain:
            new += [place for place in _make_own(path, mode, user_account, check) if place not in new]
        return new

    below: list[str] = as_user(user, work)
    return made + [path for path in below if path not in made]


def _make_base(root: str, account: Account | None, check: bool) -> list[str]:
    """As root: what is missing down to the application's root, as long as nobody else can interfere."""
    made = []
    with Walk(root) as walk:
        while walk.left and walk.trusted:
            found = walk.next()
            if not walk.left:
                break
            last = len(walk.left) == 1
            if found is None:
                made.append(str(walk.done / walk.left[0]))
                if check:
                    made += _missing(walk)
                    break
                walk.make(0o755, account if last else None)
            elif stat.S_ISDIR(found.st_mode):
                walk.enter()
            else:
                # The user's half says what it is.
                break
    return made


def _missing(walk: Walk) -> list[str]:
    place, found = walk.done / walk.left[0], []
    for name in list(walk.left)[1:]:
        place /= name
        found.append(str(place))
    return found


def _make_own(path: str, mode: int, account: Account, check: bool) -> list[str]:
    """As the user."""
    made = []
    try:
        with Walk(path) as walk:
            while walk.left:
                found = walk.next()
                if not walk.left:
                    break
                place = walk.done / walk.left[0]
                if found is None:
                    made.append(str(place))
                    if check:
                        return made + _missing(walk)
                    walk.make(mode if len(walk.left) == 1 else 0o755)
                elif stat.S_ISDIR(found.st_mode):
                    walk.enter()
                else:
                    raise DeploymentError(
                        f"{place} is in the way of the directory {path}: it is not a directory.",
                        kind="in_the_way",
                        remedy="Look at it, and move it away.",
                    )
            owner = os.fstat(walk.descriptor).st_uid
    except PermissionError as error:
        raise DeploymentError(
            f"{account.name} cannot make or enter the directory {path} ({error.strerror}).",
            kind="not_permitted",
            remedy=f"See who owns what is above it (namei -l {path}), or name another place (common_root).",
        ) from None
    if owner != account.uid:
        raise DeploymentError(
            f"The directory {path} belongs to {user_name(owner)}, not to {account.name}.",
            kind="foreign_owner",
            remedy=f"See what is in it; then: chown -h {account.name}: {path}",
        )
    return made
