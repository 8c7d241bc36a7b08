# SPDX-License-Identifier: GPL-3.0-or-later
"""Before anything is changed: whether the repository opens, and has what is wanted of it."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._host import files
from .._host.accounts import SEARCH_PATH
from .._host.commands import Runner
from .._host.deployment_errors import DeploymentError
from .._host.errors import HostError
from .._times.amounts import size
from . import points, room, state
from .configuration import Configuration
from .repository import gone, reach
from .restic import Restic, ResticError

# Below that no run ends well.
LEAST_ROOM = 256 << 20
_PLACE = Path("/var/tmp")  # noqa: S108 (a directory of root's own is made in it)


def try_out(
    wanted: Configuration, texts: Mapping[Path, str], options: Mapping[str, Any], runner: Runner
) -> None:
    """Fail for what would fail later. Writes only into a directory of its own, which is gone afterwards."""
    _look_at_directory(wanted, options)
    reach(wanted)
    with tempfile.TemporaryDirectory(prefix="mission-control-backup-", dir=_PLACE) as name:
        directory = Path(name)
        program = shutil.which("restic", path=SEARCH_PATH) or _unpacked(directory, options, runner)
        if not program:
            # Without a network for packages (a bundle) it is asked when it has been installed.
            return
        trial = replace(wanted, directory=directory / "trial")
        known_password = fill(trial, wanted, texts, options)
        restic = Restic(trial, program=program)
        if _opens(restic, options, known_password) and options["restore"]:
            _look_at_point(restic, str(options["restore"]))


def fill(
    trial: Configuration, wanted: Configuration, texts: Mapping[Path, str], options: Mapping[str, Any]
) -> bool:
    """A directory with what is given beside what is there; whether a password is among it."""
    files.remove(trial.directory)
    trial.directory.mkdir(mode=0o700)
    for path, text in texts.items():
        if text and path.parent == wanted.directory:
            files.write_atomically(trial.directory / path.name, text, 0o600)
    with suppress(FileNotFoundError):
        known = (wanted.directory / state.NAME).read_text()
        files.write_atomically(trial.directory / state.NAME, known, 0o600)
    if options["password"]:
        return True
    try:
        password = wanted.password_file.read_text()
    except FileNotFoundError:
        files.write_atomically(trial.password_file, secrets.token_hex(24) + "\n", 0o600)
        return False
    files.write_atomically(trial.password_file, password, 0o600)
    return True


def _look_at_directory(wanted: Configuration, options: Mapping[str, Any]) -> None:
    """What a directory tells without restic."""
    place = Path(wanted.repository)
    if not place.is_absolute():
        return
    there = place
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise DeploymentError(
            f"mission_control_backup_repository: {there} is not a directory.",
            kind="no_repository",
            remedy="Name a directory, or one that can be made.",
        )
    if (place / "config").exists():
        return
    known = state.read_state(wanted.directory).get("repository", {})
    if known.get("address") == wanted.repository:
        raise gone(wanted, str(place))
    if options["restore"]:
        raise ResticError(
            f"There is no repository at {place}, and mission_control_restore wants a point of it.",
            kind="no_repository",
            remedy="Mount it, bring it there, or correct mission_control_backup_repository.",
        )
    if place.exists() and any(place.iterdir()):
        raise DeploymentError(
            f"mission_control_backup_repository: {place} is not a repository, and not empty.",
            kind="no_repository",
            remedy="Name a directory of its own.",
        )
    free = shutil.disk_usage(there).free
    if free < LEAST_ROOM:
        raise DeploymentError(
            f"mission_control_backup_repository: {place} has {size(free)} of room; to begin with, "
            f"{size(LEAST_ROOM)} are needed.",
            kind="no_room",
            remedy="Make room there, or name another place.",
        )


def _unpacked(directory: Path, options: Mapping[str, Any], runner: Runner) -> str:
    """The program out of the package that will be installed, without installing it; empty: there is none."""
    environment = {str(name): str(value) for name, value in (options["downloads"] or {}).items()}
    if options["offline"]:
        return ""
    if options["apt_configuration"]:
        files.write_atomically(directory / "apt.conf", str(options["apt_configuration"]), 0o600)
        environment["APT_CONFIG"] = str(directory / "apt.conf")

    def download() -> bool:
        argv = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "restic"]
        return runner(argv, timeout=120, environment=environment, cwd=str(directory)).ok

    with suppress(HostError, OSError):
        if not download():
            # A fresh system has no lists of packages.
            runner(["apt-get", "-qq", "update"], timeout=300, environment=environment)
            download()
        (package,) = directory.glob("restic_*.deb")
        if runner(["dpkg-deb", "-x", str(package), str(directory / "package")], timeout=60).ok:
            return str(directory / "package/usr/bin/restic")
    return ""


def _opens(restic: Restic, options: Mapping[str, Any], known_password: bool) -> bool:
    """Whether there is a repository; fails where this password does not open the one that is there."""
    configuration = restic.configuration
    try:
        restic.run("cat", "config", "--no-lock", what="Opening the repository", timeout=120)
    except ResticError as error:
        if error.kind == "wrong_password" and not known_password:
            raise ResticError(
                f"There is a repository at {restic.shown} already, and its password is not known.",
                kind="wrong_password",
                remedy="Give it in mission_control_backup_password (the vault), or have the file that was "
                "kept beside the inventory (mission_control_backup_password_file); else name another "
                "repository.",
                details=error.details,
            ) from None
        if error.kind != "no_repository":
            raise
        known = state.read_state(configuration.directory).get("repository", {})
        if known.get("address") == configuration.repository:
            raise gone(configuration, restic.shown) from None
        if options["restore"]:
            raise
        return False
    return True


def _look_at_point(restic: Restic, wanted: str) -> None:
    """The restore point that a bare host begins with: there, whole, readable, and with room for it."""
    point = points.chosen(restic, snapshot=wanted, now=time.time())
    manifest = points.read_manifest(restic, point)
    needed = sum(room.room_for_database(part) for part in manifest["parts"].values())
    free = shutil.disk_usage("/var").free
    if free < needed:
        raise DeploymentError(
            f"mission_control_restore: {point.name} needs {size(needed)} on this host, which has "
            f"{size(free)}.",
            kind="no_room",
            remedy="Make room, or take a larger disk.",
        )
