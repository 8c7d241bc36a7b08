# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a bundle, with the very steps that a deployment takes, on a machine that reaches the registries.

Works below one directory of an ordinary user. What is there from the last time is used again:

  root/       source, runtimes and builds, laid out as on a host
  gateway/    Node and npm tree of a gateway, while it is packed
  wheels/     uv and Node.js
  apt/        lists and packages, apart from those of the machine
  parts/      finished parts
"""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .. import _bundle
from .._application.layout import Layout
from .._gateway import installer, plan
from .._host import files as _files
from .._host import pinned_packages, trees
from .._host.accounts import Account
from .._host.builds import BuildCommands
from .._host.deployment_errors import DeploymentError
from .._host.facts import os_facts
from .._release import frontend as _frontend
from .._release import runtimes
from .._release import source as _source
from .._release.records import now

NODE_PACKAGE = installer.NODE_PACKAGE
_APT = "Check the apt sources of this machine; they have to be those of the hosts' distribution release."


@dataclass(frozen=True)
class Frontend:
    environment: Mapping[str, str]
    fonts: str
    node: str


@dataclass(frozen=True)
class Gateway:
    version: str
    node: str
    plugins: tuple[str, ...]


@dataclass(frozen=True)
class BundleSpec:
    """What the hosts of the inventory need between them."""

    packages: tuple[str, ...]
    revision: str = ""  # of the source; empty where no host runs the application
    asked: str = ""  # the revision as the operator named it
    backend: bool = False
    python: str = ""
    uv: str = ""
    frontends: tuple[Frontend, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    fonts_program: str = ""
    made_by: str = ""


@dataclass
class Work:
    """Where it is made, and what has been made so far."""

    directory: Path
    account: Account
    commands: BuildCommands
    secrets: Sequence[str] = ()
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        return Layout(self.directory / "root")

    @property
    def wheels(self) -> Path:
        return self.directory / "wheels"

    def part(self, kind: str, key: str = "") -> Path:
        name: str = _bundle.part_name(kind, key)
        return self.directory / "parts" / name

    def add(self, kind: str, key: str = "") -> None:
        path = self.part(kind, key)
        self.parts[path.name] = _bundle.describe_part(path, kind)

    def pack(self, source: Path, kind: str, key: str = "", patterns: Sequence[str] = ()) -> None:
        """Make a part of a tree, unless something in it is nobody else's business."""
        _refuse_secrets(source, self.secrets, kind)
        _bundle.pack_directory(source, self.part(kind, key), patterns)

    def timed(self, name: str, step: Callable[[], Any]) -> Any:
        started = time.monotonic()
        try:
            return step()
        finally:
            self.timings[name] = round(time.monotonic() - started, 2)


def build(work: Work, spec: BundleSpec) -> dict[str, Any]:
    """Make all parts; returns the manifest."""
    (work.directory / "parts").mkdir(mode=0o755, parents=True, exist_ok=True)
    python = runtimes.find_python(spec.python)
    manifest: dict[str, Any] = {"system": _system(python)}
    work.timed("packages", lambda: _packages(work, spec.packages))
    manifest["packages"] = list(spec.packages)
    nodes = sorted({item.node for item in spec.frontends} | {item.node for item in spec.gateways})
    if spec.uv:
        work.timed("wheels", lambda: _wheels(work, python, spec.uv, nodes))
        manifest.update(uv=spec.uv, nodes=nodes)
    if spec.revision:
        manifest["source"] = work.timed("source", lambda: _source_part(work, spec))
        tree = _source.SourceStore(work.layout.root).tree(spec.revision)
        uv = work.timed(
            "uv", lambda: runtimes.ensure_uv(work.layout, spec.uv, python.path, _offline(work, spec))
        )
        if spec.backend:
            key = work.timed("backend", lambda: _backend(work, spec, tree, python, uv))
            manifest["backend"] = {"key": key, "python": python.path}
        manifest["frontends"] = []
        for frontend in spec.frontends:
            build_it = partial(_build_frontend, work, spec, frontend, tree, python, uv)
            manifest["frontends"].append(work.timed("frontend", build_it))
    manifest["gateways"] = [
        work.timed("gateway", partial(_build_gateway, work, gateway)) for gateway in spec.gateways
    ]
    for path in (work.directory / "parts").iterdir():
        if path.name not in work.parts:
            _files.remove(path)
    return {"format": _bundle.FORMAT, **manifest, "parts": work.parts}


def finish(work: Work, spec: BundleSpec, manifest: Mapping[str, Any]) -> tuple[Path, bool]:
    """The archive, made anew only when something in it differs."""
    system = manifest["system"]
    name = f"{spec.revision[:12]}-" if spec.revision else ""
    target = (
        work.directory
        / f"mission-control-{name}{system['id']}{system['version']}-{system['architecture']}.tar"
    )
    stamps = ("created", "created_by")
    try:
        before = _bundle.read_manifest(target)
        if {key: value for key, value in before.items() if key not in stamps} == dict(manifest):
            return target, False
    except DeploymentError:
        pass
    for old in work.directory.glob("mission-control-*.tar"):
        _files.remove(old)
    stamped = {
        "format": manifest["format"],
        "created": now(),
        "created_by": spec.made_by,
        **manifest,
    }
    work.timed("compose", lambda: _bundle.compose(target, stamped, work.directory / "parts"))
    return target, True


