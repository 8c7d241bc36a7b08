# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases: named by what they are made of, prepared aside, switched by one renaming, removed by number."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.module_utils import (
    _adoption,
    _bundle,
    _environment,
    _frontend,
    _identity,
    _migration,
    _runtimes,
    _source,
    _tree,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._layout import LINKS, Layout, digest
from ansible_collections.openclaw.mission_control.plugins.module_utils._release_records import (
    STATES,
    complete_releases,
    current_release,
    document,
    now,
    outcome,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._runner import (
    Commands,
    DeploymentError,
)

# Part of every release's name: a change here composes releases anew.
RECIPE = 1
COMPONENTS = ("backend", "worker", "frontend")


def parts_of(components: Iterable[str]) -> tuple[str, ...]:
    """The parts of a release that the components run from: the worker runs the backend's code."""
    wanted = set(components)
    return tuple(
        part
        for part, users in (("backend", {"backend", "worker"}), ("frontend", {"frontend"}))
        if wanted & users
    )


FAILED: Mapping[str, Any] = {"outcome": {"state": "failed"}}


def _served(item: tuple[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Sorts releases by the time from which they served."""
    return str(item[1].get("activated") or item[1].get("created") or ""), item[0]


def last_verified(releases: Mapping[str, Mapping[str, Any]]) -> str | None:
    verified = [item for item in releases.items() if outcome(item[1]) == "verified"]
    return max(verified, key=_served)[0] if verified else None


def lacking(told: Mapping[str, Any], needed: Iterable[str]) -> list[str]:
    """What of that a release does not have. One that does not say what it has lacks nothing."""
    has = told.get("components")
    return [] if has is None else [name for name in COMPONENTS if name in needed and name not in has]


def previous_release(
    releases: Mapping[str, Mapping[str, Any]], current: str | None, needed: Collection[str] = ()
) -> str | None:
    """Where a rollback leads: the last verified release that is not current, or else one nobody looked at.

    It has to have all that is needed.
    """
    others = [item for item in releases.items() if item[0] != current and not lacking(item[1], needed)]
    for state in ("verified", ""):
        # One that never served has not shown that it can.
        found = [item for item in others if outcome(item[1]) == state and item[1].get("activated", state)]
        if found:
            return max(found, key=_served)[0]
    return None


def fallback_from(
    releases: Mapping[str, Mapping[str, Any]],
    identifier: str,
    current: str | None,
    needed: Collection[str] = (),
) -> str | None:
    """What serves again when a release fails: the one that serves now, if there is another.

    Else one that has all that is needed, and rather one without some of it than none.
    """
    if current and current != identifier and outcome(releases.get(current, FAILED)) != "failed":
        return current
    return previous_release(releases, identifier, needed) or previous_release(releases, identifier)


def known(
    releases: Mapping[str, Mapping[str, Any]], current: str | None, needed: Collection[str] = ()
) -> str:
    """The releases of a host in one line, for a message."""
    shown = []
    for name, told in releases.items():
        state = STATES.get(outcome(told), outcome(told))
        without = lacking(told, needed)
        words = [*(["current"] if name == current else []), state]
        shown.append(f"{name} ({', '.join([*words, *(f'without {part}' for part in without)])})")
    return ", ".join(shown) or "none"


def _refuse_lacking(name: str, release: Mapping[str, Any], needed: Collection[str], told: str) -> None:
    """A rollback must not take away what the inventory has run here."""
    parts = lacking(release, needed)
    if parts:
        named, groups = " and ".join(parts), ", ".join(f"mission_control_{part}" for part in parts)
        raise DeploymentError(
            f"release: {name} has no {named}, which the inventory has run on this host. "
            f"Nothing was changed. {told}",
            kind="incomplete_release",
            remedy=f"Deploy its revision with {named} (mission_control_revision: {release.get('revision')}), "
            f"or take {named} from this host in the inventory (group {groups}) and repeat the rollback.",
        )


def choose(
    releases: Mapping[str, Mapping[str, Any]], current: str | None, wanted: str, needed: Collection[str] = ()
) -> str:
    """The release that a rollback leads to; `wanted` is its name, the start of its name, or empty.

    One that lacks what is needed is refused, but for the current one, whose database may be taken back.
    """
    told = f"Releases of this host: {known(releases, current, needed)}."
    if not wanted:
        previous = previous_release(releases, current, needed)
        if previous is None:
            lesser = previous_release(releases, current)
            if lesser is not None:
                _refuse_lacking(lesser, releases[lesser], needed, told)
            raise DeploymentError(
                f"There is no earlier release to go back to. {told}",
                kind="no_release",
                remedy="Deploy the revision that you want (mission_control_revision).",
            )
        return previous
    names = [name for name in releases if name.startswith(wanted)] if len(wanted) >= 7 else []
    fit = [wanted] if wanted in releases else names
    good = [name for name in fit if outcome(releases[name]) != "failed"]
    if not fit:
        raise DeploymentError(
            f"release: {wanted} is no release of this host. {told}",
            kind="no_release",
            remedy="Name one of them, or deploy the revision that you want.",
        )
    if not good:
        reason = str((releases[fit[-1]].get("outcome") or {}).get("reason") or "it was not healthy")
        raise DeploymentError(
            f"release: {fit[-1]} failed when it was deployed ({reason}), so nothing goes back to it. {told}",
            kind="failed_release",
            remedy="Name another one; to try it once more, deploy it.",
        )
    whole = [name for name in good if name == current or not lacking(releases[name], needed)]
    found = max(((name, releases[name]) for name in whole or good), key=_served)[0]
    if found not in whole:
        _refuse_lacking(found, releases[found], needed, told)
    return found


def note(layout: Layout, identifier: str, **values: Any) -> bool:
    """Write something into a release's description; says whether it was not there already."""
    path = layout.release(identifier)
    told = document(path)
    if told is None:
        raise DeploymentError(f"There is no complete release {identifier}.", kind="no_release")
    if all(told.get(name) == value for name, value in values.items()):
        return False
    _tree.write_atomically(path / "release.json", json.dumps({**told, **values}, indent=1) + "\n")
    return True


def mark(layout: Layout, identifier: str, state: str, by: str, reason: str) -> bool:
    """Record what became of a release."""
    told = document(layout.release(identifier)) or {}
    before = told.get("outcome") or {}
    if before.get("state") == state and before.get("reason", "") == reason:
        return False
    if (before.get("state"), state) == ("failed", "left"):
        return False
    return note(layout, identifier, outcome={"state": state, "at": now(), "by": by, "reason": reason})


def knowing(layout: Layout, revisions: Iterable[str]) -> tuple[str | None, _migration.Graph | None]:
    """The newest release whose code knows these revisions of the database, the current one before others."""
    wanted, current = set(revisions), current_release(layout)
    names = sorted(complete_releases(layout), key=lambda name: name == current)
    for name in reversed(names):
        backend = layout.release(name) / "backend"
        graph = _migration.read_graph(backend / "migrations" / "versions")
        if wanted and wanted <= set(graph.revisions) and (backend / ".env").exists():
            return name, graph
    return None, None


def complete_adoption(layout: Layout) -> bool:
    """A release has passed its gate: from now on a failure leads to a release, not to what was before."""
    record = _adoption.read_record(layout)
    if record is None or record.phase != "taken":
        return False
    # The old processes are not started again any more.
    record.phase, record.environments = "done", {}
    _tree.write_atomically(_adoption.record_path(layout), record.text(), 0o600)
    return True


def record_units(layout: Layout, identifier: str, units: Sequence[Mapping[str, Any]]) -> bool:
    """Keep the units that a release was verified with: going back to it brings them back."""
    path = layout.release(identifier) / "units.json"
    text = json.dumps(list(units), indent=1) + "\n"
    try:
        if path.read_text(encoding="utf-8") == text:
            return False
    except OSError:
        pass
    _tree.write_atomically(path, text)
    return True


def recorded_units(layout: Layout, identifier: str) -> list[dict[str, Any]]:
    """The units of a verified release; none when they were not recorded."""
    try:
        units = json.loads((layout.release(identifier) / "units.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return units if isinstance(units, list) else []


@dataclass
class Wish:
    """What a release shall be made of."""

    revision: str
    components: tuple[str, ...]
    backend_environment: Mapping[str, Any] = field(default_factory=dict)
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
    python: _runtimes.Python | None = None
    environment_path: Path | None = None
    frontend: _frontend.Inputs | None = None
    # What releases share, whatever the backend's settings, and what this one has alone.
    build_steps: list[str] = field(default_factory=list)
    own_steps: list[str] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        return self.build_steps + self.own_steps


def make_plan(layout: Layout, wish: Wish, releases: Mapping[str, Mapping[str, Any]]) -> Plan:
    """Name the release and list what has to be done for it. Changes nothing."""
    store = _source.SourceStore(layout.root)
    told = store.description(wish.revision)
    if told is None:
        raise DeploymentError(
            f"The source {wish.revision[:12]} is not on this host.",
            kind="no_source",
            remedy="Bring it first (role openclaw.mission_control.source).",
        )
    tree = store.tree(wish.revision)
    plan = Plan("", {}, wish.components, ())
    plan.components = tuple(name for name in COMPONENTS if name in wish.components)
    parts = parts_of(wish.components)
    current = current_release(layout)
    if "backend" in parts:
        _plan_backend(layout, wish, told, tree, plan)
    if "frontend" in parts:
        _plan_frontend(layout, wish, told, plan, releases)
    if wish.carry_over and current is not None and current in releases:
        _carry_over(plan, releases[current], parts)
    plan.fingerprints = dict(sorted(plan.fingerprints.items()))
    name = digest({"recipe": RECIPE, "revision": wish.revision, "parts": plan.fingerprints}, 8)
    plan.identifier = f"{wish.revision[:12]}-{name}"
    if plan.identifier not in releases:
        plan.own_steps.append(f"compose release {plan.identifier}")
    return plan


def _plan_backend(layout: Layout, wish: Wish, told: Mapping[str, Any], tree: Path, plan: Plan) -> None:
    _source.refuse_missing(
        _source.missing_files(lambda name: (tree / name).is_file(), ("backend/uv.lock",)), told["origin"]
    )
    values = dict(wish.backend_environment)
    values.setdefault("OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH", str(layout.identity))
    plan.environment = _environment.texts(values)
    plan.environment_text = _environment.render(plan.environment)
    plan.python = _runtimes.find_python(wish.python)
    key = _runtimes.environment_key(tree / "backend", plan.python, wish.uv_version)
    plan.environment_path = layout.python(key)
    plan.fingerprints["backend"] = digest(
        {
            "trees": [told["trees"].get("backend"), told["trees"].get("scripts")],
            "python": key,
            # The fingerprint shows no secret: a long random token is always part of the text.
            "environment": plan.environment_text,
        }
    )
    if not _runtimes.uv_program(layout, wish.uv_version).exists():
        plan.build_steps.append(f"install uv {wish.uv_version}")
    if not _runtimes.environment_complete(plan.environment_path):
        plan.build_steps.append(f"install the backend's packages with Python {plan.python.version}")
    if _identity.read(layout.identity) is None:
        how = f"take over {wish.identity_from} as" if wish.identity_from else "make"
        plan.own_steps.append(f"{how} the backend's identity for gateways")


def _plan_frontend(
    layout: Layout, wish: Wish, told: Mapping[str, Any], plan: Plan, releases: Mapping[str, Mapping[str, Any]]
) -> None:
    lock = told["files"].get("frontend/package-lock.json")
    if lock is None:
        _source.refuse_missing(["frontend/package-lock.json"], told["origin"])
    plan.frontend = _frontend.Inputs(
        tree=told["trees"]["frontend"],
        lock=str(lock),
        node=wish.node_version,
        environment=dict(wish.frontend_environment),
        fonts=wish.fonts,
    )
    plan.fingerprints["frontend"] = plan.frontend.fingerprint
    if not (_runtimes.node_directory(layout, wish.node_version) / "npm").exists():
        plan.build_steps.append(f"install Node.js {wish.node_version}")
    if _frontend.built(layout, plan.frontend.fingerprint, releases) is None:
        directory = layout.frontend_build(plan.frontend.key)
        if wish.bundle is not None:
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


def stale_libexec(layout: Layout, wish: Wish) -> list[str]:
    """Start programs whose content differs from the wanted one."""
    stale = []
    for name, text in wish.libexec.items():
        path = layout.libexec / name
        try:
            same = path.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            stale.append(name)
    return stale


def prepare(layout: Layout, wish: Wish, plan: Plan, commands: Commands) -> dict[str, float]:
    """Build and compose what the plan lacks, beside the release that serves; returns seconds by step."""
    if plan.environment_path is not None:
        _identity.ensure(layout.identity, wish.identity_from)
    timings = build(layout, wish, plan, commands)
    releases = complete_releases(layout)
    if plan.identifier not in releases:
        tree = _source.SourceStore(layout.root).tree(wish.revision)
        _timed(timings, "compose", lambda: _compose(layout, wish, plan, tree, commands, releases))
    return timings


def build(layout: Layout, wish: Wish, plan: Plan, commands: Commands) -> dict[str, float]:
    """Build what releases share and this plan lacks; returns seconds by step."""
    timings: dict[str, float] = {}
    layout.libexec.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in stale_libexec(layout, wish):
        _tree.write_atomically(layout.libexec / name, wish.libexec[name], 0o755)
    tree = _source.SourceStore(layout.root).tree(wish.revision)
    with _bundle.uv_cache(wish.bundle, layout.shared, _missing_environment(plan)) as offline:
        commands.environment.update(offline)
        _build_parts(layout, wish, plan, tree, commands, complete_releases(layout), timings)
    return timings


def _missing_environment(plan: Plan) -> str:
    path = plan.environment_path
    return "" if path is None or _runtimes.environment_complete(path) else path.name


def _build_parts(
    layout: Layout,
    wish: Wish,
    plan: Plan,
    tree: Path,
    commands: Commands,
    releases: Mapping[str, Mapping[str, Any]],
    timings: dict[str, float],
) -> None:
    uv = _timed(
        timings, "uv", lambda: _runtimes.ensure_uv(layout, wish.uv_version, _any_python(plan), commands)
    )
    jobs = []
    if plan.environment_path is not None and plan.python is not None:
        python = plan.python
        jobs.append(
            lambda: _timed(
                timings,
                "python_environment",
                lambda: _runtimes.ensure_environment(
                    layout, tree / "backend", python, wish.uv_version, uv, commands
                ),
            )
        )
    if plan.frontend is not None:
        jobs.append(lambda: _build_frontend(layout, wish, plan, tree, uv, commands, releases, timings))
    commands.side_by_side(*jobs)


def _any_python(plan: Plan) -> str:
    return plan.python.path if plan.python is not None else "/usr/bin/python3"


def _timed(timings: dict[str, float], name: str, work: Any) -> Any:
    started = time.monotonic()
    try:
        return work()
    finally:
        timings[name] = round(time.monotonic() - started, 2)


def _build_frontend(
    layout: Layout,
    wish: Wish,
    plan: Plan,
    tree: Path,
    uv: Path,
    commands: Commands,
    releases: Mapping[str, Mapping[str, Any]],
    timings: dict[str, float],
) -> None:
    assert plan.frontend is not None  # noqa: S101
    inputs = plan.frontend
    node = _timed(
        timings,
        "node",
        lambda: _runtimes.ensure_node(layout, wish.node_version, _any_python(plan), uv, commands),
    )
    if _frontend.built(layout, inputs.fingerprint, releases) is not None:
        return
    directory = layout.frontend_build(inputs.key)
    if wish.bundle is not None:
        part = _bundle.part(wish.bundle, "frontend", inputs.fingerprint)
        _timed(timings, "unpack", lambda: _frontend.take(directory, part, inputs.fingerprint))
        return
    source = tree / "frontend"
    _timed(timings, "npm_ci", lambda: _frontend.install_packages(directory, source, node, commands))
    fonts = layout.libexec / wish.fonts_program
    _timed(timings, "build", lambda: _frontend.build(directory, source, inputs, node, fonts, commands))


def _compose(
    layout: Layout,
    wish: Wish,
    plan: Plan,
    tree: Path,
    commands: Commands,
    releases: Mapping[str, Mapping[str, Any]],
) -> None:
    final = layout.release(plan.identifier)
    partial = layout.releases / f".{plan.identifier}.partial"
    _tree.remove(partial)
    _tree.remove(final)
    partial.mkdir(mode=0o755, parents=True)
    try:
        if plan.environment_path is not None:
            _compose_backend(plan, tree, partial, commands)
        if plan.frontend is not None:
            output = _frontend.built(layout, plan.frontend.fingerprint, releases)
            if output is None:
                raise DeploymentError(
                    "The frontend's build has gone while the release was composed.", kind="no_build"
                )
            _tree.copy(output, partial / "frontend", link=True)
            # The release brings its Node.js along, so that a switch of releases switches it too.
            node = partial / "frontend" / ".node"
            node.unlink(missing_ok=True)
            node.symlink_to(layout.runtime("node", wish.node_version))
        for part in plan.carried:
            current = layout.current.resolve()
            for name in ("backend", "scripts") if part == "backend" else ("frontend",):
                if (current / name).is_dir():
                    _tree.copy(current / name, partial / name, link=True)
        told = describe(layout, wish, plan)
        _tree.write_atomically(partial / "release.json", json.dumps(told, indent=1) + "\n")
        partial.rename(final)
    except BaseException:
        _tree.remove(partial)
        raise


def _compose_backend(plan: Plan, tree: Path, partial: Path, commands: Commands) -> None:
    assert plan.environment_path is not None  # noqa: S101
    for name in ("backend", "scripts"):
        if (tree / name).is_dir():
            _tree.copy(tree / name, partial / name)
    backend = partial / "backend"
    _tree.write_atomically(backend / ".env", plan.environment_text, 0o600)
    (backend / ".venv").symlink_to(plan.environment_path)
    # The first start must not spend its time on compiling. Times in the files would make them differ from
    # copy to copy.
    compile_all = [
        "-m",
        "compileall",
        "-q",
        "-j",
        "2",
        "--invalidation-mode",
        "unchecked-hash",
        "-x",
        r"\.venv",
    ]
    commands(
        [backend / ".venv/bin/python", *compile_all, "app", "migrations"],
        what="Compiling the backend",
        cwd=backend,
    )


def describe(layout: Layout, wish: Wish, plan: Plan) -> dict[str, Any]:
    """release.json: what the release is, without a secret."""
    told = _source.SourceStore(layout.root).description(wish.revision) or {}
    carried = complete_releases(layout).get(current_release(layout) or "", {}) if plan.carried else {}
    python = {
        "version": plan.python.version if plan.python else None,
        "environment": str(plan.environment_path) if plan.environment_path else None,
        "uv": wish.uv_version,
    }
    frontend = (
        {
            "environment": dict(plan.frontend.environment),
            "build": plan.frontend.key,
            "fonts": plan.frontend.fonts,
        }
        if plan.frontend
        else None
    )
    return {
        "id": plan.identifier,
        "revision": wish.revision,
        "described": told.get("described", ""),
        "source": {"kind": told.get("kind"), "origin": told.get("origin")},
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "created_by": wish.made_by,
        "components": list(plan.components),
        "fingerprints": plan.fingerprints,
        "carried_over": list(plan.carried),
        "python": carried.get("python") if "backend" in plan.carried else python,
        "node": carried.get("node")
        if "frontend" in plan.carried
        else (wish.node_version if plan.frontend else None),
        "frontend": carried.get("frontend") if "frontend" in plan.carried else frontend,
        "recipe": RECIPE,
    }


def foreign_links(layout: Layout, parts: Iterable[str]) -> list[str]:
    """Places of our links where something else is, as on a host that was set up by hand."""
    wanted = ["current", *parts]
    return [
        name for name in wanted if (layout.root / name).exists() and not (layout.root / name).is_symlink()
    ]


def links(layout: Layout, identifier: str) -> dict[str, str]:
    """Every link that shall be there, by its name below the root."""
    release = layout.release(identifier)
    wanted = {"current": f"releases/{identifier}"}
    for part in LINKS:
        if (release / part).is_dir():
            wanted[part] = f"current/{part}"
    return wanted


def wrong_links(layout: Layout, identifier: str) -> dict[str, str]:
    """The links that are missing or point elsewhere."""
    wrong = {}
    for name, target in links(layout, identifier).items():
        try:
            found = str((layout.root / name).readlink())
        except OSError:
            found = ""
        if found != target:
            wrong[name] = target
    return wrong


def stale_links(layout: Layout, identifier: str) -> list[str]:
    """Our links to parts that the release does not have."""
    wanted = links(layout, identifier)
    return [
        part
        for part in LINKS
        if part not in wanted
        and (layout.root / part).is_symlink()
        and str((layout.root / part).readlink()) == f"current/{part}"
    ]


def switch(layout: Layout, identifier: str) -> dict[str, Any]:
    """Make a release the current one. What runs goes on from the old one until it is restarted."""
    if document(layout.release(identifier)) is None:
        raise DeploymentError(
            f"There is no complete release {identifier} below {layout.releases}.",
            kind="no_release",
            remedy="List the releases with state: listed.",
        )
    wrong = wrong_links(layout, identifier)
    foreign = foreign_links(layout, [name for name in wrong if name != "current"])
    if foreign:
        raise DeploymentError(
            f"{', '.join(str(layout.root / name) for name in foreign)} would have to become a link.",
            kind="foreign_path",
            remedy="Move it away, or choose another common_root.",
        )
    previous = current_release(layout)
    if previous != identifier:
        note(layout, identifier, activated=now())
    # `current` first: the others lead through it.
    for name in sorted(wrong, key=lambda name: name != "current"):
        _link(layout.root / name, wrong[name])
    stale = stale_links(layout, identifier)
    for name in stale:
        (layout.root / name).unlink()
    return {"previous": previous, "changed": bool(wrong or stale)}


def _link(path: Path, target: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(path)


def running_releases(layout: Layout, proc: Path = Path("/proc")) -> set[str]:
    """Releases that a process works in."""
    base = str(layout.releases.resolve()) + "/"
    found = set()
    for entry in proc.iterdir():
        if entry.name.isdigit():
            try:
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if place.startswith(base):
                found.add(place[len(base) :].split("/", 1)[0])
    return found


def prune_plan(layout: Layout, keep: int, running: Iterable[str], protect: Iterable[str] = ()) -> list[str]:
    """Releases to remove: all but the newest, and none that is current, protected or worked in.

    Failed ones do not count, and only the last of them is left for a look at it.
    """
    releases = complete_releases(layout)
    safe = {current_release(layout), last_verified(releases), *running, *protect}
    failed = [name for name, told in releases.items() if outcome(told) == "failed"]
    good = [name for name in releases if name not in failed]
    newest = {*good[-max(keep, 1) :], *failed[-1:]}
    return [identifier for identifier in releases if identifier not in safe and identifier not in newest]


def prune(layout: Layout, keep: int, running: Iterable[str], protect: Iterable[str] = ()) -> list[str]:
    """Remove old releases, and what only they needed."""
    removed = prune_plan(layout, keep, running, protect)
    for identifier in removed:
        _tree.remove(layout.release(identifier))
    if layout.releases.is_dir():
        for path in layout.releases.iterdir():
            if path.name.startswith("."):
                _tree.remove(path)
    kept = complete_releases(layout)
    environments = {str((told.get("python") or {}).get("environment")) for told in kept.values()}
    builds = {(told.get("frontend") or {}).get("build") for told in kept.values()}
    nodes = {f"node-{told.get('node')}" for told in kept.values() if told.get("node")}
    for path in _children(layout.shared / "runtimes"):
        if path.name.startswith((".", "node-")) and path.name not in nodes:
            _tree.remove(path)
            removed.append(f"shared/runtimes/{path.name}")
    for path in _children(layout.shared / "python"):
        if str(path) not in environments:
            _tree.remove(path)
            removed.append(f"shared/python/{path.name}")
    for path in _children(layout.shared / "frontend-build"):
        if path.name not in builds:
            _tree.remove(path)
            removed.append(f"shared/frontend-build/{path.name}")
    removed += [
        f"shared/source/{name}"
        for name in _source.prune(_source.SourceStore(layout.root), {t["revision"] for t in kept.values()})
    ]
    return removed


def everything(layout: Layout, data: bool) -> list[Path]:
    """What an uninstallation removes; identity, backups and history only when told so."""
    links = [layout.root / name for name in LINKS if (layout.root / name).is_symlink()]
    kept = () if data else (layout.identity.parent, layout.backups, _adoption.record_path(layout))
    history = f"{layout.history.name}*"
    shared = [
        path
        for path in _children(layout.shared)
        if path not in kept and path != layout.lock and (data or not path.match(history))
    ]
    found = [layout.current] if layout.current.is_symlink() else []
    releases = [layout.releases] if layout.releases.is_dir() else []
    return [*links, *found, *releases, *shared]


def _children(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else []


def environment_difference(layout: Layout, plan: Plan) -> dict[str, str]:
    """The settings before and after, secrets hidden, as ansible's diff mode shows them."""
    path = layout.current / "backend" / ".env"
    try:
        before = path.read_text(encoding="utf-8")
    except OSError:
        before = ""
    return {
        "before_header": str(path),
        "before": _environment.masked(before),
        "after_header": f"{layout.release(plan.identifier)}/backend/.env",
        "after": _environment.masked(plan.environment_text, before),
    }
