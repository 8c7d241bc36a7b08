# SPDX-License-Identifier: GPL-3.0-or-later
"""The frontend's build: node_modules stay with their lock file, the result goes into releases."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import _bundle
from .._application.digests import digest
from .._application.layout import Layout
from .._host import files, reading, trees
from .._host.builds import BuildCommands
from .._host.deployment_errors import DeploymentError
from .._plain_json import parse_json
from . import integrity, recording

# Part of what names a build: a change here builds anew.
RECIPE = 1
# Flags of a package in a lock file: for other systems, or only there if somebody else brings it.
_MAY_BE_MISSING = ("optional", "devOptional", "peer", "link", "inBundle", "extraneous", "os", "cpu")
# Bytes that a lock file may have.
MOST_LOCK = 64 << 20
# What packages bring runs without the logins of downloads.
_SCRIPTS = (
    "It runs without the logins of mission_control_download_environment, which are for downloads of "
    "packages. What such a program itself downloads has to be reachable without one."
)


@dataclass(frozen=True)
class Inputs:
    """All that a build depends on."""

    tree: str  # digest of the sources
    lock: str  # digest of package-lock.json
    node: str
    environment: Mapping[str, str]  # NEXT_PUBLIC_*
    fonts: str  # local or download

    @property
    def key(self) -> str:
        """Names node_modules."""
        key: str = digest({"lock": self.lock, "node": self.node, "machine": platform.machine()})
        return key

    @property
    def fingerprint(self) -> str:
        """Names the result."""
        fingerprint: str = digest(
            {
                "recipe": RECIPE,
                "tree": self.tree,
                "key": self.key,
                "environment": dict(self.environment),
                "fonts": self.fonts,
            }
        )
        return fingerprint


def built(layout: Layout, fingerprint: str, releases: Mapping[str, Mapping[str, Any]]) -> Path | None:
    """A finished result of the same inputs that is still what was built: the last build's, or a release's.

    They are hard links to the same files: who writes into one of them has changed them all.
    """
    base = layout.shared / "frontend-build"
    found = [build / f"output-{fingerprint}" for build in base.iterdir()] if base.is_dir() else []
    found += [
        layout.release(identifier) / "frontend"
        for identifier, document in releases.items()
        if document.get("fingerprints", {}).get("frontend") == fingerprint
    ]
    whole = (path for path in found if (path / "server.js").is_file() and not any(integrity.changes(path)))
    return next(whole, None)


def npm_environment(node: Path) -> dict[str, str]:
    return {
        "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
        # The product's tests use a browser, its users have their own.
        "CYPRESS_INSTALL_BINARY": "0",
        "NEXT_TELEMETRY_DISABLED": "1",
        # What a project or the host omits is needed all the same.
        "npm_config_include": "dev",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_progress": "false",
        "CI": "1",
    }


def install_packages(directory: Path, source: Path, node: Path, commands: BuildCommands) -> Path:
    """The project directory with node_modules as the lock file says."""
    project = directory / "project"
    stamp = directory / "installed.json"
    lock = source / "package-lock.json"
    if stamp.exists() and not left_out(lock, project):
        return project
    stamp.unlink(missing_ok=True)
    project.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        if (source / name).exists():
            files.write_atomically(project / name, reading.read_regular(source / name, MOST_LOCK))
    # Packages bring programs that run when they are installed. Where downloads need a login, these run
    # afterwards and without it.
    apart = bool(commands.no_logins)
    commands(
        [node / "npm", "ci", "--prefer-offline", *(["--ignore-scripts"] if apart else [])],
        what="Installing the frontend's packages",
        cwd=project,
        environment=npm_environment(node),
    )
    if missing := left_out(lock, project):
        raise DeploymentError(
            f"npm ci has left out {len(missing)} of the packages that the lock file names:"
            f" {', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}.",
            kind="incomplete",
            remedy="See whether an .npmrc in the source's frontend, or npm's settings of the host"
            " (npm config list), omit some; mission_control_download_environment overrides both.",
        )
    if apart:
        commands(
            [node / "npm", "rebuild"],
            what="Running what the frontend's packages bring for their installation",
            cwd=project,
            environment={**npm_environment(node), **commands.no_logins},
            remedy=_SCRIPTS,
        )
    files.write_atomically(stamp, json.dumps({"node": str(node)}) + "\n")
    return project


def left_out(lock: Path, project: Path) -> list[str]:
    """Packages of a lock file that a project's node_modules lack; those that may be missing do not count."""
    if not (project / "node_modules").is_dir():
        return ["node_modules"]
    try:
        packages = parse_json(reading.read_regular(lock, MOST_LOCK)).get("packages", {})
    except (OSError, ValueError):
        # npm says what is wrong with it.
        return []
    return sorted(
        place.rpartition("node_modules/")[2]
        for place, package in packages.items()
        if place.startswith("node_modules/")
        and not any(package.get(name) for name in _MAY_BE_MISSING)
        and not (project / place / "package.json").is_file()
    )