def _system(python: runtimes.Python) -> dict[str, str]:
    facts = os_facts()
    return {
        **{name: facts[name] for name in ("id", "version", "name", "architecture")},
        "python": python.version,
    }


def _offline(work: Work, spec: BundleSpec) -> BuildCommands:
    """For uv and Node.js, which are among the wheels already."""
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(work.wheels), "UV_FIND_LINKS": str(work.wheels)}
    return BuildCommands(work.commands.log, {**work.commands.environment, **environment})


def _refuse_secrets(directory: Path, secrets: Sequence[str], kind: str) -> None:
    """A registry's password must not travel, should a tool have written it down."""
    needles = [secret.encode() for secret in secrets if len(secret) >= 6]
    if not needles:
        return
    for name, entry in trees.entries(directory, ()):
        if entry.is_symlink():
            continue
        content = Path(entry.path).read_bytes()
        if any(needle in content for needle in needles):
            raise DeploymentError(
                f"The part {kind} of the bundle would hold a secret of the download environment, in {name}.",
                kind="secret",
                remedy="Keep passwords out of mission_control_download_environment: in a netrc file, say.",
            )


# --- the parts -------------------------------------------------------------------------------------


def _wheels(work: Work, python: runtimes.Python, uv: str, nodes: Sequence[str]) -> None:
    packages = [("uv", uv), *((NODE_PACKAGE, node) for node in nodes)]
    wanted = [f"{name}=={version}" for name, version in packages]
    part, stamp = work.part("wheels"), work.directory / "wheels.json"
    record = json.dumps([python.version, wanted]) + "\n"
    if not (part.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == record):
        fresh, helper = work.directory / ".wheels.partial", work.directory / ".pip"
        for path in (fresh, helper, stamp):
            _files.remove(path)
        try:
            work.commands(
                [python.path, "-I", "-m", "venv", helper],
                what="Making an environment for pip",
                remedy="Debian needs the package python3-venv for this.",
            )
            download = ["-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--quiet"]
            download += ["--no-deps", "--only-binary=:all:", "--dest"]
            work.commands(
                [
                    helper / "bin" / "python",
                    *download,
                    fresh,
                    *pinned_packages.arguments(packages, helper / "wheels.txt"),
                ],
                what=f"Downloading {', '.join(wanted)}",
                environment={"HOME": str(helper)},
            )
            _files.remove(work.wheels)
            fresh.rename(work.wheels)
        finally:
            _files.remove(helper)
            _files.remove(fresh)
        work.pack(work.wheels, "wheels")
        _files.write_atomically(stamp, record)
    work.add("wheels")


def _source_part(work: Work, spec: BundleSpec) -> dict[str, str]:
    store = _source.SourceStore(work.layout.root)
    record = store.description(spec.revision)
    if record is None:
        raise DeploymentError(f"The source {spec.revision[:12]} is not here.", kind="no_source")
    key = spec.revision[:12]
    if not work.part("source", key).exists():
        # What a working copy holds beside its source, settings and secrets above all, stays out.
        work.pack(store.tree(spec.revision), "source", key, trees.EXCLUDED)
    work.add("source", key)
    return {
        **{name: str(record[name]) for name in ("revision", "kind", "origin", "described")},
        "asked": spec.asked,
        "tree": trees.fingerprint(store.tree(spec.revision)),
    }


def _backend(work: Work, spec: BundleSpec, tree: Path, python: runtimes.Python, uv: Path) -> str:
    """uv's cache after it has made the environment, and nothing else in it."""
    key: str = runtimes.environment_key(tree / "backend", python, spec.uv)
    if not work.part("backend", key).exists():
        cache = work.directory / "uv-cache"
        for path in (cache, work.layout.python(key)):
            _files.remove(path)
        environment = {**work.commands.environment, "UV_CACHE_DIR": str(cache)}
        try:
            runtimes.ensure_environment(
                work.layout,
                tree / "backend",
                python,
                spec.uv,
                uv,
                BuildCommands(work.commands.log, environment),
            )
            # What uv knows of this machine's Python is of no use elsewhere.
            work.pack(cache, "backend", key, ("interpreter-*",))
        finally:
            for path in (cache, work.layout.python(key)):
                _files.remove(path)
    work.add("backend", key)
    return key


