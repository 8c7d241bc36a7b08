# SPDX-License-Identifier: GPL-3.0-or-later
"""The application's database as it was at a second, out of a server of its own beside the running one.

pgBackRest brings the server's files and its write-ahead log. That server listens on one socket, where only
the application's user may log in, as the application's role, and it is that user's process that dumps the
database: nobody who may do more acts on what the application could write. From there on it is restored as
any other restore point.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .._application.components import PORTS
from .._host import files, moving, privileges
from .._host.accounts import Account, find_account
from .._host.commands import run
from .._host.deployment_errors import DeploymentError
from .._times.amounts import size
from .._times.moments import moment as moment_of
from .._times.record_stamps import local_time, utc_stamp
from . import archive, server, streams
from .configuration import Configuration
from .owners import by_owner

# Beside the data of the clusters, on their disk.
PLACE = "mission-control-point-in-time"
_STARTED = 4 * 3600
# What pg_isready says of a server that is there and takes no connections yet.
_REJECTING = 1
_SERVER = """\
listen_addresses = ''
hba_file = '{place}/pg_hba.conf'
ident_file = '{place}/pg_ident.conf'
"""
# What was set by ALTER SYSTEM comes along with the files; this stands above it.
_NUMBER = str(PORTS["postgresql"])
_ABOVE = {
    "listen_addresses": "",
    "port": _NUMBER,
    "archive_mode": "off",
    "archive_command": "",
    "hot_standby": "off",
    "ssl": "off",
    "shared_preload_libraries": "",
    "session_preload_libraries": "",
    "local_preload_libraries": "",
    "shared_buffers": "64MB",
    "fsync": "off",
    "autovacuum": "off",
    "max_prepared_transactions": "256",
    "logging_collector": "off",
}


def wanted_moment(given: str, now: float, taken: list[dict[str, Any]]) -> float:
    """The moment that is meant, which the archive has to reach."""
    try:
        wanted = moment_of(given, now)
    except ValueError as error:
        raise DeploymentError(f"time: {error}.", kind="bad_time") from None
    if wanted > now:
        raise DeploymentError(f"time: {given} has not come yet.", kind="bad_time")
    first = min((found["stop"] for found in taken), default=None)
    if first is None or wanted < first:
        reach = f"It begins at {local_time(first)}." if first else "There is no backup of the server's files."
        raise DeploymentError(
            f"time: {given} is before what the archived write-ahead log reaches back to. {reach}",
            kind="bad_time",
            remedy="Choose a later time, or a restore point by its name (-e snapshot=).",
        )
    return wanted


def need_room(configuration: Configuration) -> None:
    """The server's files lie there once more meanwhile."""
    there = archive.cluster(configuration)
    data = Path(there["data"])

    def look(_account: Account) -> list[int]:
        used = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
        return [used, shutil.disk_usage(data).free]

    used, free = privileges.as_user(server.ADMINISTRATOR, look)
    needed = int(used * 1.1) + (128 << 20)
    if free < needed:
        raise DeploymentError(
            f"A server as of that time needs {size(needed)} in {data.parent}, and there are {size(free)}.",
            kind="no_room",
            remedy="Nothing was changed. Make room there.",
        )


def dump(configuration: Configuration, moment: float, path: Path) -> dict[str, Any]:
    """The database as it was then, as a file of the application's user; returns its schema and rows."""
    _refuse_more_than_ordinary(configuration)
    root, login, database = configuration.root_directory, configuration.login, configuration.database

    def write(account: Account, socket: str) -> dict[str, Any]:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        url = f"postgresql://{quote(login)}@/{quote(database)}?host={quote(socket, safe='')}"
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            return streams.dump_database(root, account, file.fileno(), url=url)

    _archive_up_to_now(configuration)
    with _server(configuration, moment) as socket:
        answer: dict[str, Any] = by_owner(configuration.account.name, lambda account: write(account, socket))
    return answer


def _refuse_more_than_ordinary(configuration: Configuration) -> None:
    """The application's user becomes that role in a server of its own, so it must be no more than his."""
    if not server.login_is_ordinary(configuration):
        raise DeploymentError(
            f"The role {configuration.login} is not an ordinary one of this host's server.",
            kind="no_rights",
            remedy="Name the application's role (mission_control_database_user), and deploy again.",
        )


