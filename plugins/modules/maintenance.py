#!/usr/bin/python
# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: maintenance
short_description: Answer every user with a maintenance page
version_added: "1.0.0"
description:
  - During maintenance the units of backend and frontend run a small program on their listening sockets. It
    answers people with a page and programs with JSON, both with status 503 and C(Retry-After). The worker
    stands still.
  - No connection is refused at the beginning and at the end, and a boot changes nothing. The mode is a
    drop-in of the units and the file C(shared/maintenance.json).
  - Requests that are open at the beginning are finished within the units' grace time.
author:
  - OpenClaw Mission Control collection contributors (@openclaw)
attributes:
  check_mode:
    description: Can run in check mode and says whether something would be changed.
    support: full
  diff_mode:
    description: Shows what is told before and after.
    support: full
options:
  state:
    description:
      - V(present) begins maintenance, or changes what is told.
      - V(absent) ends it. When a service does not start then, maintenance is begun again and the module
        fails.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description:
      - Why, for users and operators. It is shown to everybody.
    type: str
    default: ""
  until:
    description:
      - When it is expected to end, as a duration from now (V(45m), V(2h)) or a time with its zone. Nothing
        happens then.
    type: str
    default: ""
  made_by:
    description:
      - Who does it, for operators.
    type: str
    default: ""
  services:
    description:
      - The services of this host. Those that have no unit are passed over.
    type: list
    elements: str
    choices: [backend, worker, frontend]
    default: [backend, worker, frontend]
  program:
    description:
      - Text of the program that stands in. Required for O(state=present).
    type: str
    default: ""
  user:
    description:
      - The application's user.
    type: str
    default: mission-control
  root:
    description:
      - The application's root.
    type: path
    required: true
  restart:
    description:
      - Whether the services are started anew at the end of maintenance. Without, they are as they are, as
        before a removal.
    type: bool
    default: true
  timeout:
    description:
      - Seconds that one unit may take to end and start.
    type: float
    default: 240
  lock_timeout:
    description:
      - Seconds to wait for another run that works on the same root.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Begin maintenance
  openclaw.mission_control.maintenance:
    root: /home/mission-control/mission-control
    reason: The database is being restored.
    until: 45m
    program: "{{ lookup('ansible.builtin.file', 'maintenance.py') }}"
  become: true

- name: End it
  openclaw.mission_control.maintenance:
    root: /home/mission-control/mission-control
    state: absent
  become: true
"""

RETURN = r"""
notice:
  description: What is told now; nothing when there is no maintenance.
  type: dict
  returned: always
  contains:
    since: {description: When it began., type: str, returned: always}
    reason: {description: Why., type: str, returned: always}
    until: {description: When it is expected to end., type: str, returned: always}
    by: {description: Who began it., type: str, returned: always}
said:
  description: The same as a sentence.
  type: str
  returned: always
restarted:
  description: Units that were started anew.
  type: list
  elements: str
  returned: always
journal:
  description: The last lines of a unit that failed.
  type: list
  elements: str
  returned: failure
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._application import maintenance as _maintenance
from ..module_utils._application.layout import Layout
from ..module_utils._host import files as _files
from ..module_utils._host import locks, privileges, units
from ..module_utils._host.accounts import Account, find_account
from ..module_utils._host.errors import HostError
from ..module_utils._host.processes import process_evidence

REASON_MAX = 500


