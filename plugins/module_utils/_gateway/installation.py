# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A gateway on its host as it shall be: planned, installed, configured, or removed.

`options` are those of the module gateway_install.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._application.components import service_unit
from .._host.accounts import Account, acting_as, expand_home, find_account
from .._host.errors import HostError
from .._host.units import Units, plan, wanted_unit
from .._redaction import Redactor
from .configuration import Change
from .installer import Installer, uninstall
from .plan import Layout, Plan, Request, make_plan, paired_devices, restart_digest, validate


def bring(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """Install and configure the gateway, or remove it; returns the module's result."""
    wanted = options["state"] == "present"
    try:
        account = find_account(options["user"])
    except HostError:
        if wanted and not check:
            raise
        return _without_user(options) if wanted else {"changed": False, "actions": [], "removed": []}
    try:
        return (present if wanted else absent)(options, account, check)
    except OSError as error:
        raise HostError(
            f"{error.filename or options['root']}: {error.strerror or error}.",
            kind="os_error",
            remedy="See that the gateway's user owns its directories and that the disk is not full.",
        ) from None


def _without_user(options: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of check mode while the user is still to be made, so everything is."""
    version = options["version"]
    return {
        "changed": True,
        "version": version,
        "previous": "",
        "restart_on": "",
        "settings": [],
        "dangerous": [],
        "unpaired": list(options["devices"]),
        "unit_right": False,
        "token_origin": "generated",
        "removed": [],
        "actions": [f"install Node {options['node_version']}", f"install OpenClaw {version}"],
        "state_directory": options["state_directory"],
    }


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
        configuration=options["configuration"],
        plugins=tuple(options["plugins"]),
        environment={str(name): str(value) for name, value in options["environment"].items()},
        devices=tuple(options["devices"]),
        timeout=options["timeout"],
        bundle=Path(options["bundle_directory"]) if options["bundle_directory"] else None,
    )


def present(options: Mapping[str, Any], account: Account, check: bool) -> dict[str, Any]:
    """Install and configure."""
    request = request_of(options, account)
    validate(request)
    layout = Layout(request)
    installer = Installer(request, layout)
    tree = installer.configuration(check=check)
    with acting_as(account):
        todo = make_plan(request, layout, tree)
    # To read a configuration with comments, OpenClaw had to be installed before the plan was made.
    todo.actions[:0] = installer.installed
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
    return {"changed": bool(gone), "actions": [f"remove {path}" for path in gone], "removed": gone}
