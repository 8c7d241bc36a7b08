# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a release together from the parts that were built."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._gateway import identity
from .._host import files, trees
from .._host.builds import BuildCommands
from .._host.deployment_errors import DeploymentError
from .._times.record_stamps import utc_stamp
from . import contents, recording, runtimes, source
from . import frontend as _frontend
from .build import _timed, build
from .names import RECIPE
from .plan import Plan, ReleaseSpec
from .records import complete_releases


def prepare(layout: Layout, spec: ReleaseSpec, plan: Plan, commands: BuildCommands) -> dict[str, float]:
    """Build and compose what the plan lacks, beside the release that serves; returns seconds by step."""
    if plan.environment_path is not None:
        identity.ensure(layout.identity, spec.identity_from)
    timings = build(layout, spec, plan, commands)
    releases = complete_releases(layout)
    if plan.identifier not in releases:
        tree = source.SourceStore(layout.root).tree(spec.revision)
        _timed(timings, "compose", lambda: _compose(layout, spec, plan, tree, commands, releases))
    return timings


def _compose(
    layout: Layout,
    spec: ReleaseSpec,
    plan: Plan,
    tree: Path,
    commands: BuildCommands,
    releases: Mapping[str, Mapping[str, Any]],
) -> None:
    final = layout.release(plan.identifier)
    partial = layout.releases / f".{plan.identifier}.partial"
    files.remove(partial)
    files.remove(final)
    partial.mkdir(mode=0o755, parents=True)
    try:
        if plan.environment_path is not None:
            _compose_backend(plan, tree, partial, commands)
            uv = runtimes.uv_program(layout, spec.uv_version)
            contents.list_backend(tree / "backend", uv, partial, commands)
        if plan.frontend is not None:
            output = _frontend.built(layout, plan.frontend.fingerprint, releases)
            if output is None:
                raise DeploymentError(
                    "The frontend's build has gone while the release was composed.", kind="no_build"
                )
            trees.copy(output, partial / "frontend", link=True)
            # All of it that its unit may write to.
            (partial / "frontend" / ".next" / "cache").mkdir(parents=True, exist_ok=True)
            # The release brings its Node.js along, so that a switch of releases switches it too.
            node = partial / "frontend" / ".node"
            node.unlink(missing_ok=True)
            node.symlink_to(layout.runtime("node", spec.node_version))
            contents.list_frontend(
                tree / "frontend", runtimes.node_directory(layout, spec.node_version), partial, commands
            )
        for part in plan.carried:
            current = layout.current.resolve()
            for name in ("backend", "scripts") if part == "backend" else ("frontend",):
                if (current / name).is_dir():
                    trees.copy(current / name, partial / name, link=True)
            if (known := current / contents.LISTS[part]).is_file():
                shutil.copy2(known, partial / known.name)
        record = {**describe(layout, spec, plan), "packages": contents.counts(partial)}
        files.write_atomically(partial / "release.json", json.dumps(record, indent=1) + "\n")
        partial.rename(final)
    except BaseException:
        files.remove(partial)
        raise


def _compose_backend(plan: Plan, tree: Path, partial: Path, commands: BuildCommands) -> None:
    if plan.environment_path is None:
        raise ValueError("the plan has no environment for the backend")
    for name in ("backend", "scripts"):
        if (tree / name).is_dir():
            trees.copy(tree / name, partial / name)
    backend = partial / "backend"
    files.write_atomically(backend / ".env", plan.environment_text, 0o600)
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
    for name in ("backend", "scripts"):
        if (partial / name).is_dir():
            recording.record(partial / name)


def describe(layout: Layout, spec: ReleaseSpec, plan: Plan) -> dict[str, Any]:
    """release.json: what the release is, without a secret."""
    record = source.SourceStore(layout.root).description(spec.revision) or {}
    carried = complete_releases(layout).get(layout.current_release or "", {}) if plan.carried else {}
    python = {
        "version": plan.python.version if plan.python else None,
        "environment": str(plan.environment_path) if plan.environment_path else None,
        "uv": spec.uv_version,
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
        "revision": spec.revision,
        "described": record.get("described", ""),
        "source": {"kind": record.get("kind"), "origin": record.get("origin")},
        "created": utc_stamp(),
        "created_by": spec.made_by,
        "components": list(plan.components),
        "fingerprints": plan.fingerprints,
        "carried_over": list(plan.carried),
        "python": carried.get("python") if "backend" in plan.carried else python,
        "node": carried.get("node")
        if "frontend" in plan.carried
        else (spec.node_version if plan.frontend else None),
        "frontend": carried.get("frontend") if "frontend" in plan.carried else frontend,
        "recipe": RECIPE,
        # Composed again, as one of the same content was changed.
        **(
            {"base": plan.base, "generation": plan.generation, "drift": plan.drift} if plan.generation else {}
        ),
    }