class Maintenance:
    """The mode of one host."""

    def __init__(self, parameters: dict[str, Any]) -> None:
        self.parameters = parameters
        self.root = Path(parameters["root"])
        self.account = find_account(parameters["user"])
        self.units = units.Units(self.account, timeout=parameters["timeout"])
        self.services = _maintenance.deployed(self.units.directory, parameters["services"])
        self.program = _maintenance.program(self.root)

    def wanted(self) -> dict[Path, tuple[str, int]]:
        """The files that make the mode, but for the notice."""
        files = {self.program: (self.parameters["program"], 0o755)}
        for service in self.services:
            path = _maintenance.drop_in_path(self.units.directory, service)
            files[path] = (_maintenance.drop_in(service, self.root), 0o644)
        return files

    def differing(self) -> list[Path]:
        found = []
        for path, (text, _mode) in self.wanted().items():
            try:
                same = path.read_text(encoding="utf-8") == text
            except OSError:
                same = False
            if not same:
                found.append(path)
        return found

    def left(self) -> list[Path]:
        """Drop-ins that are there, of whichever service."""
        paths = [_maintenance.drop_in_path(self.units.directory, service) for service in _maintenance.KINDS]
        return [path for path in paths if path.exists()]

    def running(self, *, standing_in: bool) -> list[str]:
        """Services that run, as their stand-in or as themselves."""
        names = [f"mission-control-{service}.service" for service in self.services]
        found = []
        for service, unit in zip(self.services, self.units.find(names).values(), strict=True):
            process = process_evidence(unit.status.main_pid) if unit.status and unit.status.main_pid else None
            if process is not None and (str(self.program) in process.command) == standing_in:
                found.append(service)
        return found

    def as_user(self, work: Any, purpose: str) -> None:
        """Change files under the lock of deployments."""

        def locked(_account: Account) -> None:
            lock = Layout(self.root).lock
            with locks.deployment_lock(lock, purpose=purpose, timeout=self.parameters["lock_timeout"]):
                work()

        privileges.as_user(self.account.name, locked)

    def write(self, notice: _maintenance.Notice) -> None:
        wanted, differing = self.wanted(), self.differing()

        def work() -> None:
            for path in differing:
                text, mode = wanted[path]
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                _files.write_atomically(path, text, mode)
            _files.write_atomically(_maintenance.path_of(self.root), _maintenance.text_of(notice))

        self.as_user(work, "beginning maintenance")

    def remove(self) -> None:
        def work() -> None:
            for path in self.left():
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
            _maintenance.path_of(self.root).unlink(missing_ok=True)

        self.as_user(work, "ending maintenance")

    def restart(self, services: list[str]) -> list[str]:
        """Start the units anew, in that order; their sockets stay open, or are opened."""
        wanted = []
        for service in services:
            if (self.units.directory / f"mission-control-{service}.socket").exists():
                wanted.append(units.wanted_unit(f"mission-control-{service}.socket"))
            wanted.append(units.wanted_unit(f"mission-control-{service}.service", state="restarted"))
        self.units.manager.require()
        self.units.manager.call("daemon-reload", timeout=self.parameters["timeout"])
        actions = units.plan(wanted, self.units.find([unit.name for unit in wanted]))
        self.units.apply(wanted, actions)
        return [action.unit for action in actions if action.action in ("start", "restart")]

    def begin(self, check_mode: bool) -> dict[str, Any]:
        if not self.parameters["program"]:
            raise HostError("program: empty.", kind="bad_option", remedy="Give the stand-in's text.")
        length = len(self.parameters["reason"])
        if length > REASON_MAX:
            raise HostError(
                f"reason: {length} characters; a page has room for {REASON_MAX}.",
                kind="bad_option",
                remedy="Say it in fewer words.",
            )
        if not self.services:
            raise HostError(
                f"There is no unit of Mission Control below {self.units.directory}, so there is nothing to "
                "stand in for.",
                kind="not_deployed",
                remedy="Deploy first.",
            )
        moment = _maintenance.now()
        before = _maintenance.read(self.root)
        until = _maintenance.end_of(self.parameters["until"], moment)
        notice = _maintenance.Notice(
            _maintenance.stamp(moment), self.parameters["reason"].strip(), until, self.parameters["made_by"]
        )
        if before is not None:
            # Who did not say otherwise wants it as it is.
            kept = replace(before, reason=notice.reason or before.reason, until=notice.until or before.until)
            notice = before if kept == before else replace(kept, by=notice.by)
        differing = self.differing()
        # All when the stand-in changes; else what an interrupted run, or a stop, has left.
        standing = self.running(standing_in=True)
        due = self.services if differing else [name for name in self.services if name not in standing]
        result: dict[str, Any] = {
            "changed": bool(due) or notice != before,
            "notice": asdict(notice),
            "restarted": [],
        }
        if result["changed"] and not check_mode:
            if differing or notice != before:
                self.write(notice)
            result["restarted"] = self.restart(due) if due else []
        said = f"{'would be ' if check_mode and result['changed'] else ''}{notice.sentence}"
        return {**result, "said": said, "diff": self.difference(before, notice)}

    def end(self, check_mode: bool) -> dict[str, Any]:
        before = _maintenance.read(self.root)
        due = self.services if self.left() or before else self.running(standing_in=True)
        result: dict[str, Any] = {
            "changed": bool(due) or before is not None,
            "notice": None,
            "restarted": [],
            "said": "maintenance would be ended" if check_mode and due else "no maintenance",
            "diff": self.difference(before, None),
        }
        if not result["changed"] or check_mode:
            return result
        self.parameters["program"] = self.installed_program()
        self.remove()
        if not self.parameters["restart"]:
            return result
        try:
            result["restarted"] = self.restart(due[::-1])
        except HostError as error:
            self.write(before or _maintenance.Notice(_maintenance.stamp(_maintenance.now())))
            self.restart(self.services)
            error.message += " Maintenance goes on: users see its page."
            raise
        return result

    def installed_program(self) -> str:
        try:
            text: str = self.program.read_text(encoding="utf-8")
        except OSError:
            return ""
        return text

    @staticmethod
    def difference(before: _maintenance.Notice | None, after: _maintenance.Notice | None) -> dict[str, str]:
        return {
            "before": f"{before.sentence}\n" if before else "no maintenance\n",
            "after": f"{after.sentence}\n" if after else "no maintenance\n",
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "reason": {"type": "str", "default": ""},
            "until": {"type": "str", "default": ""},
            "made_by": {"type": "str", "default": ""},
            "services": {
                "type": "list",
                "elements": "str",
                "choices": ["backend", "worker", "frontend"],
                "default": ["backend", "worker", "frontend"],
            },
            "program": {"type": "str", "default": ""},
            "user": {"type": "str", "default": "mission-control"},
            "root": {"type": "path", "required": True},
            "restart": {"type": "bool", "default": True},
            "timeout": {"type": "float", "default": 240.0},
            "lock_timeout": {"type": "int", "default": 900},
        },
        supports_check_mode=True,
    )
    try:
        maintenance = Maintenance(module.params)
        present = module.params["state"] == "present"
        answer = (maintenance.begin if present else maintenance.end)(module.check_mode)
    except HostError as error:
        journal = error.journal[-15:] if isinstance(error, units.UnitError) else []
        module.fail_json(
            msg=f"{error.message} {error.remedy}".strip(),
            kind=error.kind,
            remedy=error.remedy,
            journal=journal,
        )
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
