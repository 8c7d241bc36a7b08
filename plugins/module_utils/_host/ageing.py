# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an account may still be entered: what ages or ends keeps systemd from its manager.

PAM refuses the session of an account whose password is to be changed, also where nobody ever logs in with it:
user@.service ends with 224/PAM, at the latest after the next reboot.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from .commands import Runner, run
from .errors import HostError

_NEVER = ("never", "")
_CHANGE = "password must be changed"


@dataclass(frozen=True)
class Ageing:
    """What shadow says: `password` and `account` are the days (ISO) on which they expire, empty for never."""

    known: bool = False
    must_change: bool = False
    password: str = ""
    account: str = ""

    @property
    def ages(self) -> bool:
        """Whether it ends at some time, or has ended."""
        return self.must_change or bool(self.password or self.account)

    def expired(self, today: datetime.date) -> str:
        """What keeps PAM from letting the user in: password, account, or nothing."""
        now = str(today)
        if self.account and self.account <= now:
            return "account"
        return "password" if self.must_change or (self.password and self.password <= now) else ""

    def as_dict(self, today: datetime.date) -> dict[str, Any]:
        """As facts."""
        return {**asdict(self), "ages": self.ages, "expired": self.expired(today)}


def parse(text: str) -> Ageing:
    """What `chage --iso8601 --list` says in English."""
    fields = {}
    for line in text.split("\n"):
        name, separator, value = line.partition(":")
        if separator:
            fields[name.strip().lower()] = value.strip()
    if "password expires" not in fields:
        return Ageing()
    password, account = fields["password expires"], fields.get("account expires", "")
    change = _CHANGE in (password, fields.get("last password change", ""))
    return Ageing(
        known=True,
        must_change=change,
        password="" if change or password in _NEVER else password,
        account="" if account in _NEVER else account,
    )


def ageing(user: str, run: Runner = run) -> Ageing:
    """How an account ages. Everybody may ask for his own; known for accounts of this host's files only."""
    try:
        done = run(["chage", "--iso8601", "--list", user], timeout=10)
    except HostError:
        return Ageing()
    return parse(done.stdout) if done.ok else Ageing()


def remedy(user: str, what: str) -> str:
    """The command that lets the user in again."""
    if what == "account":
        return f"usermod --expiredate '' {user}"
    return f"chage --maxdays -1 --inactive -1 --lastday $(date +%F) {user}"
