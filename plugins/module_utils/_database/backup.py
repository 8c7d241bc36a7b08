# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Backups of the database: taken aside, read again as a test, and only then counted among the others."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from .._application import environment
from .._application.layout import Layout
from .._durations import name_stamp
from .._host import files, privileges
from .._host.accounts import Account
from .._host.errors import DeploymentError
from .._host.logged_commands import Commands, application_environment
from .._redaction import Redactor
from .._release import records

_NAME = re.compile(r"before-migration-(\d{8}T\d{6}Z)-([A-Za-z0-9_.+]+)\.dump")
_EMPTY = "empty"
# Schemas that a restoration left beside the application's own; no part of later backups.
KEPT = "public_before_"


def name_of(current: list[str], moment: float) -> str:
    """A backup's name tells when it was taken and which schema is in it."""
    schema = "+".join(re.sub(r"[^A-Za-z0-9_]", "_", revision) for revision in current) or _EMPTY
    return f"before-migration-{name_stamp(moment)}-{schema}.dump"


def schema_of(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    return match[2] if match else ""


def backups(directory: Path) -> list[Path]:
    """The backups of this module, newest first; other files are nobody's business."""
    if not directory.is_dir():
        return []
    return sorted((path for path in directory.iterdir() if _NAME.fullmatch(path.name)), reverse=True)


def surplus(directory: Path, keep: int, protect: Collection[str] = ()) -> list[Path]:
    return [path for path in backups(directory)[max(keep, 1) :] if str(path) not in protect]


@dataclass(frozen=True)
class Target:
    """A database as libpq wants it: an address without a password, and the password by itself."""

    address: str
    password: str

    @property
    def environment(self) -> dict[str, str]:
        # In the environment only the user and root can read it, in the arguments anybody could.
        return {"PGPASSWORD": self.password} if self.password else {}


def target(url: str) -> Target:
    """Part a SQLAlchemy URL; the driver's name is left out."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        raise DeploymentError(
            "DATABASE_URL of the release is no PostgreSQL address.",
            kind="no_database",
            remedy="Set mission_control_database_url to postgresql://user:password@host:5432/database.",
        )
    query = dict(parse_qsl(parts.query))
    password = query.pop("password", "") or unquote(parts.password or "")
    login, _separator, host = parts.netloc.rpartition("@")
    user = login.split(":", 1)[0]
    netloc = f"{user}@{host}" if user else host
    return Target(urlunsplit(("postgresql", netloc, parts.path, urlencode(query), "")), password)


@dataclass(frozen=True)
class Backup:
    path: Path
    size: int
    tables: int
    seconds: float


def take(directory: Path, name: str, database: Target, commands: Commands, timeout: float) -> Backup:
    """Dump, read the dump from beginning to end, then give it its name."""
    started = time.monotonic()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    final, partial = directory / name, directory / f".{name}.partial"
    for old in directory.glob(".before-migration-*.partial"):
        files.remove(old)
    # Made here, so that nobody else can read it at any moment.
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        commands(
            [
                "pg_dump",
                "--format=custom",
                "--no-password",
                "--lock-wait-timeout=30s",
                f"--exclude-schema={KEPT}*",
                f"--file={partial}",
                f"--dbname={database.address}",
            ],
            what="Backing up the database",
            shown=f"pg_dump --format=custom --file={final}",
            environment=database.environment,
            timeout=timeout,
            remedy="Nothing was migrated. The client must not be older than the server: install the "
            "postgresql-client of the server's version.",
        )
        listing = commands(
            ["pg_restore", "--list", partial], what="Listing the backup", shown=f"pg_restore --list {final}"
        )
        # The list stands at the beginning: what follows has been read only after this.
        commands(
            ["pg_restore", "--file=/dev/null", partial],
            what="Reading the backup",
            shown=f"pg_restore --file=/dev/null {final}",
            timeout=timeout,
        )
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        size = partial.stat().st_size
        partial.rename(final)
    except BaseException:
        files.remove(partial)
        raise
    tables = sum(" TABLE DATA " in line for line in listing.splitlines() if not line.startswith(";"))
    return Backup(final, size, tables, round(time.monotonic() - started, 2))


def settings_target(values: Mapping[str, str]) -> Target:
    return target(values.get("DATABASE_URL", ""))


def back_up(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """What the module database_backup does, as the application's user. `parameters` are its options."""
    layout = Layout(Path(parameters["root"]))
    keep = parameters["keep"]
    name = name_of(parameters["schema"], time.time())
    final = layout.backups / name
    if check_mode:
        # The new one counts too.
        doomed = [
            str(path)
            for path in backups(layout.backups)[max(keep, 1) - 1 :]
            if str(path) not in parameters["protect"]
        ]
        return {"changed": True, "removed": doomed, "diff": _difference(str(final), doomed)}
    identifier = parameters["release"] or records.current_release(layout)
    settings = layout.release(identifier or "-") / "backend" / ".env"
    try:
        text = settings.read_text(encoding="utf-8")
        values = environment.parse(text)
    except FileNotFoundError:
        raise DeploymentError(
            f"There is no release {identifier or ''} with a backend below {layout.releases}.",
            kind="no_release",
            remedy="Prepare it first (module openclaw.mission_control.release, state: prepared).",
        ) from None
    redactor = Redactor(environment.secrets(text))
    commands = Commands(layout.log / "migration.log", application_environment(account), redactor=redactor)
    privileges.stop_with(commands.cancel)
    database = settings_target(values)
    taken = take(layout.backups, name, database, commands, parameters["timeout"])
    removed = []
    for path in surplus(layout.backups, keep, parameters["protect"]):
        path.unlink()
        removed.append(str(path))
    return {
        "changed": True,
        "path": str(taken.path),
        "size": taken.size,
        "tables": taken.tables,
        "seconds": taken.seconds,
        "removed": removed,
        "diff": _difference(str(taken.path), removed),
    }


def _difference(path: str, removed: list[str]) -> dict[str, str]:
    lines = [f"back up the database into {path}", *(f"remove {name}" for name in removed)]
    return {"prepared": "".join(f"{line}\n" for line in lines)}
