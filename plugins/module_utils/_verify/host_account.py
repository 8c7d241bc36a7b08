# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host grants the application's user: to be there at all, and a journal."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from .._host.ageing import Ageing, ageing, remedy
from .._host.journal_storage import FLUSHED, Storage, storage
from .verdict import FAIL, SKIP, WARN, Verdict


def judge_ageing(
    user: str, look: Callable[[str], Ageing] = ageing, now: Callable[[], datetime.date] = datetime.date.today
) -> Verdict:
    """Whether PAM lets the application's user in, now and later."""
    found, today = look(user), now()
    if not found.known:
        return Verdict("account", SKIP, f"{user} is not in this host's own list of users")
    evidence = found.as_dict(today)
    what = found.expired(today)
    if not found.ages:
        return Verdict("account", summary=f"{user} does not expire", evidence=evidence)
    if what:
        return Verdict(
            "account",
            FAIL,
            f"the {what} of {user} has expired",
            cause="PAM refuses the session of an expired account or password: systemd does not start the"
            " user's manager (user@.service ends with 224/PAM), and so nothing of the application, at the"
            " latest after a reboot.",
            remedy=f"{remedy(user, what)}; then systemctl start user@$(id -u {user}).service",
            kind="account_expired",
            evidence=evidence,
        )
    until = min(day for day in (found.account, found.password) if day)
    return Verdict(
        "account",
        WARN,
        f"{user} expires on {until}",
        cause="Its password ages (PASS_MAX_DAYS in /etc/login.defs, chage) or the account has an end."
        " After that day PAM refuses the user's manager, and after a reboot nothing comes up.",
        remedy=f"Let it never end: {remedy(user, 'account' if until == found.account else 'password')}",
        kind="account_expires",
        evidence=evidence,
    )


def judge_journal(look: Callable[[], Storage] = storage, mark: Path = FLUSHED) -> Verdict:
    """Whether the journal is on disk, where journalctl --user and the log check look for it."""
    if not mark.parent.exists():
        return Verdict("journal", SKIP, "there is no journald on this host")
    found, flushed = look(), mark.exists()
    evidence = {**found.as_dict(), "flushed": flushed}
    if found.kept and flushed:
        return Verdict("journal", summary="the journal is kept on disk", evidence=evidence)
    if found.kept:
        cause = (
            "journald has not moved to the disk: its directory is missing or cannot be written to, or a file "
            "of settings that only root may read has it keep none."
        )
        cure = (
            "See, as root, journalctl -u systemd-journald, systemd-analyze cat-config systemd/journald.conf "
            "(Storage=) and the free space; then run journalctl --flush."
        )
    else:
        cause = f"Storage={found.value} in {found.file} counts more than what the role common writes."
        cure = "Remove that line and run systemctl restart systemd-journald."
    return Verdict(
        "journal",
        WARN,
        "the journal on disk does not grow",
        cause=f"{cause} What journalctl --user shows is old, and errors of today are in nobody's log.",
        remedy=cure,
        kind="journal_not_kept",
        evidence=evidence,
    )
