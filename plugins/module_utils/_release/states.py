# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module release brings about: a function for each state, to be called as the application's user.

`parameters` are the module's options. Each returns the module's result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import _redaction
from .._application import environment as _environment
from .._application.backend_platform import platform_of
from .._application.layout import Layout
from .._gateway import identity
from .._host import builds, files, locks, privileges
from .._host.accounts import Account
from .._redaction import Redactor
from . import build as _build
from . import choice, compose, links, outcome, pruning, records, renewing, source
from . import plan as _plan

Work = Callable[[Mapping[str, Any], bool, Account], dict[str, Any]]


def spec_of(parameters: Mapping[str, Any]) -> _plan.ReleaseSpec:
    return _plan.ReleaseSpec(
        revision=parameters["revision"],
        components=tuple(parameters["components"]),
        backend_environment={**parameters["backend_environment"], **parameters["backend_secrets"]},
        secret_settings=tuple(parameters["backend_secrets"]),
        python=parameters["python"],
        uv_version=parameters["uv_version"],
        node_version=parameters["node_version"],
        frontend_environment={name: str(value) for name, value in parameters["frontend_environment"].items()},
        fonts=parameters["frontend_fonts"],
        libexec=parameters["libexec"],
        carry_over=parameters["carry_over"],
        identity_from=parameters["identity_from"],
        made_by=parameters["made_by"],
        bundle=Path(parameters["bundle_directory"]) if parameters["bundle_directory"] else None,
    )


@contextlib.contextmanager
def working(
    layout: Layout, spec: _plan.ReleaseSpec, parameters: Mapping[str, Any], account: Account, purpose: str
) -> Iterator[builds.BuildCommands]:
    """Under the lock: commands that write to the release's log."""
    downloads = parameters["download_environment"]
    environment = builds.download_environment(account, downloads)
    values = {**_environment.texts(spec.backend_environment), **downloads}
    redactor = Redactor(_redaction.secrets(values, spec.secret_settings))
    with locks.deployment_lock(layout.lock, purpose=purpose, timeout=parameters["lock_timeout"]) as lock:
        commands = builds.BuildCommands(
            layout.log / "release.log", environment, redactor=redactor, keep_open=(lock,)
        )
        privileges.stop_with(commands.cancel)
        yield commands


