#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: adoption
short_description: Take over an installation that was set up by hand, or give it back
version_added: "1.0.0"
description:
  - Finds Mission Control as an operator sets it up after the product's guide (a checkout in the application
    root, user units C(mission-control-backend), C(-worker) and C(-frontend)), or as the product's installer
    leaves it (a checkout anywhere, units C(openclaw-mission-control-*), processes of no unit).
  - With O(state=taken) its units are stopped and put aside, processes of no unit are ended, and what lies
    where releases go is moved into a directory with the date in its name. Nothing is deleted, and
    O(state=restored) has all of it back and running. Both can be interrupted and repeated.
  - What was found is recorded in C(shared/adopted.json), which only the application's user can read, and
    before anything is touched in C(/var/lib/mission-control), which only root can. Root believes its own
    record: one of the user's that root has none of is ignored, with a warning.
options:
  state:
    description:
      - V(read) returns the settings, what they become below the inventory (RV(facts)), and a summary.
      - V(taken) takes the installation over.
      - V(restored) gives it back, unless a release has passed its gate since.
    type: str
    choices: [read, taken, restored]
    default: read
  user:
    description: The application user.
    type: str
    default: mission-control
  root:
    description: Application root. A leading C(~) is the home of O(user).
    type: str
    required: true
  lock_timeout:
    description: Seconds to wait for another run on the same host.
    type: int
    default: 900
  secret_settings:
    description:
      - Names of settings of that installation whose values are never shown, besides those whose name or value
        says so.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Indicates this has a corresponding action plugin, which reads the variables of the inventory.
    support: full
  check_mode:
    description: Can run in check mode and tell what would be done.
    support: full
  diff_mode:
    description: Will return what is moved, stopped and started.
    support: full
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
"""

EXAMPLES = r"""
- name: Read what was set up by hand
  openclaw.mission_control.adoption:
    user: ubuntu
    root: ~/mission-control
  no_log: true
  register: found

- name: Take it over
  openclaw.mission_control.adoption:
    state: taken
    user: ubuntu
    root: ~/mission-control
"""

RETURN = r"""
found:
  description: Whether there is, or was, such an installation.
  type: bool
  returned: success
backend:
  description: Settings of backend and worker, with secrets.
  type: dict
  returned: with O(state=read), when found
frontend:
  description: Settings of the frontend.
  type: dict
  returned: with O(state=read), when found
adopting:
  description: Whether the take-over goes on, as no release has passed its gate since.
  type: bool
  returned: with O(state=read), when found
facts:
  description: Variables that carry the settings over where the inventory does not name them, with secrets.
  type: dict
  returned: with O(state=read), when found
summary:
  description: What is taken over and what becomes of each setting, secrets hidden.
  type: str
  returned: with O(state=read), when found
steps:
  description: What was, or in check mode would be, done.
  type: list
  elements: str
  returned: with O(state=taken) and O(state=restored)
kept:
  description: The directory in which the old things are.
  type: str
  returned: when found
"""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._adoption import record as _record
from ..module_utils._adoption import registry, takeover
from ..module_utils._application.layout import Layout
from ..module_utils._host import locks, privileges
from ..module_utils._host.accounts import Account, expand_home, find_account
from ..module_utils._host.errors import HostError


def look(steps: takeover.Adoption, _parameters: dict[str, Any], _check: bool) -> dict[str, Any]:
    """What the user's own files tell: a record, or what stands there."""
    recorded = _record.read_record(steps.layout)
    record = recorded or steps.found()
    return {"record": record.text() if record else "", "recorded": recorded is not None}


def read(record: _record.Record, secret_settings: list[str]) -> dict[str, Any]:
    found = record.found
    return {
        "changed": False,
        "found": True,
        "kept": record.kept,
        "phase": record.phase,
        "adopting": record.phase != "done",
        "backend": found.backend,
        "frontend": found.frontend,
        "public": found.public(secret_settings),
        "local_database": found.local_database,
        "local_redis": found.local_redis,
    }


