"""Prints, as JSON, what a deployment leaves on a host, however often it was interrupted.

Run as root on the host. Left out is what differs from run to run by its nature: times, the names of a build.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

USER = "mission-control"
ROOT = Path(f"/home/{USER}/mission-control")
UNITS = Path(f"/home/{USER}/.config/systemd/user")
SERVICES = ("backend", "worker", "frontend")
PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,UnitFileState,NeedDaemonReload,MainPID"


def output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd="/").stdout.strip()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def tree(top: Path) -> list[str]:
    """Names, modes, links, digests of contents; of what differs from build to build, only the names."""
    identifier = next((path.read_text().strip() for path in top.glob("frontend/.next/BUILD_ID")), "-")
    found = []
    for directory, names, files in os.walk(top):
        names.sort()
        for name in sorted([*files, *(one for one in names if Path(directory, one).is_symlink())]):
            path = Path(directory, name)
            place = str(path.relative_to(top)).replace(identifier, "BUILD_ID")
            # With the time at which they were made, or those of the files.
            dated = name in ("release.json", ".files.json") or name.endswith(".cdx.json")
            made = dated or "/.next/" in f"/{place}" or path.suffix == ".pyc"
            content = str(path.readlink()) if path.is_symlink() else "" if made else digest(path)
            found.append(f"{place} {path.lstat().st_mode:o} {content}")
    return sorted(found)


def release(path: Path) -> dict[str, Any]:
    told = json.loads((path / "release.json").read_text())
    for name in ("created", "activated"):
        told.pop(name, None)
    told["outcome"] = (told.get("outcome") or {}).get("state")
    units = path / "units.json"
    return {"told": told, "tree": tree(path), "units": digest(units) if units.exists() else ""}


def units() -> dict[str, dict[str, str]]:
    """By unit, its file and how systemd sees it; the snapshot's gateway, which is off, is none of them."""
    paths = sorted(path for path in UNITS.glob("mission-control*.*") if path.is_file())
    told = output(
        "systemctl", "--user", "-M", f"{USER}@", "show", "-p", PROPERTIES, *(path.name for path in paths)
    )
    found = {}
    for block in told.split("\n\n"):
        properties = dict(line.partition("=")[::2] for line in block.splitlines())
        found[properties["Id"]] = {"file": digest(UNITS / properties["Id"]), **properties}
    return found


def process(pid: str) -> dict[str, str]:
    proc = Path("/proc", pid)
    environment = dict(
        item.partition("=")[::2] for item in (proc / "environ").read_text(errors="replace").split("\0")
    )
    return {
        "cwd": str((proc / "cwd").readlink()),
        "exe": str((proc / "exe").readlink()),
        "digest": environment["MISSION_CONTROL_UNIT_DIGEST"],
    }


def names(path: Path) -> list[str]:
    found = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    # A backup's name tells when it was taken, and an interrupted run may have left one more.
    return sorted({name.rpartition("-")[2] for name in found}) if path.name == "backups" else found


def sql(query: str) -> str:
    return output("runuser", "-u", "postgres", "--", "psql", "-Atc", query, "mission_control")


def main() -> None:
    current = ROOT / "current"
    found = units()
    pids = {name: unit.pop("MainPID", "") for name, unit in found.items()}
    print(
        json.dumps(
            {
                "links": {
                    name: str((ROOT / name).readlink())
                    for name in ("current", "backend", "frontend", "scripts")
                },
                "root": names(ROOT),
                "releases": {name: release(ROOT / "releases" / name) for name in names(ROOT / "releases")},
                "environment file": digest(current / "backend/.env"),
                "units": found,
                "unit directory": sorted(str(path.relative_to(UNITS)) for path in UNITS.rglob("*")),
                "processes": {name: process(pids[f"mission-control-{name}.service"]) for name in SERVICES},
                "shared": {name: names(ROOT / "shared" / name) for name in names(ROOT / "shared")},
                "built": {path.name: names(path) for path in (ROOT / "shared/frontend-build").iterdir()},
                "programs": {path.name: digest(path) for path in (ROOT / "shared/libexec").iterdir()},
                "schema": sql("select version_num from alembic_version"),
                "rows": [sql(f"select count(*) from {table}") for table in ("boards", "tasks", "users")],
            }
        )
    )


main()