def _archive_up_to_now(configuration: Configuration) -> None:
    """A transaction after the wanted moment, in the archive: there recovery knows that it has come to it."""
    query = "SELECT pg_current_xact_id() IS NOT NULL, pg_walfile_name(pg_current_wal_lsn())"
    name = server.ask_server(configuration, query).partition("|")[2]
    server.ask_server(configuration, "SELECT pg_switch_wal()")
    deadline = time.monotonic() + 120
    while server.ask_server(configuration, "SELECT last_archived_wal FROM pg_stat_archiver")[:24] < name:
        if time.monotonic() > deadline:
            raise server.ArchiveError(
                "The server's newest write-ahead log does not come to the archive.",
                kind="archive_failed",
                remedy="See the server's journal: what does pgbackrest archive-push say?",
            )
        time.sleep(0.2)


@contextlib.contextmanager
def _server(configuration: Configuration, moment: float) -> Iterator[str]:
    """Where that server listens. It and its files are gone afterwards."""
    there = archive.cluster(configuration)
    place = Path(there["data"]).parents[1] / PLACE
    programs = Path("/usr/lib/postgresql", there["version"], "bin")
    account = find_account(server.ADMINISTRATOR)
    socket = tempfile.mkdtemp(prefix="mission-control-", dir="/run")
    try:
        moving.give(Path(socket), account.uid, account.gid)
        Path(socket).chmod(0o711)
        privileges.as_user(server.ADMINISTRATOR, lambda _account: _prepare(place))
        target = utc_stamp(moment).replace("T", " ").replace("Z", "+00")
        archive.pgbackrest(
            f"--pg1-path={place}/data",
            "--type=time",
            f"--target={target}",
            "--target-action=promote",
            "--archive-mode=off",
            "restore",
            what="Bringing back the server's files",
        )
        privileges.as_user(server.ADMINISTRATOR, lambda _account: _configure(place, configuration))
        above = {**_ABOVE, "unix_socket_directories": socket}
        options = " ".join(f"-c {name}='{value}'" for name, value in above.items())
        control = [str(programs / "pg_ctl"), f"--pgdata={place}/data", f"--log={place}/log", "--silent"]
        try:
            _start([*control, "--wait", f"--options={options}", "start"], place, socket)
            yield socket
        finally:
            run([*control, "--mode=immediate", "stop"], account=account, timeout=120)
    finally:
        with contextlib.suppress(OSError):
            privileges.as_user(server.ADMINISTRATOR, lambda _account: files.remove(place))
        shutil.rmtree(socket, ignore_errors=True)


def _prepare(place: Path) -> None:
    files.remove(place)
    (place / "data").mkdir(mode=0o700, parents=True)


def _configure(place: Path, configuration: Configuration) -> None:
    login, database = configuration.login, configuration.database
    (place / "data/postgresql.conf").write_text(_SERVER.format(place=place))
    (place / "pg_hba.conf").write_text(f'local "{database}" "{login}" peer map=application\n')
    (place / "pg_ident.conf").write_text(f'application "{configuration.account.name}" "{login}"\n')


def _start(argv: list[str], place: Path, socket: str) -> None:
    """Until the moment has come; a log that does not reach it is told as such.

    pg_ctl waits for recovery to begin, not for its end: the server takes connections then.
    """
    account = find_account(server.ADMINISTRATOR)

    def log(_account: Account) -> str:
        with contextlib.suppress(OSError):
            return (place / "log").read_text(errors="replace")[-20000:]
        return ""

    # The server runs on when this has ended; it is stopped by name.
    done = run(argv, account=account, timeout=120, enclosed=False)
    deadline = time.monotonic() + _STARTED
    while done.ok:
        ready = run(["pg_isready", f"--host={socket}", f"--port={_NUMBER}", "--quiet"], account=account)
        if ready.ok:
            return
        if ready.returncode != _REJECTING or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    lines = privileges.as_user(server.ADMINISTRATOR, log).splitlines()
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    raise server.ArchiveError(
        f"The server as of that time does not start: {fatal[-1] if fatal else done.complaint}",
        kind="archive_failed",
        remedy="Nothing was changed. Choose another time, or a restore point by its name (-e snapshot=).",
        details={"output": lines[-10:]},
    )
