# SPDX-License-Identifier: GPL-3.0-or-later
"""What users and groups are called, and what for they are there."""

from __future__ import annotations

import grp
import pwd


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def user_comment(name: str) -> str:
    """What the account is for, as whoever made it wrote down."""
    try:
        return pwd.getpwnam(name).pw_gecos
    except KeyError:
        return ""
