# SPDX-License-Identifier: GPL-3.0-or-later
"""An installation that was set up by hand, after the guide or by the product's installer: what it is.

Nothing here changes anything: takeover.py takes it over and gives it back. What was taken over is kept in
shared/adopted.json, readable by the application's user only, since its settings hold secrets, and in a file
of root's (registry.py), by which root decides.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shlex
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._application.components import PORTS
from .._application.layout import Layout
from .._application.release_parts import LINKS
from .._application.settings import BACKEND_SETTINGS
from .._host import reading
from .._host.accounts import Account
from .._host.acting_as import acting_as
from .._host.commands import Runner, run
from .._host.environment_file import parse_environment_file
from .._host.errors import HostError
from .._host.proc_files import PROC, all_pids
from .._host.process_environment import read_environment
from .._host.processes import process_evidence
from .._host.systemd import UserManager
from . import registry
from .record import Installation, Process, Unit, read_record

PARTS = ("backend", "worker", "frontend")
# Whose units they are, by their names.
UNITS: dict[str, tuple[str, str]] = {
    **{f"mission-control-{part}.service": ("guide", part) for part in PARTS},
    "openclaw-mission-control-backend.service": ("installer", "backend"),
    "openclaw-mission-control-rq-worker.service": ("installer", "worker"),
    "openclaw-mission-control-frontend.service": ("installer", "frontend"),
}
# What the module user_units writes into its files.
MARKS = ("MISSION_CONTROL_UNIT_DIGEST=", "X-Mission-Control-Digest=")
# What a service of each part looks like in the list of processes.
_COMMANDS = {
    "backend": re.compile(r"\buvicorn\b.*\bapp\.main:app\b"),
    "worker": re.compile(r"\bscripts/rq\b.*\bworker\b"),
    "frontend": re.compile(r"\bnext(-server|\b.*\bstart)\b|\bnpm\b.*\bstart\b"),
}
_DIRECTORIES = {"backend": "backend", "worker": "backend", "frontend": "frontend"}
# Where uvicorn and next listen by themselves; not our own defaults, which may become others.
_PROGRAM_DEFAULTS = {
    "backend": {"host": "127.0.0.1", "port": "8000"},
    "frontend": {"host": "0.0.0.0", "port": "3000"},  # noqa: S104 - compared, not listened on
}
# In this order, the later ones win.
_FRONTEND_FILES = (".env", ".env.production", ".env.local", ".env.production.local")
# Bytes of the names that Git has packed.
MOST_REFS = 16 << 20
IDENTITY_SETTING = "OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH"


# --- looking for one -----------------------------------------------------------------------------


def inspect(
    account: Account | None, root: str | None, run: Runner = run, secret_settings: Sequence[str] = ()
) -> dict[str, Any] | None:
    """For the module host_info: what could be, is being, or was taken over; no secret."""
    if account is None or root is None:
        return None
    layout = Layout(Path(root))
    with acting_as(account):
        told = read_record(layout)
    record = registry.believed(account, layout, told)
    if record is not None:
        state = "done" if record.phase == "done" else "pending"
        return {"state": state, "kept": record.kept, "at": record.at, **record.found.public(secret_settings)}
    found = find(account, layout, run)
    return {"state": "found", "kept": "", "at": "", **found.public(secret_settings)} if found else None


def find(account: Account, layout: Layout, run: Runner = run, proc: Path = PROC) -> Installation | None:
    """What was set up by hand and serves, or could, from this user's account."""
    with acting_as(account):
        if layout.current.is_symlink():
            return None
        units = hand_made_units(account)
        processes = list(stray_processes(account, proc))
        services = [_service(unit.text, account.home) for unit in units]
        places = [Path(process.cwd) for process in processes]
        places += [Path(service["directory"]) for service in services if service["directory"]]
        places += [layout.root / "backend"]
        tree = next((place.parent for place in places if _is_application(place.parent)), None)
        in_the_way = [name for name in LINKS if _is_foreign(layout.root / name)]
        if tree is None or not (units or processes or in_the_way):
            return None
        found = Installation(
            tree=str(tree),
            kind="installer" if any(UNITS[unit.name][0] == "installer" for unit in units) else "guide",
            units=units,
            processes=processes,
            entries=foreign_entries(layout) if in_the_way else [],
            revision=_revision(tree),
        )
        _read_settings(found, account, services, proc)
        found.listens = _listens(units, services, processes)
        found.identity = _identity(found.backend, account)
        port = _port(found.backend.get("DATABASE_URL", ""), PORTS["postgresql"])
        found.local_database = _ours(Path(f"/var/run/postgresql/.s.PGSQL.{port}"), port)
        port = _port(found.backend.get("RQ_REDIS_URL", ""), PORTS["redis"])
        found.local_redis = _ours(Path("/usr/lib/systemd/system/redis-server.service"), port)
    _ask_manager(found.units, UserManager(account, run))
    return found


