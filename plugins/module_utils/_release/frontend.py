# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The frontend's build: node_modules stay with their lock file, the result goes into releases."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import _bundle
from .._application.layout import Layout, digest
from .._host import files, trees
from .._host.errors import DeploymentError
from .._host.logged_commands import Commands

# Part of what names a build: a change here builds anew.
RECIPE = 1
_NETWORK = "Check that the host reaches the npm registry (mission_control_download_environment)."
_MEMORY = "A build needs about 1.2 GB of memory. The whole output is in the log on the host."


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
    """A finished result of the same inputs: that of the last build, or a release's."""
    base = layout.shared / "frontend-build"
    if base.is_dir():
        for build in base.iterdir():
            output: Path = build / f"output-{fingerprint}"
            if output.is_dir():
                return output
    for identifier, document in releases.items():
        path: Path = layout.release(identifier) / "frontend"
        if document.get("fingerprints", {}).get("frontend") == fingerprint and (path / "server.js").exists():
            return path
    return None


def npm_environment(node: Path) -> dict[str, str]:
    return {
        "PATH": f"{node}:/usr/local/bin:/usr/bin:/bin",
        # The product's tests use a browser, its users have their own.
        "CYPRESS_INSTALL_BINARY": "0",
        "NEXT_TELEMETRY_DISABLED": "1",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_progress": "false",
        "CI": "1",
    }


def install_packages(directory: Path, source: Path, node: Path, commands: Commands) -> Path:
    """The project directory with node_modules as the lock file says."""
    project = directory / "project"
    stamp = directory / "installed.json"
    if stamp.exists() and (project / "node_modules").is_dir():
        return project
    stamp.unlink(missing_ok=True)
    project.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        if (source / name).exists():
            files.write_atomically(project / name, (source / name).read_text(encoding="utf-8"))
    commands(
        [node / "npm", "ci", "--prefer-offline"],
        what="Installing the frontend's packages",
        cwd=project,
        environment=npm_environment(node),
        remedy=_NETWORK,
    )
    files.write_atomically(stamp, json.dumps({"node": str(node)}) + "\n")
    return project


def build(
    directory: Path, source: Path, inputs: Inputs, node: Path, fonts_program: Path, commands: Commands
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
    commands(
        [node / "npm", "run", "build"],
        what="Building the frontend",
        cwd=project,
        environment=environment,
        remedy=_MEMORY,
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
    commands: Commands,
    releases: Mapping[str, Mapping[str, Any]],
) -> Path:
    """The finished result, built now if there is none of the same inputs."""
    found = built(layout, inputs.fingerprint, releases)
    if found is not None:
        return found
    directory = layout.frontend_build(inputs.key)
    install_packages(directory, source, node, commands)
    return build(directory, source, inputs, node, fonts_program, commands)
