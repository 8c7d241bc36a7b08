# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is and what stands on it, in one pass (see the module host_info)."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import os
import platform
import re
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .account_names import group_name, user_name
from .commands import Runner, run
from .errors import HostError
from .listeners import listeners
from .system_manager import SystemManager
from .unit_names import unit_name
from .unit_status import unit_status

MINIMUM_PYTHON = (3, 12)
_INTERPRETER = re.compile(r"^python3\.(\d+)$")
_MAX_HASHED = 64 * 1024 * 1024


def os_facts(root: Path = Path("/")) -> dict[str, Any]:
    """The operating system as /etc/os-release and the kernel name it."""
    fields: dict[str, str] = {}
    for candidate in ("etc/os-release", "usr/lib/os-release"):
        try:
            text = (root / candidate).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.split("\n"):
            key, separator, value = line.partition("=")
            if separator:
                fields[key.strip()] = value.strip().strip("\"'")
        break
    uname = platform.uname()
    return {
        "id": fields.get("ID", "unknown"),
        "like": fields.get("ID_LIKE", "").split(),
        "version": fields.get("VERSION_ID", ""),
        "codename": fields.get("VERSION_CODENAME", ""),
        "name": fields.get("PRETTY_NAME", fields.get("ID", "unknown")),
        "kernel": uname.release,
        "architecture": uname.machine,
        "hostname": uname.node,
        "init": _init(root),
    }


def _init(root: Path) -> str:
    return "systemd" if (root / "run/systemd/system").is_dir() else "other"


def python_facts(
    directories: Iterable[Path] = (Path("/usr/local/bin"), Path("/usr/bin")),
) -> list[dict[str, Any]]:
    """The Python interpreters of the host, newest first."""
    found: dict[str, dict[str, Any]] = {}
    for directory in directories:
        try:
            names = sorted(entry.name for entry in os.scandir(directory))
        except OSError:
            continue
        for name in names:
            match = _INTERPRETER.match(name)
            path = directory / name
            if not match or not os.access(path, os.X_OK):
                continue
            real = str(path.resolve())
            minor = int(match.group(1))
            library = path.resolve().parent.parent / "lib" / f"python3.{minor}"
            found.setdefault(
                real,
                {
                    "path": str(path),
                    "version": f"3.{minor}",
                    "suitable": (3, minor) >= MINIMUM_PYTHON,
                    # Debian takes ensurepip out of its libpython and puts it into python3-venv.
                    "venv": (library / "ensurepip" / "__init__.py").is_file(),
                },
            )
    return sorted(found.values(), key=lambda entry: -int(entry["version"].split(".")[1]))


# What modules of these roles import on the host; Debian has them in packages, which the roles install.
LIBRARIES = ("psycopg2", "requests")


def interpreter_facts(
    prefix: str = sys.prefix, base: str = sys.base_prefix, libraries: Sequence[str] = LIBRARIES
) -> dict[str, Any]:
    """The Python that runs Ansible's modules: what it is, and what it will not find.

    `missing` names libraries that are not there and that Debian's packages do not bring it: to a virtual
    environment that is closed to the system's packages, or to a Python that is not the distribution's.
    """
    virtual = prefix != base
    closed = virtual and not _sees_the_systems(Path(prefix) / "pyvenv.cfg")
    foreign = closed or Path(base).resolve() != Path("/usr")
    missing = [name for name in libraries if importlib.util.find_spec(name) is None] if foreign else []
    return {"path": sys.executable, "virtual": virtual, "missing": missing}


def _sees_the_systems(configuration: Path) -> bool:
    try:
        text = configuration.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"(?im)^include-system-site-packages\s*=\s*true\s*$", text) is not None


# Switches of distributions, each with what it says where namespaces are denied; not all have all.
_NAMESPACE_SWITCHES = {
    "user/max_user_namespaces": "0",
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}


def user_namespaces(settings: Path = Path("/proc/sys")) -> bool:
    """Whether a user may make user namespaces, which sandboxing by a user's manager is made of."""
    for name, denied in _NAMESPACE_SWITCHES.items():
        with contextlib.suppress(OSError):
            if (settings / name).read_text(encoding="ascii").strip() == denied:
                return False
    return (settings / "user/max_user_namespaces").exists()


def disk_facts(paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Free space under each path; of one that is not there yet, under its nearest parent."""
    result = {}
    for path in paths:
        checked = Path(path)
        while not checked.exists() and checked != checked.parent:
            checked = checked.parent
        space = os.statvfs(checked)
        result[path] = {
            "checked": str(checked),
            "total_bytes": space.f_blocks * space.f_frsize,
            "available_bytes": space.f_bavail * space.f_frsize,
            "total_inodes": space.f_files,
            "available_inodes": space.f_favail,
            "noexec": bool(space.f_flag & os.ST_NOEXEC),
        }
    return result


def package_facts(names: Sequence[str], run: Runner = run) -> dict[str, str | None]:
    """The installed version of each Debian package, or None."""
    result: dict[str, str | None] = dict.fromkeys(names)
    if not names:
        return result
    try:
        done = run(
            ["dpkg-query", "--show", "--showformat=${Package}\t${db:Status-Status}\t${Version}\n", *names]
        )
    except HostError as error:
        if error.kind == "no_such_command":
            return result
        raise
    for line in filter(None, done.stdout.split("\n")):
        name, status, version = line.split("\t")
        if status == "installed":
            result[name] = version
    return result


def file_facts(path: str) -> dict[str, Any]:
    """Kind, owner, mode and digest of a path; links are described, not followed."""
    try:
        found = os.lstat(path)
    except OSError:
        return {"exists": False}
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    facts: dict[str, Any] = {
        "exists": True,
        "kind": kinds.get(stat.S_IFMT(found.st_mode), "other"),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": user_name(found.st_uid),
        "group": group_name(found.st_gid),
        "size": found.st_size,
    }
    if facts["kind"] == "link":
        facts["target"] = str(Path(path).readlink())
    if facts["kind"] == "file":
        facts["sha256"] = _digest(path) if found.st_size <= _MAX_HASHED else None
    return facts


def _digest(path: str) -> str | None:
    try:
        with Path(path).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return None


def system_unit_facts(units: Sequence[str], run: Runner = run) -> dict[str, Any]:
    names = [unit_name(unit) for unit in units]
    if not names:
        return {}
    try:
        blocks = SystemManager(run).show(names)
    except HostError:
        return dict.fromkeys(names)
    return {name: unit_status(name, block).as_dict() for name, block in blocks.items()}


def listener_facts(ports: Sequence[int] = ()) -> list[dict[str, Any]]:
    found = [dataclasses.asdict(entry) for entry in listeners(ports=set(ports) or None)]
    for entry in found:
        # Of the process, which has facts of its own.
        del entry["state"], entry["started"]
        entry["pids"] = list(entry["pids"])
        entry["user"] = user_name(entry["uid"])
    return found
