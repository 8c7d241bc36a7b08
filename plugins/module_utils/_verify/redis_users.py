# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may enter Redis, by its own list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Users(NamedTuple):
    """foreign: those whom nobody has named.

    passwords: how many the user default has.
    """

    foreign: Sequence[str] = ()
    passwords: int = 0


def read_users(listed: Sequence[str], named: Collection[str]) -> Users:
    """The answer to ACL LIST, of which no digest of a password is kept.

    :param named: who may be there beside the user default.
    """
    foreign, passwords = [], 0
    for line in listed:
        _user, name, *rules = line.split(" ")
        if name == "default":
            passwords = sum(rule.startswith("#") for rule in rules)
        elif name not in named:
            foreign.append(name)
    return Users(sorted(foreign), passwords)


def shown(name: str) -> str:
    """A name as it may be shown: whatever is no text in it as an escape."""
    return name.encode("utf-8", "backslashreplace").decode()
