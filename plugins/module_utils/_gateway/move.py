# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves a gateway's data from one user to another, as a stream between two processes that are those users.

Neither can read the other's home, and root reads nothing of either: a process that is the old user writes an
archive into a pipe, one that is the new user unpacks it. Of what comes out only regular files, directories
and links that stay inside are taken. The old data is kept until the gateway answers as the new user, and
then put aside. Each step is written down by root (placement_record.Record), so that the next run goes on
wherever one was interrupted.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from .._application.components import service_unit
from .._host import files, moving
from .._host.accounts import Account, find_account, user_environment
from .._host.acting import process_identity
from .._host.acting_as import acting_as
from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._host.privileges import as_user
from .._host.units import Units, plan, wanted_unit
from .._host.user_files import UserFiles
from .._times.amounts import size
from . import placement_record, placing
from .plan import TOKEN_ALPHABET, Layout, environment_text, token_of_environment, write_file

# What has to stay free of the new user's file system, whatever the old one sends.
RESERVE = 300_000_000
# Settings and records name paths of their own directory; larger ones, and an agent's files, stay as they are.
_REWRITTEN = 32 << 20
_HEADER = 1 << 16
_SHOWN = 8


@dataclass(frozen=True)
class Move:
    """From whom to whom, and where each has what."""

    former: Account
    account: Account
    source: Layout
    target: Layout
    timeout: float = 1800.0

    @property
    def states(self) -> tuple[Path, Path]:
        """The gateway's own directory, of the one and of the other."""
        return self.source.configuration.parent, self.target.configuration.parent


@dataclass
class Unpacked:
    """What came out of the stream; `skipped` says what did not, and why."""

    files: int = 0
    bytes: int = 0
    skipped: list[str] = field(default_factory=list)


def check(move: Move) -> None:
    """Refuse what cannot be moved, before anything is touched."""
    old, new = move.states
    if old == new or move.source.root == move.target.root:
        raise HostError(
            f"The gateway cannot be moved from {move.former.name} to {move.account.name}: gateway_root or "
            "gateway_state_directory is the same path for both.",
            kind="move",
            remedy="Name paths that begin with ~, or leave it where it is with mission_control_gateway_user: "
            f"{move.former.name}.",
        )
    if placing.occupied(move.account, new):
        raise HostError(
            f"The gateway cannot be moved to {move.account.name}, who has one already ({new}).",
            kind="occupied",
            remedy="Name another user in mission_control_gateway_user, or move that directory away.",
        )


