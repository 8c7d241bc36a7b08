# SPDX-License-Identifier: GPL-3.0-or-later
"""How journalctl is asked for the lines of user units, and what it means when it refuses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from .accounts import Account
from .command_stream import stream
from .errors import HostError
from .unit_names import unit_name

# How journalctl shall print: lines as text, or entries with the fields that are read.
TEXT = ("--output=cat",)
ENTRY_FIELDS = (
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "_PID",
    "_SYSTEMD_USER_UNIT",
    "USER_UNIT",
    "_SYSTEMD_INVOCATION_ID",
    "USER_INVOCATION_ID",
)
ENTRIES = ("--output=json", f"--output-fields={','.join(ENTRY_FIELDS)}")
Lines = AbstractContextManager[Iterator[bytes]]
StreamOpener = Callable[..., Lines]


class JournalError(HostError):
    """The journal cannot be read; kind says why, remedy what to do."""


def persistent(root: Path = Path("/")) -> bool:
    """Whether the journal outlives a reboot, which is also what `journalctl --user` needs."""
    directory = root / "var/log/journal"
    return directory.is_dir() and any(child.is_dir() for child in directory.iterdir())


@dataclass(frozen=True)
class Query:
    """Which lines of a user's units are wanted: plain data, which crosses the border to root."""

    units: Sequence[str] = ()
    since: float | None = None
    until: float | None = None
    lines: int | None = None
    # A place in the journal, as an entry's cursor tells it.
    after: str = ""
    # As JSON, else as text, without time and origin.
    entries: bool = False
    # Without messages of more than 4 kB, which are empty then.
    short: bool = False


def journal_command(account: Account, query: Query, *, as_user: bool) -> list[str]:
    """The journalctl call for a user's units.

    Lines are matched by unit and, because children that end at once are not attributed to their unit, by
    syslog identifier too: the unit's name without its suffix. The manager's own are about the unit.
    """
    argv = ["journalctl", "--no-pager", *(ENTRIES if query.entries else TEXT)]
    if not query.short:
        argv.append("--all")
    if as_user:
        argv.append("--user")
    if query.after:
        # journalctl takes a place in the journal or a time to begin with, not both.
        argv.append(f"--after-cursor={query.after}")
    elif query.since is not None:
        argv.append(f"--since=@{query.since:.6f}")
    if query.until is not None:
        argv.append(f"--until=@{query.until:.6f}")
    if query.lines is not None:
        argv.append(f"--lines={query.lines}")
    own = f"_UID={account.uid}"
    names = [unit_name(unit) for unit in query.units]
    if not names:
        return [*argv, own]
    identifiers = [name.rsplit(".", 1)[0] for name in names]
    # Fields of one group are joined by AND (the same field twice by OR), groups by OR.
    return [
        *argv,
        *(own, *(f"_SYSTEMD_USER_UNIT={name}" for name in names)),
        *("+", own, *(f"SYSLOG_IDENTIFIER={identifier}" for identifier in identifiers)),
        *("+", own, *(f"USER_UNIT={name}" for name in names)),
    ]


# What root answers to a process that has become a user, where there is one to ask: see journal_from_root.
RootsReader = Callable[[Query], Lines]


@contextlib.contextmanager
def open_journal(
    account: Account,
    query: Query,
    *,
    open_stream: StreamOpener = stream,
    from_root: RootsReader | None = None,
) -> Generator[Iterator[bytes]]:
    """What journalctl prints for a user's units, line by line. Raises JournalError where it cannot be read.

    As root, or `from_root`, the whole journal is read by fields; as the user it is `journalctl --user`, which
    shows nothing unless the journal is persistent.
    """
    as_user = os.geteuid() != 0
    try:
        with (
            from_root(query)
            if from_root is not None
            else open_stream(
                journal_command(account, query, as_user=as_user), account=account if as_user else None
            )
        ) as found:
            yield found
    except JournalError:
        raise
    except HostError as error:
        raise _unavailable(error, account) from None


def _unavailable(error: HostError, account: Account) -> JournalError:
    # Hints come first, what went wrong comes last.
    said = error.message.strip("\n").split("\n")[-1].strip()
    if "No journal files were" in said and account.uid >= 1000 and not persistent():
        return JournalError(
            f"There is no journal that {account.name} can read: {said}",
            kind="no_journal",
            remedy="Keep the journal on disk (Storage=persistent in journald.conf), then "
            "systemctl restart systemd-journald; the role openclaw.mission_control.common does both.",
        )
    if "insufficient permissions" in said or "Permission denied" in said:
        return JournalError(
            f"{account.name} may not read the journal: {said}",
            kind="not_permitted",
            remedy=f"Read it as root, or put {account.name} into the group systemd-journal.",
        )
    return JournalError(f"journalctl failed: {said}", kind=error.kind, remedy=error.remedy)
