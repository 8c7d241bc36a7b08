# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module services orders: what is done, as far as it came, and how the services stand then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._application.components import APPLICATION
from .._gateway.holder import account_asked_for
from .._host.accounts import Account, expand_home
from .._redaction import Redactor
from .control import Services, plan, refuse_maintenance
from .states import ServiceState


def nothing_done() -> dict[str, Any]:
    """The result before anything was done: what a failure returns as far as `carry_out` has filled it."""
    return {"changed": False, "actions": [], "services": []}


def carry_out(
    options: Mapping[str, Any],
    account: Account,
    redactor: Redactor,
    *,
    check: bool,
    so_far: dict[str, Any],
) -> dict[str, Any]:
    """Do what the options of the module services say, one service after the other."""
    root = expand_home(options["root"], account)
    gateway = account_asked_for(options, account)
    services = Services(account, root, redactor=redactor, gateway_account=gateway)
    before = services.states(options["services"])
    if set(options["services"]) & set(APPLICATION):
        refuse_maintenance(services.files, root, options["state"])
    actions = plan(before, options["state"])
    after = dict(before)
    predicted = {}
    for action in actions:
        # Before the result is known: what failed was begun, too.
        so_far["actions"].append(action.as_dict())
        if check:
            predicted[action.service] = "stopped" if action.action == "stop" else "running, started anew"
            continue
        so_far["changed"] = True
        after[action.service] = services.carry_out(action, options["timeout"])
    return {
        "changed": bool(actions),
        "actions": so_far["actions"],
        "services": [state.as_dict() for state in after.values()],
        "diff": {"before": _text(before), "after": _text(after, predicted)},
    }


def _text(states: Mapping[str, ServiceState], predicted: Mapping[str, str] | None = None) -> str:
    lines = []
    for name, state in states.items():
        word = (predicted or {}).get(name, state.state)
        pid = f", process {state.pid}" if state.pid and name not in (predicted or {}) else ""
        lines.append(f"{name}: {word}{pid}\n")
    return "".join(lines)
