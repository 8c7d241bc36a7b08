# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the user as whom the application runs: its name, and that it does not end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...module_utils._host.ageing import remedy as ageing_remedy
from .model import PREFIX, Context, Problem

# What useradd makes. One that is there already may come from elsewhere, such as a directory service.
USER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
USER_NAME_REMEDY = "use letters, digits, _, . and -, at most 32 of them and no digit first"
_EXISTING_NAME = re.compile(r"[^-+~\s:,/@\"'\\][^\s:,/\"'\\]*")


def user(context: Context) -> Iterator[Problem]:
    variable, name = f"{PREFIX}_user", str(context.get("user", "mission-control"))
    inspected = (context.host or {}).get("user") or {}
    if name == "root" or inspected.get("uid") == 0:
        yield Problem(
            "user",
            variable,
            message="is the superuser, and the application must not run as that",
            remedy="name an ordinary user; it is created when missing",
            value=name,
        )
    elif not (_EXISTING_NAME if inspected.get("exists") else USER_NAME).fullmatch(name):
        yield Problem(
            "user",
            variable,
            message="is not a valid user name",
            remedy=USER_NAME_REMEDY,
            value=name,
        )
    elif inspected.get("exists") and inspected.get("system"):
        yield Problem(
            "user",
            variable,
            message=f"is a system account (UID {inspected.get('uid')}), and journalctl --user shows nothing "
            "of such",
            remedy="name an ordinary user (UID 1000 or above) if that matters",
            value=name,
            warning=True,
        )


# The comment of the users that role common makes (tasks/user.yml).
_OUR_COMMENT = "OpenClaw Mission Control"


def user_ageing(context: Context) -> Iterator[Problem]:
    """A password or an account that ends takes the user's manager along, at the latest with a reboot."""
    inspected = (context.host or {}).get("user") or {}
    ageing = inspected.get("ageing") or {}
    # One that the role made is mended by it, but not an end that somebody has set.
    expired = ageing.get("expired")
    if not ageing.get("ages") or (inspected.get("comment") == _OUR_COMMENT and not ageing.get("account")):
        return
    name = str(inspected["name"])
    until = ageing.get("account") or ageing.get("password") or "the next login"
    what = "account" if ageing.get("account") and expired != "password" else "password"
    yield Problem(
        "user_ageing",
        f"{PREFIX}_user",
        message=f"has a{'n' if what == 'account' else ''} {what} that {'expired' if expired else 'expires'} "
        f"({until}): PAM then refuses its systemd manager, and with it the application",
        remedy=f"run {ageing_remedy(name, what)} on {context.hostname}",
        value=name,
        warning=not expired,
    )
