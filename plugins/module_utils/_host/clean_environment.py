# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of commands for the application's user, into which nothing comes by itself."""

from __future__ import annotations

from .accounts import Account, user_environment


def build_environment(account: Account) -> dict[str, str]:
    """What keeps the user's own settings of pip, uv, npm and Git out of builds; the host's stay.

    A build with `omit=dev` or `user = true` of somebody's fails in the middle, or makes a half of it; and a
    process in a unit could write settings that lead a build elsewhere.
    """
    return {
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "npm_config_userconfig": "/dev/null",
        "PIP_USER": "0",
    }


def application_environment(account: Account) -> dict[str, str]:
    """The environment of the application's own programs: clean, with a place for what is temporary."""
    return {
        **user_environment(account),
        **build_environment(account),
        # In /tmp other users could be there first: uv, npm and Node make files of known names.
        "TMPDIR": f"{account.home}/.cache/mission-control/tmp",
    }
