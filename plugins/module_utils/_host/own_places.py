# SPDX-License-Identifier: GPL-3.0-or-later
"""Places to which root writes: nobody else may put another thing in their stead."""

from __future__ import annotations

import os
import shlex
import stat
from typing import NoReturn

from .account_names import user_name
from .deployment_errors import DeploymentError
from .directories import Walk

_ROOT = frozenset({0})


def refuse_interference(path: str, variable: str, *, last: frozenset[int] = _ROOT) -> None:
    """Refuse a place of which somebody else can change the way to it.

    :param last: whose the place itself may be; all above it is root's.
    """
    with Walk(path) as walk:
        while walk.left:
            found = walk.next() if _safe(walk) else None
            # What is missing is made by root, and then nobody else's; but not where somebody may come first.
            if found is None and walk.trusted:
                return
            if found is None:
                _refuse(path, variable, walk)
            if not walk.left:
                break
            if not stat.S_ISDIR(found.st_mode):
                raise DeploymentError(
                    f"{variable}: {walk.done / walk.left[0]} is not a directory.",
                    kind="in_the_way",
                    remedy="Name another place, or move what is there.",
                )
            walk.enter()
        there = os.fstat(walk.descriptor)
        if there.st_uid not in last or _open_to_others(there):
            _refuse(path, variable, walk)


def _open_to_others(there: os.stat_result) -> bool:
    return bool(there.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _safe(walk: Walk) -> bool:
    """Whether nobody else can replace what is there; in a directory as /tmp others can add something."""
    there = os.fstat(walk.descriptor)
    return there.st_uid == 0 and (not _open_to_others(there) or bool(there.st_mode & stat.S_ISVTX))


def _refuse(path: str, variable: str, walk: Walk) -> NoReturn:
    owner = user_name(os.fstat(walk.descriptor).st_uid)
    raise DeploymentError(
        f"{variable}: {path} is not root's alone: in {walk.done}, of {owner}, others than root "
        "can put a link in its place.",
        kind="not_permitted",
        remedy="Name a directory that, with all above it, root alone can change. Who can, shows: "
        f"namei -l {shlex.quote(path)}",
    )