def _is_application(tree: Path) -> bool:
    return (tree / "backend/app/main.py").is_file() and not (tree / "backend").is_symlink()


def _is_foreign(path: Path) -> bool:
    return path.exists() and not path.is_symlink()


def foreign_entries(layout: Layout) -> list[str]:
    """What lies in the application's root and is not ours."""
    own = {"releases", "shared", "current"}
    return sorted(
        path.name
        for path in (layout.root.iterdir() if layout.root.is_dir() else ())
        if path.name not in own
        and not path.name.startswith("before-")
        and not (path.is_symlink() and str(path.readlink()).startswith("current/"))
    )


def unit_directory(account: Account) -> Path:
    return Path(account.home) / ".config/systemd/user"


def hand_made(text: str) -> bool:
    return not any(mark in text for mark in MARKS)


def hand_made_units(account: Account) -> list[Unit]:
    found = []
    for name, (_whose, part) in UNITS.items():
        path = unit_directory(account) / name
        try:
            text = reading.read_regular(path)
        except OSError:
            continue
        if hand_made(text):
            for extra in sorted((unit_directory(account) / f"{name}.d").glob("*.conf")):
                with contextlib.suppress(OSError):
                    text += "\n" + reading.read_regular(extra)
            found.append(Unit(name, part, text))
    return found


def _ask_manager(units: Sequence[Unit], manager: UserManager) -> None:
    try:
        blocks = manager.show([unit.name for unit in units], ["Id", "ActiveState", "UnitFileState"])
    except HostError:
        return
    for unit in units:
        block = blocks.get(unit.name, {})
        # One that waits for its next automatic start is not stopped.
        unit.active = block.get("ActiveState", "inactive") not in ("inactive", "failed")
        unit.enabled = block.get("UnitFileState") == "enabled"


def _service(text: str, home: str) -> dict[str, Any]:
    """What a unit's text says of its process."""
    service: dict[str, Any] = {"directory": "", "command": [], "files": [], "environment": {}}
    joined = re.sub(r"\\\n\s*", " ", text).replace("%h", home)
    for line in joined.split("\n"):
        name, separator, value = (part.strip() for part in line.partition("="))
        if not separator:
            continue
        if name == "WorkingDirectory":
            service["directory"] = value.lstrip("-").replace("~", home, 1).strip('"')
        elif name == "EnvironmentFile" and value:
            service["files"].append(value.lstrip("-").strip('"'))
        elif name == "Environment":
            service["environment"].update(_assignments(value))
        elif name == "ExecStart":
            service["command"] = _words(value.lstrip("@-:+!"))
    return service


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _assignments(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in _words(text))
    return {name: value for name, separator, value in pairs if separator}


def stray_processes(account: Account, proc: Path = PROC) -> Iterator[Process]:
    """Services that were started by hand: what the installer leaves behind is such, not a running unit."""
    candidates: dict[str, list[tuple[int, tuple[str, ...], str]]] = {}
    for pid in all_pids(proc):
        try:
            if (proc / str(pid)).stat().st_uid != account.uid:
                continue
        except OSError:
            continue
        evidence = process_evidence(pid, proc)
        if evidence is None or evidence.cwd is None or not _of_session(evidence.unit):
            continue
        line = " ".join(evidence.command)
        for part, pattern in _COMMANDS.items():
            place = Path(evidence.cwd)
            if pattern.search(line) and place.name == _DIRECTORIES[part] and _is_application(place.parent):
                candidates.setdefault(part, []).append((pid, evidence.command, evidence.cwd))
    for part in PARTS:
        if part in candidates:
            pids = [pid for pid, _command, _cwd in candidates[part]]
            again = next(
                (entry for entry in candidates[part] if _can_start(entry, proc)), candidates[part][0]
            )
            yield Process(part, pids, list(again[1]), again[2], _output(again[0], proc))