def take(steps: takeover.Adoption, parameters: dict[str, Any], check: bool) -> dict[str, Any]:
    record = steps.found()
    if record is None:
        return {"changed": False, "found": False, "steps": []}
    planned = steps.take_plan(record)
    answer = {
        "changed": bool(planned) or record.phase not in ("taken", "done"),
        "found": True,
        "kept": record.kept,
        "steps": planned,
        "diff": {"prepared": "".join(f"{step}\n" for step in planned)},
    }
    if answer["changed"] and not check:
        with locks.deployment_lock(
            steps.layout.lock, purpose="taking over an installation", timeout=parameters["lock_timeout"]
        ):
            steps.take(record)
    return answer


def restore(steps: takeover.Adoption, parameters: dict[str, Any], check: bool) -> dict[str, Any]:
    record = _record.read_record(steps.layout)
    if record is None or record.phase == "done":
        return {"changed": False, "found": record is not None, "steps": []}
    if check:
        return {"changed": True, "found": True, "kept": record.kept, "steps": []}
    with locks.deployment_lock(
        steps.layout.lock, purpose="giving an installation back", timeout=parameters["lock_timeout"]
    ):
        serving = steps.restore(record)
    return {
        "changed": True,
        "found": True,
        "kept": record.kept,
        "steps": [f"start {name}" for name in serving],
    }


class Work:
    """The module as whoever it runs as: a child that has become the user touches the user's files."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self._parameters: dict[str, Any] = module.params
        self._user: str = self._parameters["user"]
        self._account = find_account(self._user)
        self._layout = Layout(Path(expand_home(self._parameters["root"], self._account)))

    def run(self) -> dict[str, Any]:
        if self._parameters["state"] == "restored":
            return self._restore()
        record = self._believed()
        if record is None:
            return {"changed": False, "found": False, "steps": []}
        if self._parameters["state"] == "read":
            return read(record, self._parameters["secret_settings"])
        return self._take(record)

    def _as_user(self, work: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        check = self._module.check_mode

        def child(account: Account) -> dict[str, Any]:
            return work(takeover.Adoption(self._layout, account), self._parameters, check)

        answer: dict[str, Any] = privileges.as_user(self._user, child)
        return answer

    def _believed(self) -> _record.Record | None:
        """What there is to be taken over, or was: root's own record, else what stands on the host now."""
        told = self._as_user(look)
        place = _record.record_path(self._layout)
        record = _record.parse(told["record"], place) if told["record"] else None
        believed = registry.believed(self._account, self._layout, record if told["recorded"] else None)
        if believed is None and told["recorded"]:
            self._module.warn(
                f"{place} is ignored: root did not write down that it took over anything for {self._user}. "
                "What it is to carry over has to stand in the inventory."
            )
            return None
        return believed or record

    def _take(self, record: _record.Record) -> dict[str, Any]:
        decides = registry.decides(self._account) and not self._module.check_mode
        if decides and record.phase != "done":
            registry.remember(self._user, record, "taking")
        answer = self._as_user(take)
        if decides and record.phase != "done":
            registry.remember(self._user, record, "taken")
        return answer

    def _restore(self) -> dict[str, Any]:
        answer = self._as_user(restore)
        if answer["changed"] and registry.decides(self._account) and not self._module.check_mode:
            registry.forget(self._user)
        return answer


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["read", "taken", "restored"], "default": "read"},
            "user": {"type": "str", "default": "mission-control"},
            "root": {"type": "str", "required": True},
            "lock_timeout": {"type": "int", "default": 900},
            # Their names only.
            "secret_settings": {"type": "list", "elements": "str", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    # A lost connection must not stop the work halfway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        answer = Work(module).run()
    except HostError as error:
        if error.kind == "no_such_user":
            module.exit_json(changed=False, found=False, steps=[])
        module.fail_json(**error.result())
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
