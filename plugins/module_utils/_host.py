# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host is and what stands on it, in one pass (see the module host_info)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import re
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import _maintenance
from ._adoption import inspect as inspect_adoption
from ._journal import persistent
from ._layout import platform_of
from ._process import (
    Account,
    HostError,
    Runner,
    acting_as,
    expand_home,
    find_account,
    group_name,
    listeners,
    process_evidence,
    run,
    user_name,
)
from ._redact import Redactor
from ._systemd import SystemManager, UserManager, unit_name, unit_status

MINIMUM_PYTHON = (3, 12)
_INTERPRETER = re.compile(r"^python3\.(\d+)$")
_MAX_HASHED = 64 * 1024 * 1024


@dataclass(frozen=True)
class HostRequest:
    user: str | None = None
    root: str | None = None
    paths: Sequence[str] = ()
    packages: Sequence[str] = ()
    files: Sequence[str] = ()
    units: Sequence[str] = ()
    system_units: Sequence[str] = ()
    ports: Sequence[int] = ()
    adoption: bool = False


def os_facts(root: Path = Path("/")) -> dict[str, Any]:
    """The operating system as /etc/os-release and the kernel name it."""
    fields: dict[str, str] = {}
    for candidate in ("etc/os-release", "usr/lib/os-release"):
        try:
            text = (root / candidate).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.splitlines():
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


def memory_facts(root: Path = Path("/")) -> dict[str, int]:
    values: dict[str, int] = {}
    for line in (root / "proc/meminfo").read_text().splitlines():
        key, _colon, rest = line.partition(":")
        values[key] = int(rest.split()[0]) * 1024
    return {
        "total_bytes": values.get("MemTotal", 0),
        "available_bytes": values.get("MemAvailable", 0),
        "swap_bytes": values.get("SwapTotal", 0),
    }


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
    for line in done.stdout.splitlines():
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


def made(release: Mapping[str, Any]) -> str:
    """When a release was made (UTC, ISO 8601); of one that does not tell, when it was changed last."""
    told = (release["document"] or {}).get("created")
    return str(told or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(release["modified"])))


def release_facts(root: str) -> dict[str, Any]:
    """The releases below an application root, oldest first, and which of them is current."""
    directory = Path(root) / "releases"
    current = Path(root) / "current"
    target = str(current.readlink()) if current.is_symlink() else None
    releases: list[dict[str, Any]] = []
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError:
        entries = []
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            continue
        partial = entry.name.startswith(".")
        document = None
        try:
            document = json.loads((Path(entry.path) / "release.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            document = None
        releases.append(
            {
                "id": entry.name.removeprefix(".").removesuffix(".partial") if partial else entry.name,
                "path": entry.path,
                "partial": partial,
                "modified": entry.stat(follow_symlinks=False).st_mtime,
                "document": document if isinstance(document, dict) else None,
            }
        )
    # A directory changes when something is written into it; a release tells when it was made.
    releases.sort(key=lambda release: (made(release), release["id"]))
    return {
        "root": root,
        "current": Path(target).name if target else None,
        "current_target": target,
        "available": releases,
        "gateway_platform": platform_of(current / "backend") if target else None,
    }


def user_facts(name: str, account: Account | None) -> dict[str, Any]:
    if account is None:
        return {
            "exists": False,
            "name": name,
            "uid": None,
            "gid": None,
            "group": None,
            "home": None,
            "shell": None,
            "system": False,
            "lingering": False,
            "manager": {"running": False, "runtime_directory": None},
        }
    manager = UserManager(account)
    return {
        "exists": True,
        "name": account.name,
        "uid": account.uid,
        "gid": account.gid,
        "group": group_name(account.gid),
        "home": account.home,
        "shell": account.shell,
        # journald keeps the lines of system accounts out of the users' journals.
        "system": account.uid < 1000,
        "lingering": manager.lingering,
        "manager": {"running": manager.running, "runtime_directory": account.runtime_directory},
    }


def unit_facts(
    account: Account | None, units: Sequence[str], root: str | None, run: Runner = run
) -> dict[str, Any]:
    """Each user unit with what its main process really is; None where there is no manager to ask."""
    names = [unit_name(unit) for unit in units]
    if account is None or not names:
        return dict.fromkeys(names)
    manager = UserManager(account, run)
    try:
        blocks = manager.show(names)
    except HostError:
        return dict.fromkeys(names)
    result: dict[str, Any] = {}
    for name, block in blocks.items():
        status = unit_status(name, block)
        result[name] = status.as_dict() | {"process": _process_facts(status.main_pid, root)}
    return result


def _process_facts(pid: int, root: str | None) -> dict[str, Any] | None:
    evidence = process_evidence(pid) if pid else None
    if evidence is None:
        return None
    return {
        "pid": evidence.pid,
        "cwd": evidence.cwd,
        "exe": evidence.exe,
        "command": Redactor().data(evidence.command),
        "started": evidence.started,
        "deleted": evidence.deleted,
        "release": release_of(evidence.cwd, root),
        "environment_digest": evidence.environment_digest,
        "rss_bytes": evidence.rss_bytes,
        "seccomp": evidence.seccomp,
        "no_new_privs": evidence.no_new_privs,
    }


def release_of(cwd: str | None, root: str | None) -> str | None:
    """The release in which a working directory lies."""
    if cwd is None or root is None:
        return None
    # The root itself may be reached through a link; a process's directory never is.
    for base in (root, os.path.realpath(root)):
        prefix = f"{base.rstrip('/')}/releases/"
        if cwd.startswith(prefix):
            return cwd[len(prefix) :].split("/", 1)[0]
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
        entry["pids"] = list(entry["pids"])
        entry["user"] = user_name(entry["uid"])
    return found


def collect(request: HostRequest, run: Runner = run) -> dict[str, Any]:
    account = None
    if request.user:
        try:
            account = find_account(request.user)
        except HostError as error:
            if error.kind != "no_such_user":
                raise

    def expand(path: str) -> str:
        if account is None and request.user and path.startswith("~"):
            # The home that useradd will give the user; good enough for a prediction.
            return f"/home/{request.user}{path[1:]}"
        return expand_home(path, account)

    root = expand(request.root) if request.root else None
    result: dict[str, Any] = {
        "os": os_facts(),
        "python": python_facts(),
        "cpus": os.cpu_count() or 1,
        "memory": memory_facts(),
        "disk": disk_facts([expand(path) for path in request.paths]),
        "packages": package_facts(request.packages, run),
        "listeners": listener_facts(request.ports),
        "system_units": system_unit_facts(request.system_units, run),
        "journal": {"persistent": persistent()},
        "time": time.time(),
        "user": user_facts(request.user, account) if request.user else None,
        "units": unit_facts(account, request.units, root, run),
        "adoption": inspect_adoption(account, root, run) if request.adoption else None,
    }
    result["files"] = {}
    for path in map(expand, request.files):
        with acting_as(_reader(account, path)):
            result["files"][path] = file_facts(path)
    with acting_as(_reader(account, root)):
        result["releases"] = release_facts(root) if root else None
        notice = _maintenance.read(Path(root)) if root else None
    result["maintenance"] = notice.sentence if notice else ""
    return result


def _reader(account: Account | None, path: str | None) -> Account | None:
    """Whose rights to read a path with: what lies in the user's home is read as the user."""
    if account is None or path is None or os.geteuid() != 0:
        return None
    return account if path.startswith(account.home.rstrip("/") + "/") else None
