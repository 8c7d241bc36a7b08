# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module adoption brings about, by root's own record and with the user's rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._application.layout import Layout
from .._host import locks, privileges
from .._host.accounts import Account, expand_home, find_account
from .._host.errors import HostError
from . import registry
from .record import Record, parse, read_record, record_path
from .takeover import Adoption


def look(steps: Adoption, _parameters: Mapping[str, Any], _check: bool) -> dict[str, Any]:
    """What the user's own files tell: a record, or what stands there."""
    recorded = read_record(steps.layout)
    record = recorded or steps.found()
    return {"record": record.text() if record else "", "recorded": recorded is not None}


def read(record: Record, secret_settings: list[str]) -> dict[str, Any]:
    """What the roles want to know of it."""
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


def take(steps: Adoption, parameters: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Take the installation over, step by step."""
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


def restore(steps: Adoption, parameters: Mapping[str, Any], check: bool) -> dict[str, Any]:
    """Give back what was taken, and start it again."""
    record = read_record(steps.layout)
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

    def __init__(self, parameters: Mapping[str, Any], *, check: bool) -> None:
        self._parameters = parameters
        self._check = check
        self._user: str = parameters["user"]
        self._account = find_account(self._user)
        self._layout = Layout(Path(expand_home(parameters["root"], self._account)))
        self._warnings: list[str] = []

    def run(self) -> dict[str, Any]:
        """Do what the module's options say; returns its result."""
        if self._parameters["state"] == "restored":
            return self._restore()
        record = self._believed()
        if record is None:
            nothing = {"changed": False, "found": False, "steps": []}
            return {**nothing, "warnings": self._warnings} if self._warnings else nothing
        if self._parameters["state"] == "read":
            return read(record, self._parameters["secret_settings"])
        return self._take(record)

    def _as_user(self, work: Callable[..., dict[str, Any]], enclosed: bool = True) -> dict[str, Any]:
        def child(account: Account) -> dict[str, Any]:
            return work(Adoption(self._layout, account), self._parameters, self._check)

        answer: dict[str, Any] = privileges.as_user(self._user, child, enclosed=enclosed)
        return answer

    def _believed(self) -> Record | None:
        """What there is to be taken over, or was: root's own record, else what stands on the host now."""
        told = self._as_user(look)
        place = record_path(self._layout)
        record = parse(told["record"], place) if told["record"] else None
        believed = registry.believed(self._account, self._layout, record if told["recorded"] else None)
        if believed is None and told["recorded"]:
            self._warnings.append(
                f"{place} is ignored: root did not write down that it took over anything for {self._user}. "
                "What it is to carry over has to stand in the inventory."
            )
            return None
        return believed or record

    def _take(self, record: Record) -> dict[str, Any]:
        decides = registry.decides(self._account) and not self._check
        if decides and record.phase != "done":
            registry.remember(self._user, record, "taking")
        answer = self._as_user(take)
        if decides and record.phase != "done":
            registry.remember(self._user, record, "taken")
        return answer

    def _restore(self) -> dict[str, Any]:
        # What ran by hand runs on afterwards.
        answer = self._as_user(restore, enclosed=False)
        if answer["changed"] and registry.decides(self._account) and not self._check:
            registry.forget(self._user)
        return answer


def bring(parameters: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module adoption does; where there is no such user, there is nothing to take over."""
    try:
        return Work(parameters, check=check).run()
    except HostError as error:
        if error.kind != "no_such_user":
            raise
        return {"changed": False, "found": False, "steps": []}
