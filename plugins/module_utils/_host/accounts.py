# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users and groups of the host, and acting as one of them for a while."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from .errors import HostError

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    home: str
    shell: str = "/bin/sh"
    groups: tuple[int, ...] = ()

    @property
    def runtime_directory(self) -> str:
        return f"/run/user/{self.uid}"


def find_account(name: str | None = None) -> Account:
    """Look an account up; without a name, the one this process runs as."""
    try:
        entry = pwd.getpwuid(os.geteuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        shown = f"UID {os.geteuid()}" if name is None else name
        raise HostError(
            f"There is no user {shown} on this host.",
            kind="no_such_user",
            remedy="Create it (the role openclaw.mission_control.common does), or name another user.",
        ) from None
    groups = tuple(sorted(set(os.getgrouplist(entry.pw_name, entry.pw_gid))))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, groups)


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


def expand_home(path: str, account: Account | None) -> str:
    """Expand a leading ~ to the home of the account (not of whoever runs)."""
    if path == "~" or path.startswith("~/"):
        home = account.home if account is not None else find_account().home
        return home + path[1:]
    return path


def user_environment(account: Account) -> dict[str, str]:
    """The environment of a command run as the account: nothing is inherited."""
    return {
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "PATH": SEARCH_PATH,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "XDG_RUNTIME_DIR": account.runtime_directory,
        # In /tmp its name is known beforehand: another user could be there first, and change the code in it.
        "NODE_COMPILE_CACHE": f"{account.home}/.cache/node-compile-cache",
    }


def _identity(account: Account | None) -> dict[str, Any]:
    """The arguments of Popen that make the child run as the account."""
    if account is None or account.uid == os.geteuid():
        return {}
    if os.geteuid() != 0:
        raise HostError(
            f"{user_name(os.geteuid())} cannot act for the user {account.name}.",
            kind="not_permitted",
            remedy=f"Run as root (become: true) or as {account.name}.",
        )
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}


@contextlib.contextmanager
def acting_as(account: Account | None) -> Generator[None]:
    """Touch files with the rights of the account, so that its symbolic links lead nowhere new."""
    if account is None or os.geteuid() == account.uid:
        yield
        return
    if os.geteuid() != 0:
        _identity(account)  # raises, naming the remedy
    uid, gid, groups = os.geteuid(), os.getegid(), os.getgroups()
    os.setgroups(account.groups)
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
        os.setgroups(groups)
