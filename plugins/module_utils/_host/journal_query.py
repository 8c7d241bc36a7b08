# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How journalctl is asked for the lines of user units, and what it means when it refuses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from .accounts import Account
from .commands import stream
from .errors import HostError
from .systemd import unit_name

StreamOpener = Callable[..., AbstractContextManager[Iterator[bytes]]]


class JournalError(HostError):
    """The journal cannot be read; kind says why, remedy what to do."""


def persistent(root: Path = Path("/")) -> bool:
    """Whether the journal outlives a reboot, which is also what `journalctl --user` needs."""
    directory = root / "var/log/journal"
    return directory.is_dir() and any(child.is_dir() for child in directory.iterdir())


def journal_command(
    account: Account,
    units: Sequence[str] = (),
    identifiers: Sequence[str] | None = None,
    *,
    since: float | None = None,
    until: float | None = None,
    invocation: str | None = None,
    lines: int | None = None,
    manager: bool = True,
    as_user: bool | None = None,
    after: str = "",
    output: Sequence[str] = ("--output=cat",),
) -> list[str]:
    """The journalctl call for a user's units.

    Lines are matched by unit and, because children that end at once are not attributed to their
    unit, by syslog identifier too (by default the unit's name without its suffix). `output` says in which
    form the lines come: by default as text, without time and origin.
    """
    names = [unit_name(unit) for unit in units]
    if identifiers is None:
        identifiers = [name.rsplit(".", 1)[0] for name in names]
    if as_user is None:
        as_user = os.geteuid() != 0
    argv = ["journalctl", "--no-pager", "--all", *output]
    if as_user:
        argv.append("--user")
    if after:
        # journalctl takes a place in the journal or a time to begin with, not both.
        argv.append(f"--after-cursor={after}")
    elif since is not None:
        argv.append(f"--since=@{since:.6f}")
    if until is not None:
        argv.append(f"--until=@{until:.6f}")
    if lines is not None:
        argv.append(f"--lines={lines}")
    own = f"_UID={account.uid}"
    # Fields of one group are joined by AND (the same field twice by OR), groups by OR.
    groups: list[list[str]] = []
    if invocation is not None:
        groups.append([own, f"_SYSTEMD_INVOCATION_ID={invocation}"])
        if manager:
            groups.append([own, f"USER_INVOCATION_ID={invocation}"])
    else:
        if names:
            groups.append([own, *(f"_SYSTEMD_USER_UNIT={name}" for name in names)])
        if identifiers:
            groups.append([own, *(f"SYSLOG_IDENTIFIER={identifier}" for identifier in identifiers)])
        if manager and names:
            groups.append([own, *(f"USER_UNIT={name}" for name in names)])
        if not groups:
            groups.append([own])
    for index, group in enumerate(groups):
        argv.extend(group if index == 0 else ["+", *group])
    return argv


@contextlib.contextmanager
def open_journal(
    account: Account,
    units: Sequence[str] = (),
    identifiers: Sequence[str] | None = None,
    *,
    since: float | None = None,
    until: float | None = None,
    invocation: str | None = None,
    lines: int | None = None,
    manager: bool = True,
    as_user: bool | None = None,
    after: str = "",
    output: Sequence[str] = ("--output=cat",),
    open_stream: StreamOpener = stream,
) -> Generator[Iterator[bytes]]:
    """What journalctl prints for a user's units, line by line. Raises JournalError where it cannot be read.

    As root the whole journal is read by fields; as the user it is `journalctl --user`, which shows
    nothing unless the journal is persistent.
    """
    if as_user is None:
        as_user = os.geteuid() != 0
    argv = journal_command(
        account,
        units,
        identifiers,
        since=since,
        until=until,
        invocation=invocation,
        lines=lines,
        manager=manager,
        as_user=as_user,
        after=after,
        output=output,
    )
    try:
        with open_stream(argv, account=account if as_user else None) as found:
            yield found
    except JournalError:
        raise
    except HostError as error:
        raise _unavailable(error, account) from None


def _unavailable(error: HostError, account: Account) -> JournalError:
    # Hints come first, what went wrong comes last.
    said = (error.message.splitlines() or [""])[-1].strip()
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
