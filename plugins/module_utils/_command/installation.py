# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the host command: the archive, its configuration and the completion of the shell."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .._application.components import SERVICES
from .._application.layout import COMMAND_CONFIGURATION
from .._host import files
from .._host.accounts import expand_home, find_account
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from .archive import archive, is_current

# Debian packages that the command uses, and what shows that they are there.
NEEDED = {
    "postgresql-client": ("psql",),
    "bash-completion": ("/usr/share/bash-completion/bash_completion",),
}


@dataclass(frozen=True)
class Wanted:
    """A file as it shall be."""

    path: str
    content: bytes
    mode: int
    uid: int = 0
    gid: int = 0


def differs(file: Wanted, sources_digest: str = "") -> list[str]:
    """What is not as it shall be: content, mode, owner; the whole file where there is none."""
    path = Path(file.path)
    try:
        found = path.lstat()
    except OSError:
        return ["missing"]
    if not path.is_file() or path.is_symlink():
        return ["not a regular file"]
    reasons = []
    same = is_current(path, sources_digest) if sources_digest else path.read_bytes() == file.content
    if not same:
        reasons.append("content")
    if found.st_mode & 0o7777 != file.mode:
        reasons.append("mode")
    if (found.st_uid, found.st_gid) != (file.uid, file.gid):
        reasons.append("owner")
    if _closed(path.parent):
        reasons.append("directory")
    return reasons


def _closed(directory: Path) -> bool:
    """Whether a directory of our own lets nobody in: some were made under root's umask of 077."""
    return directory == Path(COMMAND_CONFIGURATION).parent and directory.stat().st_mode & 0o055 != 0o055


def install(file: Wanted) -> None:
    """Replace the file at once. Nobody sees half of it, and nobody else can read a private one meanwhile."""
    path = Path(file.path)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if _closed(path.parent):
        path.parent.chmod(0o755)
    files.write_atomically(path, file.content, file.mode, (file.uid, file.gid))


def remove(path: str, *, empty_parent: bool = False) -> None:
    """Remove a file, and its directory when it was the last one in it."""
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
    if empty_parent:
        with contextlib.suppress(OSError):
            Path(path).parent.rmdir()


def configuration_text(
    *, user: str, gateway_user: str, root: str, services: Sequence[str], verify: Mapping[str, Any]
) -> str:
    """What the command reads. It holds no secret: those stay in the deployed environment file."""
    data = {
        "user": user,
        "gateway_user": gateway_user,
        "root": root,
        "services": list(services),
        "verify": dict(verify),
    }
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def missing_packages(services: Sequence[str]) -> list[str]:
    """The packages that the command needs for these services and the host does not have."""
    found = []
    for package, programs in NEEDED.items():
        if package == "postgresql-client" and "backend" not in services:
            continue
        if not any(shutil.which(name) or (name.startswith("/") and Path(name).exists()) for name in programs):
            found.append(package)
    return found


def nothing_done() -> dict[str, Any]:
    """The result before anything was done: what a failure returns as far as it was filled."""
    return {"changed": False, "actions": [], "missing_packages": []}


def bring(options: Mapping[str, Any], *, check: bool, so_far: dict[str, Any]) -> dict[str, Any]:
    """Install or remove the command; `options` are those of the module host_command."""
    if options["state"] == "absent":
        return _removed(options, check, so_far)
    command = Wanted(options["path"], b"", 0o755)
    outdated = differs(command, options["sources_digest"])
    configuration = wanted_configuration(options, check)
    if outdated and not check:
        if not options["sources"]:
            # The controller sends them and calls again.
            return {**so_far, "needs_upload": True}
        sources = parse_json(gzip.decompress(Path(options["sources"]).read_bytes()))
        command = replace(command, content=archive(sources))
    present = Path(configuration.path)
    before = present.read_text(encoding="utf-8") if present.is_file() else ""
    completion = Wanted(options["completion_path"], options["completion"].encode(), 0o644)
    for wanted, reasons in (
        (command, outdated),
        (configuration, differs(configuration)),
        (completion, differs(completion)),
    ):
        if reasons:
            so_far["actions"].append({"path": wanted.path, "action": "install", "reason": ", ".join(reasons)})
            if not check:
                _install(wanted)
    after = configuration.content.decode()
    so_far.update(changed=bool(so_far["actions"]), missing_packages=missing_packages(options["services"]))
    if before != after:
        headers = {"before_header": configuration.path, "after_header": configuration.path}
        so_far["diff"] = {"before": before, "after": after, **headers}
    return so_far


def wanted_configuration(options: Mapping[str, Any], check: bool) -> Wanted:
    """What the command shall read. The user has to be there, in check mode not the gateway's, too."""
    account = find_account(options["user"])
    # In check mode the gateway's user may be one that would have been made before.
    if options["gateway_user"] and not check:
        find_account(options["gateway_user"])
    text = configuration_text(
        user=account.name,
        gateway_user=options["gateway_user"],
        root=expand_home(options["root"], account),
        services=[name for name in SERVICES if name in options["services"]],
        verify=options["verify"],
    )
    return Wanted(COMMAND_CONFIGURATION, text.encode(), 0o640, 0, account.gid)


def _install(wanted: Wanted) -> None:
    try:
        install(wanted)
    except OSError as error:
        raise DeploymentError(
            f"{wanted.path} cannot be written: {error.strerror}.", kind="os_error"
        ) from None


def _removed(options: Mapping[str, Any], check: bool, so_far: dict[str, Any]) -> dict[str, Any]:
    for path in (options["path"], options["completion_path"], COMMAND_CONFIGURATION):
        if Path(path).exists():
            so_far["actions"].append({"path": path, "action": "remove", "reason": "it shall not be there"})
            if not check:
                remove(path, empty_parent=path == COMMAND_CONFIGURATION)
    return {**so_far, "changed": bool(so_far["actions"])}
