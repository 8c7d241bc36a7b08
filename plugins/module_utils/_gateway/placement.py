# SPDX-License-Identifier: GPL-3.0-or-later
"""As whom the gateway of a host runs, and as whom it shall.

Agents run what they are told to run, so the gateway has a user of its own. One that runs as the application's
user, as earlier versions of this collection had it, is moved; one that was set up by hand there stays. Who
has it is root's to know: the record is root's, and a user's files are looked at only where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._host.accounts import Account
from .holder import DEFAULT_USER, holder_of
from .placement_record import read_record


@dataclass(frozen=True)
class Placement:
    """`user`: as whom it shall run; `holder`: as whom it runs now, empty where there is none; `leaving`: who
    had it before and still has its remains; `by_hand`: it was set up by hand."""

    user: str
    holder: str = ""
    leaving: str = ""
    by_hand: bool = False

    @property
    def former(self) -> str:
        """From whom it has to be moved; empty where it has not."""
        return self.holder if self.holder != self.user else ""


def place(named: str, application: Account | None) -> Placement:
    """Who has the gateway of this host, and who shall.

    :param named: the user that the operator names, or empty.
    :param application: the application's user, None where there is none.
    """
    record = read_record()
    has, by_hand = holder_of(application, record)
    stays = has if application is None or has != application.name or by_hand else ""
    user = named or stays or DEFAULT_USER
    leaving = record.leaving if record is not None else ""
    return Placement(user, has, leaving if leaving != user else "", by_hand)
