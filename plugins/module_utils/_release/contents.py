# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages a release holds: CycloneDX lists that uv and npm make of the lock files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host import reading
from .._host.deployment_errors import CancelledError, DeploymentError
from .._host.logged_commands import Commands
from .._plain_json import parse_json
from .frontend import npm_environment

# By part, the list's name in the release's directory.
LISTS = {"backend": "backend.cdx.json", "frontend": "frontend.cdx.json"}
# Bytes that a list may have.
_MOST = 64 << 20


def list_backend(project: Path, uv: Path, directory: Path, commands: Commands) -> None:
    """The Python packages of a directory with uv.lock; nothing is downloaded."""
    options = ["--frozen", "--no-dev", "--no-emit-project", "--offline", "--quiet"]
    target = directory / LISTS["backend"]
    _make(
        [uv, "export", "--format=cyclonedx1.5", *options, f"--output-file={target}"],
        "Listing the backend's packages",
        project,
        {},
        target,
        commands,
    )


def list_frontend(project: Path, node: Path, directory: Path, commands: Commands) -> None:
    """The npm packages of a directory with package-lock.json; `node` holds the programs."""
    target = directory / LISTS["frontend"]
    _make(
        [
            "sh",
            "-c",
            'exec "$0" sbom --sbom-format=cyclonedx --package-lock-only >"$1"',
            node / "npm",
            target,
        ],
        "Listing the frontend's packages",
        project,
        npm_environment(node),
        target,
        commands,
    )


def _make(
    argv: list[str | Path],
    what: str,
    project: Path,
    environment: Mapping[str, str],
    target: Path,
    commands: Commands,
) -> None:
    """A release is no worse for a list that a tool does not make; why is in the log."""
    try:
        commands(argv, what=what, cwd=project, environment=environment, timeout=120)
    except CancelledError:
        raise
    except DeploymentError:
        target.unlink(missing_ok=True)


def counts(directory: Path) -> dict[str, int]:
    """By part, how many packages its list names."""
    found = {}
    for part, name in LISTS.items():
        try:
            known: Any = parse_json(reading.read_regular(directory / name, _MOST))
            found[part] = len(known["components"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
