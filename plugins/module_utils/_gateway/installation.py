# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway on its host as it shall be: planned, installed, configured, or removed.

`options` are those of the module gateway_install.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._host.accounts import Account, expand_home, find_account
from .._host.acting_as import acting_as
from .._host.errors import HostError
from .._host.units import Units, plan, wanted_unit
from .._redaction import Redactor
from . import holder, placement, placement_record, placing, unit_places
from . import move as _move
from .configuration import Change
from .installer import Installer, uninstall
from .plan import (
    ASIDE,
    Layout,
    Plan,
    Request,
    certificate_digest,
    make_plan,
    paired_devices,
    restart_digest,
    validate,
    wanted_configuration,
)


def bring(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """Install and configure the gateway, or remove it; returns the module's result."""
    wanted = options["state"] == "present"
    try:
        account = find_account(options["user"])
    except HostError:
        if options["state"] != "absent" and not check:
            raise
        return _without_user(options) if wanted else {"changed": False, "actions": [], "removed": []}
    try:
        return _STATES[options["state"]](options, account, check)
    except OSError as error:
        raise HostError(
            f"{error.filename or options['root']}: {error.strerror or error}.",
            kind="os_error",
            remedy="See that the gateway's user owns its directories and that the disk is not full.",
        ) from None


def _without_user(options: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of check mode while the user is still to be made, so everything is."""
    version = options["version"]
    placed = _placed(options)
    return {
        "changed": True,
        "moved": bool(placed and placed.former),
        "former_user": placed.former if placed else "",
        "version": version,
        "previous": "",
        "restart_on": "",
        "settings": [],
        "dangerous": [],
        "unpaired": list(options["devices"]),
        "unit_right": False,
        "token_origin": "generated",
        "removed": [],
        "actions": [
            f"install Node {options['node_version']}",
            f"install OpenClaw {version}",
            *_move_action(options, placed),
        ],
        "state_directory": options["state_directory"],
    }


def _placed(options: Mapping[str, Any]) -> placement.Placement | None:
    """Who has the gateway now; None where it is not said whose application it belongs to."""
    if not options["application_user"]:
        return None
    try:
        application = find_account(options["application_user"])
    except HostError:
        application = None
    return placement.place(options["user"], application)


def _move_action(options: Mapping[str, Any], placed: placement.Placement | None) -> list[str]:
    if placed is None or not placed.former:
        return []
    return [f"move the gateway from the user {placed.former} to {options['user']}"]


def move_of(options: Mapping[str, Any], account: Account, former: str) -> _move.Move:
    """From whom to whom, with the paths of each."""
    owner = find_account(former)
    return _move.Move(
        owner,
        account,
        Layout(request_of(options, owner)),
        Layout(request_of(options, account)),
        options["timeout"],
    )


def unpaired(layout: Layout, devices: list[str], scopes: list[str], platform: str = "") -> list[str]:
    """The devices that still have to be approved. admin stands for the other operator scopes."""
    paired = paired_devices(layout, platform)
    missing = []
    for device in devices:
        granted = set(paired.get(device, ()))
        if device not in paired or not set(scopes) <= granted:
            missing.append(device)
    return missing


def unit_right(account: Account, content: str, restart_on: str) -> bool:
    """Whether the gateway's unit is as it shall be, and runs what is installed now."""
    wanted = wanted_unit(service_unit("gateway"), content, True, "started", restart_on)
    return bool(content) and not plan([wanted], Units(account).find([wanted.name]))


def hidden(changes: list[Change], redactor: Redactor) -> list[dict[str, Any]]:
    """Changes as a result may show them."""
    shown = []
    for change in changes:
        key = change.path.rpartition(".")[2]
        shown.append(
            {
                "path": change.path,
                "before": redactor.data(change.before, key),
                "after": redactor.data(change.after, key),
            }
        )
    return shown


def diff_text(settings: list[dict[str, Any]], side: str) -> str:
    """One side of a diff: a setting a line."""
    lines = [
        f"{item['path']}: {json.dumps(item[side], ensure_ascii=False)}"
        for item in settings
        if item[side] is not None
    ]
    return "".join(f"{line}\n" for line in lines)


def request_of(options: Mapping[str, Any], account: Account) -> Request:
    """What shall be there, of the options."""
    return Request(
        account=account,
        root=Path(expand_home(options["root"], account)),
        state_directory=Path(expand_home(options["state_directory"], account)),
        version=options["version"],
        node_version=options["node_version"],
        port=options["port"],
        bind=options["bind"],
        bind_host=options["bind_host"],
        token=options["token"].strip(),
        allowed_origins=tuple(options["allowed_origins"]),
        trusted_proxies=tuple(options["trusted_proxies"]),
        configuration=options["configuration"],
        plugins=tuple(options["plugins"]),
        environment={str(name): str(value) for name, value in options["environment"].items()},
        devices=tuple(options["devices"]),
        timeout=options["timeout"],
        bundle=Path(options["bundle_directory"]) if options["bundle_directory"] else None,
    )


def present(options: Mapping[str, Any], account: Account, check: bool) -> dict[str, Any]:
    """Install and configure, after the data was brought where the gateway ran as somebody else."""
    request = request_of(options, account)
    validate(request)
    installer = Installer(request, Layout(request))
    placed = _placed(options)
    opened = bool(placed) and account.name == holder.DEFAULT_USER and placing.is_open(account)
    former = placed.former if placed else ""
    told: list[str] = []
    if former and not check:
        told = _bring_data(move_of(options, account, former), installer)
    try:
        result = _installed(options, installer, check=check)
    except BaseException:
        if former and not check:
            _move.undo(move_of(options, account, former))
        raise
    if opened:
        if not check:
            with acting_as(account):
                Path(account.home).chmod(0o700)
        result["actions"].append(f"close {account.home} to others")
        result["changed"] = True
    if former:
        result["actions"][:0] = _move_action(options, placed)
        result["changed"] = True
    elif placed and not check and not placed.leaving:
        sandbox = placement_record.sandbox_of(options["unit"])
        placing.remember(placement_record.Record(account.name, placed.by_hand, sandbox=sandbox))
    result["warnings"] += told[1:]
    result["moved"] = bool(former)
    result["former_user"] = former or (placed.leaving if placed else "")
    return result


def _bring_data(move: _move.Move, installer: Installer) -> list[str]:
    """What can be done beforehand is done while the gateway still runs as the old user."""
    _move.check(move)
    with acting_as(move.account):
        certificate_digest(wanted_configuration(installer.request), move.account)
    installer.programs()
    return _move.carry(move)


def _installed(options: Mapping[str, Any], installer: Installer, *, check: bool) -> dict[str, Any]:
    request, layout = installer.request, installer.layout
    account = request.account
    tree = installer.configuration(check=check)
    with acting_as(account):
        todo = make_plan(request, layout, tree)
    # To read a configuration with comments, OpenClaw had to be installed before the plan was made.
    todo.actions[:0] = installer.installed
    if not check:
        unit_places.make(account)
    removed = [] if check else _carry_out(installer, todo, prune=options["prune"])
    with acting_as(account):
        missing = unpaired(layout, options["devices"], options["scopes"], options["platform"])
    settings = hidden(todo.changes, Redactor([todo.token, request.token]))
    restart_on = restart_digest(request, todo.token, todo.wanted, todo.certificate)
    result: dict[str, Any] = {
        "changed": bool(todo.actions or removed),
        "actions": todo.actions,
        "version": request.version,
        "previous": todo.current if todo.current not in ("", request.version) else todo.previous,
        "restart_on": restart_on,
        "settings": settings,
        "dangerous": todo.warnings,
        "unpaired": missing,
        "unit_right": unit_right(account, options["unit"], restart_on),
        "token_origin": todo.token_origin,
        "removed": removed,
        "state_directory": str(request.state_directory),
        "warnings": list(todo.warnings),
    }
    if options["return_token"] and todo.token:
        result["token"] = todo.token
    if settings or todo.actions:
        result["diff"] = _diff(str(layout.configuration), settings, todo)
    if installer.unusable:
        result["warnings"].insert(
            0,
            f"{layout.configuration} {'would be' if check else 'was'} put aside as {ASIDE}, and a new one "
            f"written with the inventory's settings. {installer.unusable} Take over from it, or from "
            "openclaw.json.bak, what you miss: whoever works as the gateway's user can write there.",
        )
    if installer.unread:
        result["warnings"].insert(
            0,
            f"{layout.configuration} is not plain JSON and cannot be read before OpenClaw is there: the "
            "settings predicted are those of an empty file.",
        )
    return result


def _carry_out(installer: Installer, todo: Plan, *, prune: bool) -> list[str]:
    """Do what is planned; returns the versions that were removed."""
    if todo.actions:
        installer.apply(todo)
    removed: list[str] = installer.prune() if prune and (todo.actions or installer.surplus()) else []
    if todo.applied_text and not todo.actions:
        installer.remember(todo)
    return removed


def _diff(path: str, settings: list[dict[str, Any]], todo: Plan) -> list[dict[str, str]]:
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": diff_text(settings, "before"),
            "after": diff_text(settings, "after"),
        },
        {"prepared": "".join(f"{action}\n" for action in todo.actions)},
    ]