def build(
    directory: Path, source: Path, inputs: Inputs, node: Path, fonts_program: Path, commands: BuildCommands
) -> Path:
    """Build in the project directory and set the result aside under its fingerprint."""
    project = directory / "project"
    _bring_sources(source, project)
    for name in ("standalone", "static"):
        files.remove(project / ".next" / name)
    environment = {
        **npm_environment(node),
        **inputs.environment,
        # Makes a server of 85 MB that needs none of the 800 MB of node_modules.
        "NEXT_PRIVATE_STANDALONE": "1",
        # Else a stray lock file in a directory above would become the root of what is traced.
        "NEXT_PRIVATE_OUTPUT_TRACE_ROOT": str(project),
    }
    if inputs.fonts == "local":
        answers = directory / "fonts.cjs"
        commands(
            [node / "node", fonts_program, project, answers],
            what="Naming the fonts that need no download",
            environment=environment,
        )
        environment["NEXT_FONT_GOOGLE_MOCKED_RESPONSES"] = str(answers)
        # Else fonts may have to be downloaded by a proxy that asks for a login.
        environment = {**environment, **commands.no_logins}
    commands(
        [node / "npm", "run", "build"],
        what="Building the frontend",
        cwd=project,
        environment=environment,
    )
    return _set_aside(directory, project, inputs.fingerprint)


def _bring_sources(source: Path, project: Path) -> None:
    """Replace everything but the packages and the build's cache."""
    for path in project.iterdir():
        if path.name not in ("node_modules", ".next"):
            files.remove(path)
    for path in source.iterdir():
        if trees.excluded(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            trees.copy(path, project / path.name)
        else:
            files.copy_file(path, project / path.name)


def _set_aside(directory: Path, project: Path, fingerprint: str) -> Path:
    standalone = project / ".next" / "standalone"
    if not (standalone / "server.js").exists():
        raise DeploymentError(
            "The frontend's build made no standalone server.",
            kind="no_standalone",
            remedy="The product's Next.js is too old, or its next.config sets another output.",
        )
    partial = directory / ".output.partial"
    files.remove(partial)
    standalone.rename(partial)
    files.remove(partial / ".next" / "static")
    trees.copy(project / ".next" / "static", partial / ".next" / "static")
    if (project / "public").is_dir():
        files.remove(partial / "public")
        trees.copy(project / "public", partial / "public")
    return _name_output(directory, partial, fingerprint)


def _name_output(directory: Path, partial: Path, fingerprint: str) -> Path:
    for old in directory.glob("output-*"):
        files.remove(old)
    output = directory / f"output-{fingerprint}"
    recording.record(partial)
    partial.rename(output)
    return output


def take(directory: Path, part: Path, fingerprint: str) -> Path:
    """A finished result out of a bundle."""
    partial = directory / ".output.partial"
    files.remove(partial)
    _bundle.unpack(part, partial)
    return _name_output(directory, partial, fingerprint)


def ensure(
    layout: Layout,
    source: Path,
    inputs: Inputs,
    node: Path,
    fonts_program: Path,
    commands: BuildCommands,
    releases: Mapping[str, Mapping[str, Any]],
) -> Path:
    """The finished result, built now if there is none of the same inputs."""
    found = built(layout, inputs.fingerprint, releases)
    if found is not None:
        return found
    directory = layout.frontend_build(inputs.key)
    install_packages(directory, source, node, commands)
    return build(directory, source, inputs, node, fonts_program, commands)