def _of_session(unit: str | None) -> bool:
    """Whether a process belongs to no service: one of a login, or of the manager itself."""
    return unit is None or not unit.endswith(".service") or unit.startswith(("user@", "init.", "ssh"))


def _can_start(entry: tuple[int, tuple[str, ...], str], proc: Path) -> bool:
    """Whether the command can be started again as it stands: npm and Next.js put a title in its place."""
    pid, command, cwd = entry
    if len(command) < 2:
        return False
    path = (read_environment(pid, proc) or {}).get("PATH", "")
    return shutil.which(command[0], path=path) is not None or os.access(Path(cwd) / command[0], os.X_OK)


def _output(pid: int, proc: Path) -> str:
    """The file that the process writes to."""
    try:
        target = str((proc / str(pid) / "fd/1").readlink())
    except OSError:
        return ""
    return target if target.startswith("/") and Path(target).is_file() else ""


def _read_file(path: Path) -> dict[str, str]:
    try:
        text = reading.read_regular(path)
    except OSError:
        return {}
    return parse_environment_file(re.sub(r"(?m)^[ \t]*export[ \t]+", "", text))


def _read_settings(
    found: Installation, account: Account, services: Sequence[Mapping[str, Any]], proc: Path
) -> None:
    """A process's environment wins over the file, as it does for the product."""
    tree = Path(found.tree)
    found.backend = _read_file(tree / "backend/.env")
    for name in _FRONTEND_FILES:
        found.frontend.update(_read_file(tree / "frontend" / name))
    for unit, service in zip(found.units, services, strict=True):
        if Path(service["directory"]).parent != tree:
            continue
        own = {}
        for path in service["files"]:
            own.update(_read_file(Path(path.replace("~", account.home, 1))))
        own.update(service["environment"])
        if unit.part == "backend":
            found.backend.update(own)
        elif unit.part == "frontend":
            found.frontend.update(own)
    for process in found.processes:
        environment = read_environment(process.pids[0], proc) or {}
        if process.part == "backend":
            found.backend.update({n: v for n, v in environment.items() if n in BACKEND_SETTINGS})
    found.frontend = {name: value for name, value in found.frontend.items() if name not in found.backend}


def _listens(
    units: Sequence[Unit], services: Sequence[Mapping[str, Any]], processes: Sequence[Process]
) -> dict[str, dict[str, str]]:
    """Where backend and frontend listen, by their commands; a running process wins over a unit."""
    commands = {unit.part: service["command"] for unit, service in zip(units, services, strict=True)}
    commands.update({process.part: process.command for process in processes})
    return {
        part: {**default, **_options(commands[part])}
        for part, default in _PROGRAM_DEFAULTS.items()
        if part in commands
    }


_OPTIONS = {
    "--host": "host",
    "--hostname": "host",
    "-H": "host",
    "--port": "port",
    "-p": "port",
}


def _options(command: Sequence[str]) -> dict[str, str]:
    found = {}
    # A shell's command is one word.
    words = " ".join(command).replace("=", " ").split()
    for name, value in itertools.pairwise(words):
        if name in _OPTIONS:
            found[_OPTIONS[name]] = value
    return found


def _identity(backend: Mapping[str, str], account: Account) -> str:
    """The file by which gateways know this installation; empty when there is none yet."""
    answer = backend.get(IDENTITY_SETTING) or BACKEND_SETTINGS[IDENTITY_SETTING].default
    path = Path(answer.replace("~", account.home, 1) if answer.startswith("~") else answer)
    return str(path) if path.is_file() else ""


def _port(url: str, usual: int) -> int:
    try:
        return urlsplit(url).port or usual
    except ValueError:
        return usual


def _ours(sign: Path, port: int) -> bool:
    """Whether a port of this host is the distribution's server's, or free; else it is a container's, say."""
    if sign.exists():
        return True
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=3):
        return False
    return True


def _revision(tree: Path) -> str:
    """What Git has checked out, without a call to Git, which refuses other people's trees."""
    git = tree / ".git"
    try:
        head = reading.read_regular(git / "HEAD").strip()
        if not head.startswith("ref: "):
            return head[:12]
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return reading.read_regular(git / name).strip()[:12]
        for line in reading.read_regular(git / "packed-refs", MOST_REFS).split("\n"):
            if line.endswith(f" {name}"):
                return line[:12]
    except OSError:
        pass
    return ""
