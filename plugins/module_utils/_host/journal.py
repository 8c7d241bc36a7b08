# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The journal of user units, entry by entry in bounded memory."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import root_side
from .accounts import SEARCH_PATH, Account
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
    by_root = root_side.at_hand() and account.uid == os.geteuid()
    if as_user is None:
        as_user = os.geteuid() != 0 and not by_root
    after = ""
    try:
        while True:
            asked: dict[str, Any] = {
                "units": list(units),
                "identifiers": identifiers if identifiers is None else list(identifiers),
                "since": since,
                "until": until,
                "invocation": invocation,
                "lines": lines,
                "manager": manager,
                "after": after,
            }
            after = ""
            with (
                _from_root(asked)
                if by_root and not as_user
                else open_stream(
                    journal_command(account, **asked, as_user=as_user), account=account if as_user else None
                )
            ) as output:
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


# What root has running for the child: journalctl by number.
_readers: dict[int, subprocess.Popen[bytes]] = {}


@root_side.answered_by_root
def _open_journal(asked: Mapping[str, Any]) -> Any:
    """Root's journalctl over the lines of the user who asks; he gets its output."""
    account = root_side.asker()
    argv = journal_command(
        account,
        [str(name) for name in asked["units"]],
        None if asked["identifiers"] is None else [str(name) for name in asked["identifiers"]],
        since=None if asked["since"] is None else float(asked["since"]),
        until=None if asked["until"] is None else float(asked["until"]),
        invocation=None if asked["invocation"] is None else str(asked["invocation"]),
        lines=None if asked["lines"] is None else int(asked["lines"]),
        manager=bool(asked["manager"]),
        after=str(asked["after"]),
        as_user=False,
    )
    child = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": SEARCH_PATH, "LANG": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )
    _readers[child.pid] = child
    assert child.stdout is not None and child.stderr is not None  # noqa: S101 - both are pipes
    with child.stdout, child.stderr:
        return root_side.Opened(os.dup(child.stdout.fileno()), os.dup(child.stderr.fileno()), note=child.pid)


@root_side.answered_by_root
def _close_journal(number: int) -> int:
    """How that journalctl has ended; it is ended now if it has not."""
    child = _readers.pop(int(number))
    try:
        return child.wait(timeout=1)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


@contextlib.contextmanager
def _from_root(asked: Mapping[str, Any]) -> Generator[Iterator[bytes]]:
    """Like `stream`, but root runs journalctl: a user may not see all lines of his own units."""
    opened: Any = _open_journal(asked)
    output, complaints = (os.fdopen(descriptor, "rb") for descriptor in opened.descriptors)

    def lines() -> Iterator[bytes]:
        yield from output
        said = complaints.read(4096).decode("utf-8", "replace").strip()
        status = _close_journal(opened.note)
        ended.append(status)
        if status != 0:
            raise HostError(said or f"exit status {status}", kind="failed")

    ended: list[int] = []
    try:
        yield lines()
    finally:
        output.close()
        complaints.close()
        if not ended:
            _close_journal(opened.note)


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
