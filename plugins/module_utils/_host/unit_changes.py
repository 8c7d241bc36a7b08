# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of a user brought to what they shall be, and what a result shows (see module user_units)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._shown_settings import without_settings
from .accounts import find_account
from .errors import HostError
from .units import Action, FoundUnit, Units, WantedUnit, plan, wanted_unit


def nothing_done() -> dict[str, Any]:
    """The result before anything was done: what a failure returns as far as `bring` has filled it."""
    return {"changed": False, "actions": [], "restarted": []}


def bring(options: Mapping[str, Any], *, check: bool, so_far: dict[str, Any]) -> dict[str, Any]:
    """Do what the options of the module user_units say; what is known already is kept in `so_far`."""
    wanted = [wanted_unit(**unit) for unit in options["units"]]
    names = [unit.name for unit in wanted]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise HostError(f"units: {', '.join(doubles)} stands there more than once", kind="bad_option")
    units = _units(options, check)
    if units is None:
        # The user would have been created by now: all units are new.
        found = {name: FoundUnit() for name in names}
        directory = f"/home/{options['user']}/.config/systemd/user"
    else:
        directory = str(units.directory)
        if not check:
            units.manager.require()
        found = units.find(names)
        units.check(wanted, found)
    actions = plan(wanted, found)
    so_far.update(
        changed=bool(actions),
        actions=[action.as_dict() for action in actions],
        restarted=[action.unit for action in actions if action.action in {"start", "restart"}],
        diff=differences(wanted, found, actions, directory),
    )
    if check or units is None:
        return so_far
    statuses = units.apply(wanted, actions)
    return {**so_far, "units": {name: status.as_dict() for name, status in statuses.items()}}


def _units(options: Mapping[str, Any], check: bool) -> Units | None:
    """The units of the user; None in check mode where there is no such user."""
    try:
        account = find_account(options["user"])
    except HostError as error:
        if error.kind != "no_such_user" or not check:
            raise
        return None
    return Units(
        account,
        timeout=options["timeout"],
        settle=options["settle"],
        journal_lines=options["journal_lines"],
    )


def differences(
    wanted: Sequence[WantedUnit], found: Mapping[str, FoundUnit], actions: Sequence[Action], directory: str
) -> list[dict[str, str]]:
    """What changes of the files, and what else is done."""
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
