# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the parts of a release that are not there yet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import _bundle
from .._application.layout import Layout
from .._host import files
from .._host.builds import BuildCommands
from . import frontend, runtimes
from . import source as _source
from .plan import Plan, ReleaseSpec, stale_libexec
from .records import complete_releases


def build(layout: Layout, spec: ReleaseSpec, plan: Plan, commands: BuildCommands) -> dict[str, float]:
    """Build what releases share and this plan lacks; returns seconds by step."""
    timings: dict[str, float] = {}
    layout.libexec.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in stale_libexec(layout, spec):
        files.write_atomically(layout.libexec / name, spec.libexec[name], 0o755)
    tree = _source.SourceStore(layout.root).tree(spec.revision)
    with _bundle.uv_cache(spec.bundle, layout.shared, _missing_environment(plan)) as offline:
        commands.environment.update(offline)
        _build_parts(layout, spec, plan, tree, commands, complete_releases(layout), timings)
    return timings


def _missing_environment(plan: Plan) -> str:
    path = plan.environment_path
    return "" if path is None or runtimes.environment_complete(path) else path.name


def _build_parts(
    layout: Layout,
    spec: ReleaseSpec,
    plan: Plan,
    tree: Path,
    commands: BuildCommands,
    releases: Mapping[str, Mapping[str, Any]],
    timings: dict[str, float],
) -> None:
    uv = _timed(
        timings, "uv", lambda: runtimes.ensure_uv(layout, spec.uv_version, _any_python(plan), commands)
    )
    jobs = []
    if plan.environment_path is not None and plan.python is not None:
        python = plan.python
        jobs.append(
            lambda: _timed(
                timings,
                "python_environment",
                lambda: runtimes.ensure_environment(
                    layout, tree / "backend", python, spec.uv_version, uv, commands
                ),
            )
        )
    if plan.frontend is not None:
        jobs.append(lambda: _build_frontend(layout, spec, plan, tree, uv, commands, releases, timings))
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
    spec: ReleaseSpec,
    plan: Plan,
    tree: Path,
    uv: Path,
    commands: BuildCommands,
    releases: Mapping[str, Mapping[str, Any]],
    timings: dict[str, float],
) -> None:
    inputs = plan.frontend
    if inputs is None:
        raise ValueError("the plan has no frontend to build")
    node = _timed(
        timings,
        "node",
        lambda: runtimes.ensure_node(layout, spec.node_version, _any_python(plan), uv, commands),
    )
    if frontend.built(layout, inputs.fingerprint, releases) is not None:
        return
    directory = layout.frontend_build(inputs.key)
    if spec.bundle is not None:
        part = _bundle.part(spec.bundle, "frontend", inputs.fingerprint)
        _timed(timings, "unpack", lambda: frontend.take(directory, part, inputs.fingerprint))
        return
    source = tree / "frontend"
    _timed(timings, "npm_ci", lambda: frontend.install_packages(directory, source, node, commands))
    fonts = layout.libexec / spec.fonts_program
    _timed(timings, "build", lambda: frontend.build(directory, source, inputs, node, fonts, commands))
