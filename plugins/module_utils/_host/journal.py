# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of user units, entry by entry in bounded memory."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .accounts import Account
from .commands import stream
from .errors import HostError
from .systemd import unit_name

_FIELDS = (
    "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_USER_UNIT,USER_UNIT,"
    "_SYSTEMD_INVOCATION_ID,USER_INVOCATION_ID"
)

# How many entries one journalctl reads: what it has read of the files, some 70 MB then, stays in its memory.
SLICE = 200_000

StreamOpener = Callable[..., AbstractContextManager[Iterator[bytes]]]


class JournalError(HostError):
    """The journal cannot be read; kind says why, remedy what to do."""


@dataclass(frozen=True)
class JournalEntry:
    time: float
    message: str
    priority: int | None
    identifier: str
    unit: str
    pid: int | None
    invocation: str
    from_manager: bool


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
    follow: bool = False,
    after: str = "",
) -> list[str]:
    """The journalctl call for a user's units.

    Lines are matched by unit and, because children that end at once are not attributed to their
    unit, by syslog identifier too (by default the unit's name without its suffix).
    """
    names = [unit_name(unit) for unit in units]
    if identifiers is None:
        identifiers = [name.rsplit(".", 1)[0] for name in names]
    if as_user is None:
        as_user = os.geteuid() != 0
    argv = ["journalctl", "--no-pager", "--all", "--output=json", f"--output-fields={_FIELDS}"]
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
    if follow:
        argv.append("--follow")
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


def _text(value: Any, limit: int) -> str:
    """A field as journalctl prints it in JSON: text, bytes as numbers, or several of them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value[:limit]).decode("utf-8", "replace")
        return _text(value[-1], limit)
    return str(value)[:limit]


def _integer(value: Any) -> int | None:
    try:
        return int(_text(value, 32))
    except ValueError:
        return None


def parse_entry(line: bytes, max_message: int = 8192) -> JournalEntry | None:
    """One line of `journalctl --output=json`; None for what is not an entry."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    stamp = _integer(fields.get("__REALTIME_TIMESTAMP"))
    if stamp is None:
        return None
    subject = _text(fields.get("USER_UNIT"), 256)
    return JournalEntry(
        time=stamp / 1e6,
        message=_text(fields.get("MESSAGE"), max_message),
        priority=_integer(fields.get("PRIORITY")),
        identifier=_text(fields.get("SYSLOG_IDENTIFIER"), 256),
        unit=subject or _text(fields.get("_SYSTEMD_USER_UNIT"), 256),
        pid=_integer(fields.get("_PID")),
        invocation=_text(fields.get("USER_INVOCATION_ID") or fields.get("_SYSTEMD_INVOCATION_ID"), 64),
        from_manager=bool(subject),
    )


def _cursor(line: bytes) -> str:
    """The place of an entry in the journal, as journalctl prints it; nothing for what is not an entry."""
    try:
        fields = json.loads(line)
    except ValueError:
        return ""
    return _text(fields.get("__CURSOR"), 1024) if isinstance(fields, dict) else ""


def read_journal(
    account: Account,
    units: Sequence[str] = (),
    *,
    identifiers: Sequence[str] | None = None,
    since: float | None = None,
    until: float | None = None,
    invocation: str | None = None,
    lines: int | None = None,
    manager: bool = True,
    max_message: int = 8192,
    as_user: bool | None = None,
    open_stream: StreamOpener = stream,
) -> Iterator[JournalEntry]:
    """The entries of a user's units in order of time, one in memory at a time.

    As root the whole journal is read by fields; as the user it is `journalctl --user`, which shows
    nothing unless the journal is persistent.
    """
    if as_user is None:
        as_user = os.geteuid() != 0
    after = ""
    try:
        while True:
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
            )
            after = ""
            with open_stream(argv, account=account if as_user else None) as output:
                for number, line in enumerate(output, 1):
                    entry = parse_entry(line, max_message)
                    if entry is not None:
                        yield entry
                    if number >= SLICE and lines is None:
                        after = _cursor(line)
                        if after:
                            break
            if not after:
                return
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


def tail(
    account: Account,
    units: Sequence[str],
    lines: int = 40,
    *,
    since: float | None = None,
    invocation: str | None = None,
    open_stream: StreamOpener = stream,
) -> list[str]:
    """The last lines of a unit, oldest first."""
    kept: deque[str] = deque(maxlen=lines)
    entries = read_journal(
        account,
        units,
        since=since,
        invocation=invocation,
        lines=lines,
        open_stream=open_stream,
    )
    for entry in entries:
        kept.extend(entry.message.rstrip("\n").split("\n"))
    return list(kept)