def prepare(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    layout, spec = Layout(Path(parameters["root"])), spec_of(parameters)
    # Also when there is no source yet, a setting that cannot be written must be told now.
    _environment.texts(spec.backend_environment)
    current = layout.current_release
    if check_mode and source.SourceStore(layout.root).description(spec.revision) is None:
        return {**before_anything("prepared"), "current": current}
    plan = _plan.make_plan(layout, spec, records.complete_releases(layout))
    libexec = [f"write shared/libexec/{name}" for name in _plan.stale_libexec(layout, spec)]
    steps = [*libexec, *plan.steps]
    answer: dict[str, Any] = {
        "changed": bool(steps),
        "id": plan.identifier,
        "path": str(layout.release(plan.identifier)),
        "current": current,
        "components": list(plan.components),
        "fingerprints": plan.fingerprints,
        "plan": steps,
        "drift": plan.drift,
    }
    answer["diff"] = [{"prepared": "".join(f"{step}\n" for step in steps)}] if steps else []
    if plan.environment_text and plan.identifier != current:
        answer["diff"].append(_plan.environment_difference(layout, plan))
    if steps and not check_mode:
        with working(layout, spec, parameters, account, "preparing a release") as commands:
            # Whoever held the lock before may have done some of it.
            plan = _plan.make_plan(layout, spec, records.complete_releases(layout))
            commands.note(f"release {plan.identifier}: {', '.join(plan.steps)}")
            answer["timings"] = compose.prepare(layout, spec, plan, commands)
            answer["log"] = str(commands.log)
    answer["linked"] = current == plan.identifier and not (
        links.wrong_links(layout, plan.identifier) or links.stale_links(layout, plan.identifier)
    )
    releases = records.complete_releases(layout)
    answer["outcome"] = records.outcome(releases.get(plan.identifier, {}))
    answer["fallback"] = choice.fallback_from(releases, plan.identifier, current, plan.components)
    if plan.environment_path is not None:
        answer["device_id"] = identity.read(layout.identity)
        answer["gateway_platform"] = platform_of(layout.release(plan.identifier) / "backend")
    return answer


def build(parameters: Mapping[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """What releases share, whatever the backend's settings."""
    layout, spec = Layout(Path(parameters["root"])), spec_of(parameters)
    current = layout.current_release
    if check_mode and source.SourceStore(layout.root).description(spec.revision) is None:
        return {"changed": True, "current": current, "plan": ["bring the source", "build from it"]}
    steps = _plan.make_plan(layout, spec, records.complete_releases(layout)).build_steps
    answer: dict[str, Any] = {"changed": bool(steps), "current": current, "plan": steps}
    if steps and not check_mode:
        with working(layout, spec, parameters, account, "building a release") as commands:
            plan = _plan.make_plan(layout, spec, records.complete_releases(layout))
            commands.note(f"source {spec.revision[:12]}: {', '.join(plan.build_steps)}")
            answer["timings"] = _build.build(layout, spec, plan, commands)
            answer["log"] = str(commands.log)
    return answer


def switch(parameters: Mapping[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    identifier = parameters["id"]
    previous = layout.current_release
    answer = {
        "id": identifier,
        "path": str(layout.release(identifier)),
        "previous": previous,
        "current": identifier,
    }
    before = {
        "before": f"current -> releases/{previous}\n" if previous else "",
        "after": f"current -> releases/{identifier}\n",
    }
    if check_mode:
        return {
            **answer,
            "changed": bool(links.wrong_links(layout, identifier) or links.stale_links(layout, identifier)),
            "diff": before,
        }
    with locks.deployment_lock(
        layout.lock, purpose="switching the release", timeout=parameters["lock_timeout"]
    ):
        return {**answer, **links.switch(layout, identifier), "diff": before}


def mark(parameters: Mapping[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    identifier, state = parameters["id"], parameters["state"]
    answer = {"id": identifier, "current": layout.current_release, "outcome": state}
    record = records.complete_releases(layout).get(identifier, {})
    if check_mode:
        return {**answer, "changed": records.outcome(record) != state}
    with locks.deployment_lock(
        layout.lock, purpose="describing a release", timeout=parameters["lock_timeout"]
    ):
        changed = outcome.mark(layout, identifier, state, parameters["made_by"], parameters["reason"])
        if parameters["units"]:
            changed |= outcome.record_units(layout, identifier, parameters["units"])
        if state == "verified":
            changed |= outcome.complete_adoption(layout)
            changed |= outcome.supersede(layout, identifier, parameters["made_by"])
    return {**answer, "changed": changed}


def remove(parameters: Mapping[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    doomed = pruning.everything(layout, parameters["remove_data"])
    answer = {"changed": bool(doomed), "current": None, "removed": [str(path) for path in doomed]}
    if doomed and not check_mode:
        with locks.deployment_lock(
            layout.lock, purpose="removing everything", timeout=parameters["lock_timeout"]
        ):
            for path in doomed:
                files.remove(path)
    return answer


def prune(parameters: Mapping[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    running = pruning.running_releases(layout)
    answer = {"current": layout.current_release}
    if check_mode:
        doomed = pruning.prune_plan(layout, parameters["keep"], running, parameters["protect"])
        return {**answer, "changed": bool(doomed), "removed": doomed}
    with locks.deployment_lock(
        layout.lock, purpose="removing old releases", timeout=parameters["lock_timeout"]
    ):
        removed = pruning.prune(layout, parameters["keep"], running, parameters["protect"])
    return {**answer, "changed": bool(removed), "removed": removed, "stuck": pruning.stuck(layout)}


def before_anything(state: str) -> dict[str, Any]:
    """The answer of check mode on a host that has nothing yet."""
    answer: dict[str, Any] = {"changed": state in ("prepared", "built", "current"), "current": None}
    if state == "prepared":
        steps = ["bring the source", "build and compose a release of it"]
        return {
            **answer,
            "id": None,
            "path": None,
            "linked": False,
            "plan": steps,
            "drift": [],
            "fingerprints": {},
            "outcome": "",
            "fallback": None,
        }
    return {**answer, "previous": None, "releases": [], "removed": []}


STATES: Mapping[str, Work] = {
    "prepared": prepare,
    "built": build,
    "current": switch,
    "pruned": prune,
    "verified": mark,
    "failed": mark,
    "left": mark,
    "renewed": renewing.renew,
    "absent": remove,
}
