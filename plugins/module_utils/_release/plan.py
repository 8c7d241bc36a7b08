# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases: named by what they are made of, prepared aside, switched by one renaming, removed by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._application import environment as _environment
from .._application.digests import digest
from .._application.layout import Layout
from .._application.release_parts import COMPONENTS, parts_of
from .._gateway import identity
from .._host import reading
from .._host.deployment_errors import DeploymentError
from .._host.environment_file import secret_names
from . import drift, names, runtimes, source
from . import frontend as _frontend


@dataclass
class ReleaseSpec:
    """What a release shall be made of."""

    revision: str
    components: tuple[str, ...]
    backend_environment: Mapping[str, Any] = field(default_factory=dict)
    # Those of them whose values are never shown.
    secret_settings: tuple[str, ...] = ()
    python: str = ""
    uv_version: str = ""
    node_version: str = ""
    frontend_environment: Mapping[str, str] = field(default_factory=dict)
    fonts: str = "local"
    fonts_program: str = "google-fonts.cjs"
    libexec: Mapping[str, str] = field(default_factory=dict)
    carry_over: bool = False
    made_by: str = ""
    # The identity of an installation that is taken over: gateways know it already.
    identity_from: str = ""
    bundle: Path | None = None  # where a bundle lies on the host


@dataclass
class Plan:
    """What the wish comes to on this host."""

    identifier: str
    fingerprints: dict[str, str]
    components: tuple[str, ...]
    carried: tuple[str, ...]
    environment_text: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    python: runtimes.Python | None = None
    environment_path: Path | None = None
    frontend: _frontend.Inputs | None = None
    # What its name would be if nothing had been changed since, and how often that was the case.
    base: str = ""
    generation: int = 0
    # What was changed after it was composed, in words: another one of the same takes its place.
    drift: list[str] = field(default_factory=list)
    # What releases share, whatever the backend's settings, and what this one has alone.
    build_steps: list[str] = field(default_factory=list)
    own_steps: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        return self.build_steps + self.own_steps