def carry(move: Move) -> list[str]:
    """Stop the gateway and bring its data to the new user; returns what an operator has to know of it."""
    record = placement_record.read_record()
    by_hand = record.by_hand if record else False
    placing.remember(placement_record.Record(move.former.name, by_hand, entering=move.account.name))
    _rest(move.former)
    try:
        unpacked = transfer(move)
        _hand_over(move)
    except BaseException:
        with contextlib.suppress(HostError):
            _run(move.former)
        raise
    placing.remember(placement_record.Record(move.account.name, leaving=move.former.name))
    told = [f"moved {unpacked.files} files, {size(unpacked.bytes)}"]
    if unpacked.skipped:
        more = len(unpacked.skipped) - _SHOWN
        names = "; ".join(unpacked.skipped[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        told.append(f"not moved, and kept with the old data: {names}")
    return told


def undo(move: Move) -> None:
    """The gateway does not start as the new user: let it run as the old one, whose data is as it was."""
    with contextlib.suppress(HostError):
        _rest(move.account)
    record = placement_record.read_record()
    by_hand = record.by_hand if record else False
    placing.remember(placement_record.Record(move.former.name, by_hand, entering=move.account.name))
    _run(move.former)


def finish(user: str, former: str, source: Layout) -> list[str]:
    """Remove what the old user still has of a gateway that runs as the new one; its data is put aside.

    :param source: where the old user has it.
    """
    account = find_account(former)
    name = service_unit("gateway")
    units = Units(account)
    if units.manager.running:
        wanted = [wanted_unit(name, state="absent")]
        units.apply(wanted, plan(wanted, units.find([name])))
    state, root = source.configuration.parent, source.root

    def clear(_account: Account) -> list[str]:
        _forget_unit(Path(account.home), name)
        told = []
        if os.path.lexists(state):
            aside = _free(state.with_name(f"{state.name}.moved-to-{user}"))
            moving.move(state, aside)
            told.append(f"its data before the move is kept in {aside}")
        if root.is_dir() and not root.is_symlink():
            # Programs, and the token: the new user has both.
            files.remove(root)
            told.append(f"removed {root}")
        return told

    told: list[str] = as_user(former, clear)
    placing.remember(placement_record.Record(user))
    return told


# --- the gateway of a user -------------------------------------------------------------------------


def _rest(account: Account) -> None:
    """Stop it, and keep the next boot from starting it."""
    name = service_unit("gateway")
    units = Units(account)
    if units.manager.running:
        wanted = [wanted_unit(name, enabled=False, state="stopped")]
        units.apply(wanted, plan(wanted, units.find([name])))
    else:
        with acting_as(account):
            (_wants(Path(account.home)) / name).unlink(missing_ok=True)


def _run(account: Account) -> None:
    name = service_unit("gateway")
    units = Units(account)
    if units.find([name])[name].text is not None:
        wanted = [wanted_unit(name, enabled=True)]
        units.apply(wanted, plan(wanted, units.find([name])))


def _wants(home: Path) -> Path:
    return home / ".config/systemd/user/default.target.wants"


def _forget_unit(home: Path, name: str) -> None:
    for path in (_wants(home) / name, home / ".config/systemd/user" / name):
        path.unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """A name that nothing bears yet."""
    number = 1
    found = path
    while os.path.lexists(found):
        number += 1
        found = path.with_name(f"{path.name}.{number}")
    return found


# --- the stream ------------------------------------------------------------------------------------


def transfer(move: Move) -> Unpacked:
    """Copy the gateway's own directory, whole or not at all."""
    source, target = (str(path) for path in move.states)
    staging = move.states[1].with_name(f"{move.states[1].name}.moving")
    with process_identity(move.former) as identity, tempfile.TemporaryFile() as complaints:
        packer = subprocess.Popen(
            ["/usr/bin/tar", *_TAR, f"--directory={source}", "."],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=user_environment(move.former),
            cwd="/",
            start_new_session=True,
            **identity,
        )
        stream = cast("IO[bytes]", packer.stdout)

        def unpack_here(_account: Account) -> dict[str, Any]:
            files.remove(staging)
            staging.mkdir(mode=0o700, parents=True)
            with os.fdopen(os.dup(stream.fileno()), "rb") as pipe:
                found = unpack(pipe, staging, (source, target))
            return {"files": found.files, "bytes": found.bytes, "skipped": found.skipped}

        try:
            kept = [stream.fileno()]
            unpacked = Unpacked(**as_user(move.account.name, unpack_here, deadline=move.timeout, keep=kept))
        finally:
            stream.close()
            if packer.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    packer.wait(timeout=5)
            if packer.poll() is None:
                packer.kill()
            status = packer.wait()
        complaints.seek(0)
        said = complaints.read(1 << 16).decode("utf-8", "replace").splitlines()
    if status > 1:
        raise DeploymentError(
            f"{source} could not be read by {move.former.name}: {' / '.join(said[:4]) or f'status {status}'}",
            kind="move",
            remedy="Put that right and deploy again; the gateway runs as before.",
        )
    unpacked.skipped += [line.removeprefix("/usr/bin/tar: ") for line in said]
    return unpacked


# What a file system holds besides, such as something mounted there, is not the gateway's.
_TAR = ("--create", "--file=-", "--format=pax", "--one-file-system", "--ignore-failed-read")


def unpack(stream: IO[bytes], target: Path, moved: tuple[str, str]) -> Unpacked:
    """Take out of an archive what may lie in the directory, and nothing else.

    :param stream: whatever the old user sends.
    :param target: an empty directory of the user's whose process this is.
    :param moved: the path that the directory had, and the one that it will have.
    """
    result = Unpacked()
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                _take(archive, member, target, moved, result)
    except (tarfile.TarError, EOFError) as error:
        raise DeploymentError(
            f"What the old user sends is not an archive: {error}.", kind="move", remedy="Deploy again."
        ) from None
    return result


def _take(
    archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path, moved: tuple[str, str], result: Unpacked
) -> None:
    name = PurePosixPath(member.name)
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        result.skipped.append(f"{name}: neither file, directory nor link")
        return
    if member.isreg():
        _see_that_there_is_room(target, member.size)
    if member.issym():
        member.linkname = _inside(member.linkname, name, moved)
    try:
        # It refuses what leads outside, and takes owners, devices and special permissions away.
        safe = tarfile.data_filter(member, str(target))
    except tarfile.FilterError:
        result.skipped.append(f"{name}: leads outside of the gateway's directory")
        return
    if member.isdir() and name == PurePosixPath("."):
        return
    if member.isreg() and (text := _rewritten(archive, member, name, moved)) is not None:
        safe = safe.replace(deep=False)
        safe.size = len(text)
        _write(target / name, text, safe.mode or 0o600)
    else:
        archive.extract(safe, target, set_attrs=True, filter=_as_it_is)
    if member.isreg():
        result.files += 1
        result.bytes += member.size


def _as_it_is(member: tarfile.TarInfo, _path: str) -> tarfile.TarInfo:
    """It has been filtered."""
    return member


def _write(path: Path, text: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        os.fchmod(file.fileno(), mode & 0o777)


def _inside(target: str, name: PurePosixPath, moved: tuple[str, str]) -> str:
    """A link into the directory by its full path, as one that goes along."""
    old = moved[0]
    if target != old and not target.startswith(f"{old}/"):
        return target
    return os.path.relpath(target[len(old) :].lstrip("/") or ".", str(name.parent))


def _rewritten(
    archive: tarfile.TarFile, member: tarfile.TarInfo, name: PurePosixPath, moved: tuple[str, str]
) -> bytes | None:
    """The content of a file of the gateway's with the new place for the old one; None: as it is."""
    parts = [part for part in name.parts if part != "."]
    if not parts or parts[0].startswith("workspace") or member.size > _REWRITTEN:
        return None
    if not name.name.endswith((".json", ".jsonl")):
        return None
    content = archive.extractfile(member)
    data = content.read() if content is not None else b""
    if name.name.endswith(".jsonl"):
        # The head says where the session works; what follows has been said, and stays.
        head, separator, rest = data.partition(b"\n")
        return data if len(head) > _HEADER else relocate(head, moved) + separator + rest
    return relocate(data, moved)


def relocate(text: bytes, moved: tuple[str, str]) -> bytes:
    """A text that names the old place, and what lies in it, by the new one."""
    old, new = (path.encode() for path in moved)
    return re.sub(rb"(?<![\w./-])" + re.escape(old) + rb"(?![\w.-])", lambda _found: new, text)


def _see_that_there_is_room(target: Path, needed: int) -> None:
    found = os.statvfs(target)
    if needed > found.f_bavail * found.f_frsize - RESERVE:
        raise DeploymentError(
            f"{target} has too little room for the gateway's data.",
            kind="space",
            remedy="Make room and deploy again; the gateway runs as before.",
        )


def _hand_over(move: Move) -> None:
    """Put the copy into its place, and beside it what only we have: the token, and what we have set."""
    looks = UserFiles(move.former)
    token = token_of_environment(_text(looks, move.source.environment))
    applied = _text(looks, move.source.applied)
    state = move.states[1]
    staging = state.with_name(f"{state.name}.moving")

    def put(_account: Account) -> None:
        if token and set(token) <= TOKEN_ALPHABET:
            write_file(move.target.environment, environment_text(token), 0o600)
        if applied:
            write_file(move.target.applied, applied, 0o600)
        files.remove(state)
        staging.replace(state)

    as_user(move.account.name, put)


def _text(looks: UserFiles, path: Path) -> str:
    try:
        return looks.read(path)
    except OSError:
        return ""