def absent(options: Mapping[str, Any], account: Account, check: bool) -> dict[str, Any]:
    """Remove."""
    layout = Layout(request_of(options, account))
    gone = uninstall(layout, account, purge=options["purge"], check=check)
    if options["purge"] and options["application_user"] and not check:
        placing.forget()
    return {"changed": bool(gone), "actions": [f"remove {path}" for path in gone], "removed": gone}


def moved(options: Mapping[str, Any], account: Account, check: bool) -> dict[str, Any]:
    """The gateway answers as the new user: remove what the old one still has."""
    former = options["former_user"]
    actions = [f"leave the user {former}"]
    if not check:
        source = Layout(request_of(options, find_account(former)))
        actions += _move.finish(account.name, former, source)
    return {"changed": True, "actions": actions, "removed": []}


def returned(options: Mapping[str, Any], account: Account, check: bool) -> dict[str, Any]:
    """It does not: the old user has it again."""
    if not check:
        _move.undo(move_of(options, account, options["former_user"]))
    actions = [f"return the gateway to the user {options['former_user']}"]
    return {"changed": True, "actions": actions, "removed": []}


_STATES: dict[str, Callable[[Mapping[str, Any], Account, bool], dict[str, Any]]] = {
    "present": present,
    "absent": absent,
    "moved": moved,
    "returned": returned,
}
