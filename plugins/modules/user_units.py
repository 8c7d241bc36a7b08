#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: user_units
short_description: Install and run systemd user units
version_added: "1.0.0"
description:
  - Brings any number of a user's units to the wanted state in one call. All files are written before the
    first is used, the manager is reloaded when needed, and units are started in the given order.
  - A unit is restarted exactly when its content or O(units[].restart_on) is not what its process was started
    from. The process itself tells, so that an interrupted run is made up for by the next one.
  - A unit of C(Type=notify) counts as started when it reports to be ready. When a unit fails, its last
    journal lines are returned.
  - Runs as root for any user, or as the user itself. The user must linger, or be logged in.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
options:
  user:
    description:
      - The user whose units these are.
    type: str
    required: true
  units:
    description:
      - The units, in the order in which they are to be started.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - Name of the unit. C(.service) is added where no type is named.
        type: str
        required: true
      content:
        description:
          - Content of the unit file. When omitted, the file is left as it is.
        type: str
      enabled:
        description:
          - Whether the unit is started with the user's manager. When omitted, that is left as it is.
        type: bool
      state:
        description:
          - V(started) also restarts a unit that runs from an older version of itself.
          - V(present) installs and leaves alone whether it runs.
          - V(absent) stops, disables and removes it.
        type: str
        choices: [started, stopped, restarted, present, absent]
        default: started
      restart_on:
        description:
          - Anything that names what the process is started from besides the unit, for example a release and
            the digest of an environment file. A change restarts the unit. Must not be secret.
        type: str
  timeout:
    description:
      - Seconds that one unit may take to start or stop.
    type: float
    default: 180
  settle:
    description:
      - Seconds that a service which cannot report its readiness (C(Type=simple), C(Type=exec)) has to stay up
        after its start. Services of C(Type=notify) need no such time.
    type: float
    default: 1
  journal_lines:
    description:
      - Number of journal lines returned for a unit that fails.
    type: int
    default: 40
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be done without changing anything.
    support: full
  diff_mode:
    description: Returns the difference of the unit files.
    support: full
  platform:
    description: Target systems.
    support: full
    platforms: posix
notes:
  - When a socket has to be opened anew, its service is stopped before and started after, since systemd
    refuses to open a socket for a service that already runs.
"""

EXAMPLES = r"""
- name: Install and start a service
  openclaw.mission_control.user_units:
    user: mission-control
    units:
      - name: mission-control-backend
        content: "{{ lookup('ansible.builtin.template', 'backend.service.j2') }}"
        enabled: true
        restart_on: "{{ release }} {{ environment_digest }}"
  become: true

- name: Remove it
  openclaw.mission_control.user_units:
    user: mission-control
    units:
      - name: mission-control-backend
        state: absent
  become: true
"""

RETURN = r"""
actions:
  description: What was done (in check mode, would be), in order, each with its reason.
  returned: always
  type: list
  elements: dict
  sample: [{unit: mission-control-backend.service, action: restart, reason: its unit file differs}]
restarted:
  description: Units that were started or restarted.
  returned: always
  type: list
  elements: str
units:
  description: State of each unit afterwards, by full name.
  returned: when not in check mode
  type: dict
unit:
  description: The unit that failed.
  returned: on failure
  type: str
result:
  description: What systemd says about its end, for example V(exit-code).
  returned: on failure
  type: str
journal:
  description: Last journal lines of the unit that failed, without secrets.
  returned: on failure
  type: list
  elements: str
remedy:
  description: What to do about the failure.
  returned: on failure
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.accounts import find_account
from ..module_utils._host.errors import HostError
from ..module_utils._host.units import (
    STATES,
    Action,
    FoundUnit,
    UnitError,
    Units,
    WantedUnit,
    plan,
    wanted_unit,
)
from ..module_utils._redaction import Redactor, without_settings


def differences(
    wanted: list[WantedUnit], found: dict[str, FoundUnit], actions: list[Action], directory: str
) -> list[dict[str, str]]:
    texts = {unit.name: unit.text for unit in wanted}
    shown = []
    for action in actions:
        if action.action in {"install", "update", "remove"}:
            path = f"{directory}/{action.unit}"
            shown.append(
                {
                    "before_header": path,
                    "after_header": path,
                    # A unit that was written by hand may hold secrets.
                    "before": without_settings(found[action.unit].text or ""),
                    "after": "" if action.action == "remove" else texts[action.unit] or "",
                }
            )
    others = [action for action in actions if action.action not in {"install", "update", "remove"}]
    if others:
        shown.append({"prepared": "".join(f"{a.action} {a.unit}: {a.reason}\n" for a in others)})
    return shown


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "units": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "name": {"type": "str", "required": True},
                    "content": {"type": "str"},
                    "enabled": {"type": "bool"},
                    "state": {"type": "str", "choices": list(STATES), "default": "started"},
                    "restart_on": {"type": "str"},
                },
            },
            "timeout": {"type": "float", "default": 180},
            "settle": {"type": "float", "default": 1},
            "journal_lines": {"type": "int", "default": 40},
        },
        supports_check_mode=True,
    )
    wanted = [wanted_unit(**unit) for unit in module.params["units"]]
    names = [unit.name for unit in wanted]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        module.fail_json(msg=f"units: {', '.join(doubles)} stands there more than once")
    user = module.params["user"]
    result: dict[str, Any] = {"changed": False, "actions": [], "restarted": []}
    try:
        try:
            account = find_account(user)
        except HostError as error:
            if error.kind != "no_such_user" or not module.check_mode:
                raise
            # The user would have been created by now: all units are new.
            found = {name: FoundUnit() for name in names}
            directory = f"/home/{user}/.config/systemd/user"
        else:
            units = Units(
                account,
                timeout=module.params["timeout"],
                settle=module.params["settle"],
                journal_lines=module.params["journal_lines"],
            )
            directory = str(units.directory)
            if not module.check_mode:
                units.manager.require()
            found = units.find(names)
            units.check(wanted, found)
        actions = plan(wanted, found)
        result["changed"] = bool(actions)
        result["actions"] = [action.as_dict() for action in actions]
        result["restarted"] = [action.unit for action in actions if action.action in {"start", "restart"}]
        result["diff"] = differences(wanted, found, actions, directory)
        if not module.check_mode:
            result["units"] = {
                name: status.as_dict() for name, status in units.apply(wanted, actions).items()
            }
    except UnitError as error:
        redactor = Redactor()
        module.fail_json(
            msg=redactor.text(f"{error.message} {error.remedy}"),
            **result
            | {
                "kind": error.kind,
                "unit": error.unit,
                "result": error.status.result if error.status else "",
                "status": error.status.as_dict() if error.status else None,
                "journal": [redactor.text(line) for line in error.journal],
                "remedy": error.remedy,
            },
        )
    except HostError as error:
        module.fail_json(
            msg=f"{error.message} {error.remedy}".strip(),
            **result | {"kind": error.kind, "remedy": error.remedy},
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
