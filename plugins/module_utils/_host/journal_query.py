# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How journalctl is asked for the lines of user units, and what it means when it refuses."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from . import root_side
from .accounts import SEARCH_PATH, Account
from .commands import stream
from .errors import HostError
from .systemd import unit_name

# How journalctl shall print: lines as text, or entries with the fields that are read.
TEXT = ("--output=cat",)
_FIELDS = (
    "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_USER_UNIT,USER_UNIT,"
    "_SYSTEMD_INVOCATION_ID,USER_INVOCATION_ID"
)
ENTRIES = ("--output=json", f"--output-fields={_FIELDS}")
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
    entries: bool = False,
) -> list[str]:
    """The journalctl call for a user's units.

    Lines are matched by unit and, because children that end at once are not attributed to their
    unit, by syslog identifier too (by default the unit's name without its suffix). With `entries` they come
    as JSON, else as text, without time and origin.
    """
    names = [unit_name(unit) for unit in units]
    if identifiers is None:
        identifiers = [name.rsplit(".", 1)[0] for name in names]
    if as_user is None:
        as_user = os.geteuid() != 0
    argv = ["journalctl", "--no-pager", "--all", *(ENTRIES if entries else TEXT)]
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
    entries: bool = False,
    open_stream: StreamOpener = stream,
) -> Generator[Iterator[bytes]]:
    """What journalctl prints for a user's units, line by line. Raises JournalError where it cannot be read.

    As root the whole journal is read by fields; as the user it is `journalctl --user`, which shows
    nothing unless the journal is persistent.
    """
    by_root = root_side.at_hand() and account.uid == os.geteuid()
    if as_user is None:
        as_user = os.geteuid() != 0 and not by_root
    asked: dict[str, Any] = {
        "units": list(units),
        "identifiers": identifiers if identifiers is None else list(identifiers),
        "since": since,
        "until": until,
        "invocation": invocation,
        "lines": lines,
        "manager": manager,
        "after": after,
        "entries": entries,
    }
    try:
        with (
            _from_root(asked)
            if by_root and not as_user
            else open_stream(
                journal_command(account, **asked, as_user=as_user), account=account if as_user else None
            )
        ) as found:
            yield found
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
        entries=bool(asked["entries"]),
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