def make_plan(layout: Layout, spec: ReleaseSpec, releases: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Name the release and list what has to be done for it. Changes nothing."""
    store = source.SourceStore(layout.root)
    record = store.description(spec.revision)
    if record is None:
        raise DeploymentError(
            f"The source {spec.revision[:12]} is not on this host.",
            kind="no_source",
            remedy="Bring it first (role openclaw.mission_control.source).",
        )
    tree = store.tree(spec.revision)
    plan = Plan("", {}, spec.components, ())
    plan.components = tuple(name for name in COMPONENTS if name in spec.components)
    parts = parts_of(spec.components)
    current = layout.current_release
    if "backend" in parts:
        _plan_backend(layout, spec, record, tree, plan)
    if "frontend" in parts:
        _plan_frontend(layout, spec, record, plan, releases)
    if spec.carry_over and current is not None and current in releases:
        _carry_over(plan, releases[current], parts)
    plan.fingerprints = dict(sorted(plan.fingerprints.items()))
    plan.base = plan.identifier = names.identifier_of(spec.revision, plan.fingerprints)
    _resolve_drift(layout, spec, plan, tree, releases)
    if plan.identifier not in releases:
        why = f" again, as {'; '.join(plan.drift)}" if plan.drift else ""
        plan.own_steps.append(f"compose release {plan.identifier}{why}")
    return plan


def _resolve_drift(
    layout: Layout,
    spec: ReleaseSpec,
    plan: Plan,
    tree: Path,
    releases: Mapping[str, Mapping[str, Any]],
) -> None:
    """Choose, among releases of this same content, one that still has it, or else name another one.

    What was changed in one gets another fingerprint, so that its services start anew; the rest keeps its own.
    """
    same = [name for name, record in releases.items() if record.get("base", name) == plan.base]
    current = layout.current_release
    changed: dict[str, dict[str, list[str]]] = {}
    # The one that serves is preferred, then the newest.
    for name in sorted(same, key=lambda name: (name == current, releases[name].get("generation", 0)))[::-1]:
        changed[name] = _drift(layout, spec, plan, tree, layout.release(name))
        if not changed[name]:
            plan.identifier, plan.fingerprints = name, dict(releases[name].get("fingerprints", {}))
            plan.generation = releases[name].get("generation", 0)
            return
    if not same:
        return
    last = current if current in same else same[-1]
    found, had = changed[last], releases[last].get("fingerprints", {})
    plan.generation = 1 + max(releases[name].get("generation", 0) for name in same)
    plan.fingerprints = {
        part: digest([own, plan.generation]) if part in found else str(had.get(part, own))
        for part, own in plan.fingerprints.items()
    }
    plan.identifier = names.identifier_of(spec.revision, plan.fingerprints)
    plan.drift = [sentence for sentences in found.values() for sentence in sentences]


def _drift(layout: Layout, spec: ReleaseSpec, plan: Plan, tree: Path, release: Path) -> dict[str, list[str]]:
    """By part, what was changed in a release of this content."""
    found = {}
    if plan.environment_path is not None:
        found["backend"] = drift.of_backend(release, tree, plan.environment_text, plan.environment_path)
    if plan.frontend is not None:
        found["frontend"] = drift.of_frontend(release, layout.runtime("node", spec.node_version))
    return {part: sentences for part, sentences in found.items() if sentences}


def _plan_backend(
    layout: Layout, spec: ReleaseSpec, record: Mapping[str, Any], tree: Path, plan: Plan
) -> None:
    source.refuse_missing(
        source.missing_files(lambda name: (tree / name).is_file(), ("backend/uv.lock",)), record["origin"]
    )
    values = dict(spec.backend_environment)
    values.setdefault("OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH", str(layout.identity))
    plan.environment = _environment.texts(values)
    plan.environment_text = _environment.render(plan.environment, spec.secret_settings)
    plan.python = runtimes.find_python(spec.python)
    key = runtimes.environment_key(tree / "backend", plan.python, spec.uv_version)
    plan.environment_path = layout.python(key)
    plan.fingerprints["backend"] = names.backend_fingerprint(record["trees"], key, plan.environment_text)
    if not runtimes.uv_program(layout, spec.uv_version).exists():
        plan.build_steps.append(f"install uv {spec.uv_version}")
    if not runtimes.environment_complete(plan.environment_path):
        plan.build_steps.append(f"install the backend's packages with Python {plan.python.version}")
    if identity.read(layout.identity) is None:
        how = f"take over {spec.identity_from} as" if spec.identity_from else "make"
        plan.own_steps.append(f"{how} the backend's identity for gateways")


def _plan_frontend(
    layout: Layout,
    spec: ReleaseSpec,
    record: Mapping[str, Any],
    plan: Plan,
    releases: Mapping[str, Mapping[str, Any]],
) -> None:
    lock = record["files"].get("frontend/package-lock.json")
    if lock is None:
        source.refuse_missing(["frontend/package-lock.json"], record["origin"])
    plan.frontend = _frontend.Inputs(
        tree=record["trees"]["frontend"],
        lock=str(lock),
        node=spec.node_version,
        environment=dict(spec.frontend_environment),
        fonts=spec.fonts,
    )
    plan.fingerprints["frontend"] = plan.frontend.fingerprint
    if not (runtimes.node_directory(layout, spec.node_version) / "npm").exists():
        plan.build_steps.append(f"install Node.js {spec.node_version}")
    if _frontend.built(layout, plan.frontend.fingerprint, releases) is None:
        directory = layout.frontend_build(plan.frontend.key)
        if spec.bundle is not None:
            plan.build_steps.append("take the frontend out of the bundle")
            return
        if not (directory / "installed.json").exists():
            plan.build_steps.append("install the frontend's packages (npm ci)")
        plan.build_steps.append("build the frontend")


def _carry_over(plan: Plan, current: Mapping[str, Any], parts: Sequence[str]) -> None:
    """Parts that the current release has and this wish does not name stay as they are."""
    kept = [part for part in parts_of(current.get("components", ())) if part not in parts]
    for part in kept:
        plan.fingerprints[part] = current["fingerprints"][part]
    plan.carried = tuple(kept)
    together = set(plan.components) | {
        name for name in current.get("components", ()) if parts_of([name])[0] in kept
    }
    if "backend" in parts:
        # Backend and worker are one part: what ran from it goes on running from it.
        together |= {name for name in current.get("components", ()) if name in ("backend", "worker")}
    plan.components = tuple(name for name in COMPONENTS if name in together)


def stale_libexec(layout: Layout, spec: ReleaseSpec) -> list[str]:
    """Start programs whose content differs from the wanted one."""
    stale = []
    for name, text in spec.libexec.items():
        path = layout.libexec / name
        try:
            same = reading.read_regular(path) == text
        except OSError:
            same = False
        if not same:
            stale.append(name)
    return stale


def environment_difference(layout: Layout, plan: Plan) -> dict[str, str]:
    """The settings before and after, secrets hidden, as ansible's diff mode shows them."""
    path = layout.current / "backend" / ".env"
    try:
        before = reading.read_regular(path)
    except OSError:
        before = ""
    # A setting that is called secret only now was not before.
    secret = {*secret_names(before), *secret_names(plan.environment_text)}
    return {
        "before_header": str(path),
        "before": _environment.masked(before, secret=secret),
        "after_header": f"{layout.release(plan.identifier)}/backend/.env",
        "after": _environment.masked(plan.environment_text, before, secret),
    }