def _build_frontend(
    work: Work, spec: BundleSpec, item: Frontend, tree: Path, python: runtimes.Python, uv: Path
) -> dict[str, Any]:
    record = _source.SourceStore(work.layout.root).description(spec.revision) or {}
    inputs = _frontend.Inputs(
        tree=record["trees"]["frontend"],
        lock=record["files"]["frontend/package-lock.json"],
        node=item.node,
        environment=dict(item.environment),
        fonts=item.fonts,
    )
    key = inputs.fingerprint
    if not work.part("frontend", key).exists():
        node = runtimes.ensure_node(work.layout, item.node, python.path, uv, _offline(work, spec))
        work.layout.libexec.mkdir(parents=True, exist_ok=True)
        fonts = work.layout.libexec / "google-fonts.cjs"
        _files.write_atomically(fonts, spec.fonts_program, 0o755)
        output = _frontend.ensure(
            work.layout, tree / "frontend", inputs, node, fonts, work.commands, releases={}
        )
        work.pack(output, "frontend", key)
    work.add("frontend", key)
    return {
        "fingerprint": key,
        "environment": dict(item.environment),
        "fonts": item.fonts,
        "node": item.node,
    }


def _build_gateway(work: Work, item: Gateway) -> dict[str, Any]:
    key = _bundle.gateway_key(item.version, item.plugins)
    if not work.part("openclaw", key).exists():
        environment = {
            **work.commands.environment,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(work.wheels),
        }
        root = work.directory / "gateway"
        request = plan.Request(
            account=work.account,
            root=root,
            state_directory=root / "state",
            version=item.version,
            node_version=item.node,
            plugins=item.plugins,
            environment=environment,
        )
        layout = plan.Layout(request)
        work.commands.note(f"npm tree of OpenClaw {item.version}")
        try:
            installer.Installer(request, layout).programs()
            work.pack(layout.tree, "openclaw", key)
        finally:
            _files.remove(root)
    work.add("openclaw", key)
    return {"version": item.version, "node": item.node, "plugins": list(item.plugins)}


# --- Debian packages -------------------------------------------------------------------------------


def apt_options(directory: Path) -> list[str]:
    """apt on lists and a status of its own: it needs no root, and takes every package for not installed."""
    settings = {
        "Dir::State": directory / "state",
        "Dir::State::status": directory / "status",
        "Dir::State::extended_states": directory / "extended_states",
        "Dir::Cache": directory / "cache",
        "APT::Install-Recommends": "false",
        # Of importance only where packages are configured.
        "APT::Immediate-Configure": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _packages(work: Work, names: Sequence[str]) -> None:
    """The packages and, whatever a host may have installed, all that they depend on."""
    apt = work.directory / "apt"
    for path in (apt / "state/lists/partial", apt / "cache/archives/partial", apt / "none/partial"):
        path.mkdir(parents=True, exist_ok=True)
    (apt / "status").write_text("")
    base = ["apt-get", "--quiet", *apt_options(apt)]
    work.commands([*base, "update"], what="Reading the lists of packages", remedy=_APT)
    install = ["--yes", "install", *names]
    listed = work.commands(
        [*base, "-o", f"Dir::Cache::archives={apt}/none", "--print-uris", *install],
        what="Finding what the packages depend on",
        remedy=_APT,
    )
    files = dict(sorted(uri_files(listed).items()))
    part, stamp = work.part("packages"), work.directory / "packages.json"
    record = json.dumps(list(files)) + "\n"
    if not (part.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == record):
        _files.remove(stamp)
        work.commands(
            [*base, "--download-only", *install], what=f"Downloading {len(files)} packages", remedy=_APT
        )
        repository = apt / "repository"
        _files.remove(repository)
        repository.mkdir()
        stanzas = []
        for name, uri in files.items():
            # apt decodes the name of a file when it reads it.
            path = repository / name.replace("%3a", ".")
            # What lies on this machine is not copied by apt.
            local = Path(urllib.parse.unquote(uri.removeprefix("file:")))
            found = local if uri.startswith("file:") else apt / "cache/archives" / name
            _files.copy_file(found, path)
            control = work.commands(["dpkg-deb", "--field", path], what=f"Reading {name}")
            stanzas.append(stanza(control, path))
        _files.write_atomically(repository / "Packages", "\n".join(stanzas))
        work.pack(repository, "packages")
        _files.remove(repository)
        for path in (apt / "cache/archives").glob("*.deb"):
            if path.name not in files:
                path.unlink()
        _files.write_atomically(stamp, record)
    work.add("packages")


def uri_files(listed: str) -> dict[str, str]:
    """The files in apt-get's answer to --print-uris, 'uri' file size hash, with their addresses."""
    lines = [line.split() for line in listed.split("\n") if line.startswith("'")]
    return {words[1]: words[0].strip("'") for words in lines if len(words) >= 3 and words[1].endswith(".deb")}


def stanza(control: str, path: Path) -> str:
    """A package's entry in the list of a repository."""
    return (
        f"{control.rstrip()}\n"
        f"Filename: ./{path.name}\nSize: {path.stat().st_size}\nSHA256: {_files.file_digest(path)}\n"
    )
