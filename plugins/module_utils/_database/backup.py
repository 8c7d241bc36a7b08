# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of the database: taken aside, read again as a test, and only then counted among the others."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._host import privileges, reading
from .._host.accounts import Account
from .._host.clean_environment import application_environment
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import parse_environment_file, secret_names
from .._redaction import Redactor, secrets
from .backups import KEPT, backups, name_of, surplus
from .commands import DatabaseCommands
from .target import Target, target


@dataclass(frozen=True)
class Backup:
    path: Path
    size: int
    tables: int
    seconds: float


def take(directory: Path, name: str, database: Target, commands: DatabaseCommands, timeout: float) -> Backup:
    """Dump, read the dump from beginning to end, then give it its name."""
    started = time.monotonic()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    final, partial = directory / name, directory / f".{name}.partial"
    for old in directory.glob(".before-migration-*.partial"):
        old.unlink()
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
        partial.unlink(missing_ok=True)
        raise
    tables = sum(" TABLE DATA " in line for line in listing.split("\n") if not line.startswith(";"))
    return Backup(final, size, tables, round(time.monotonic() - started, 2))


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
    identifier = parameters["release"] or layout.current_release
    settings = layout.release(identifier or "-") / "backend" / ".env"
    try:
        text = reading.read_regular(settings)
        values = parse_environment_file(text)
    except FileNotFoundError:
        raise DeploymentError(
            f"There is no release {identifier or ''} with a backend below {layout.releases}.",
            kind="no_release",
            remedy="Prepare it first (module openclaw.mission_control.release, state: prepared).",
        ) from None
    redactor = Redactor(secrets(values, secret_names(text)))
    commands = DatabaseCommands(
        layout.log / "migration.log", application_environment(account), redactor=redactor
    )
    privileges.stop_with(commands.cancel)
    database = target(values.get("DATABASE_URL", ""))
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
