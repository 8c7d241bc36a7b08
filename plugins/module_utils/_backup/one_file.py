# SPDX-License-Identifier: GPL-3.0-or-later
"""One file out of a restore point."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host import files
from .._host.accounts import Account, expand_home
from .._host.deployment_errors import DeploymentError
from . import fetching
from .configuration import GATEWAY, SETTINGS, Configuration
from .owners import by_owner
from .places import before_of, gateway_root, keep_file, owner_of, state_place
from .restic import Restic


def restore_one(
    configuration: Configuration, restic: Restic, manifest: Mapping[str, Any], given: str, now: float
) -> list[str]:
    """One file of the settings or the gateway by its path on the host; the present one stays beside it."""
    part, name, path = _name_of(configuration, manifest, given)
    user = owner_of(configuration, part)
    scratch = ".cache/mission-control/one-file"

    def work(account: Account, stream: fetching.Reading) -> dict[str, Any]:
        directory = Path(account.home) / scratch
        files.remove(directory)
        return {"names": fetching.extract(stream, directory, lambda member: member == name)}

    def put(account: Account) -> list[str]:
        directory = Path(account.home) / scratch
        before = before_of(path, now)
        kept = [str(before)] if keep_file(path, before) else []
        path.parent.mkdir(parents=True, exist_ok=True)
        source = directory / name
        files.write_atomically(path, source.read_bytes(), source.stat().st_mode & 0o7777)
        files.remove(directory)
        return [str(path), *kept]

    found = fetching.fetch(restic, manifest["parts"][part], user, work)
    if not found["names"]:
        raise DeploymentError(
            f"file: {given} is not in the restore point {manifest['name']}.",
            kind="no_such_file",
            remedy="Nothing was changed. Name its path on the host, or choose another restore point.",
        )
    answer: list[str] = by_owner(user, put)
    return answer


def _name_of(configuration: Configuration, manifest: Mapping[str, Any], given: str) -> tuple[str, str, Path]:
    path = Path(expand_home(given, configuration.account))
    places: list[tuple[str, str, Path]] = []
    if GATEWAY in manifest["parts"] and GATEWAY in configuration.parts:
        places.append((GATEWAY, "state", state_place(configuration)))
        places.append((GATEWAY, "root", gateway_root(configuration)))
    if SETTINGS in manifest["parts"]:
        places.append((SETTINGS, "root", configuration.root_directory))
        places.append((SETTINGS, "units", Path(configuration.account.home) / ".config/systemd/user"))
    for part, name, place in places:
        if path.is_relative_to(place) and ".." not in path.parts:
            return part, str(Path(name) / path.relative_to(place)), path
    raise DeploymentError(
        f"file: {given} lies in no place that is backed up.",
        kind="no_such_file",
        remedy=f"Name a file below {', '.join(str(place) for _part, _name, place in places)}.",
    )
