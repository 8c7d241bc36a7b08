# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the host; what they are called is in account_names, acting as one of them in acting."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass

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
        # Code in it could be another user's, in /tmp, or put there from within a unit's sandbox.
        "NODE_DISABLE_COMPILE_CACHE": "1",
    }
