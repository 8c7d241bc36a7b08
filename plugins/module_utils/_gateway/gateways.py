# SPDX-License-Identifier: GPL-3.0-or-later
"""The registration of a gateway with Mission Control, and the boards that are kept at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .._redaction import Redactor
from .api_transport import ApiError
from .boards import BOARDS, board_diff, keep_board
from .registration import GATEWAYS, Outcome, Registrar, api_of, diff_side, shown, told_without

_SHOWN = ("name", "url", "token", "workspace_root", "allow_insecure_tls", "disable_device_pairing")


def keep(options: Mapping[str, Any], *, check: bool) -> dict[str, Any]:
    """What the module gateway does; `options` are its own. Returns its result."""
    redactor = Redactor([options["token"], options["gateway_token"]])
    present = options["state"] == "present"
    if present:
        _refuse_address(options["gateway_url"], redactor)
    keys = {"id": options["id"]} if options["id"] else {"name": options["name"]}
    if present and not options["id"]:
        keys["url"] = options["gateway_url"]
    boards: list[Outcome] = []
    with told_without(redactor):
        api = api_of(options)
        registrar = Registrar(api, GATEWAYS, "gateway", deadline=options["deadline"], check=check)
        if present:
            outcome = registrar.present(keys, _wanted(options), touch="url")
            registered = (outcome.item or {}).get("id")
            registrar = Registrar(api, BOARDS, "board", deadline=options["deadline"], check=check)
            boards = [keep_board(registrar, board, registered) for board in options["boards"]]
        else:
            outcome = registrar.absent(keys)
    result: dict[str, Any] = {
        "changed": outcome.changed or any(board.changed for board in boards),
        "action": outcome.action,
        "fields": outcome.fields,
        "attempts": outcome.attempts,
        "gateway": shown(outcome.item, redactor),
        "boards": [shown(board.item, redactor) for board in boards],
    }
    if diff := _diff(options, outcome, boards):
        result["diff"] = diff
    if present and options["disable_device_pairing"]:
        result["warnings"] = [
            f"Gateway {options['name']}: disable_device_pairing makes the token the only thing between the "
            "network and the gateway's agents. The safe way is to approve the backend's device (module "
            "gateway_pairing)."
        ]
    return result


def _refuse_address(url: str, redactor: Redactor) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise ApiError(
            f"gateway_url {redactor.text(url)!r} is not the address of a gateway.",
            "Give it as ws://host:port or wss://host:port.",
        )


def _wanted(options: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {
        "name": options["name"],
        "url": options["gateway_url"],
        "allow_insecure_tls": options["allow_insecure_tls"],
        "disable_device_pairing": options["disable_device_pairing"],
    }
    for name, option in (("token", "gateway_token"), ("workspace_root", "workspace_root")):
        if options[option]:
            wanted[name] = options[option]
    return wanted


def _diff(options: Mapping[str, Any], outcome: Outcome, boards: Sequence[Outcome]) -> list[dict[str, str]]:
    """What changes of the registration and of each board; that tokens differ, not the tokens."""
    diff = []
    if outcome.changed:
        same = bool(outcome.before and outcome.item) and "token" not in outcome.fields
        diff.append(
            {
                "before": diff_side(outcome.before, [*_SHOWN], "set" if same else "before"),
                "after": diff_side(outcome.item, [*_SHOWN], "set" if same else "after"),
                "before_header": f"gateway {options['name']}",
                "after_header": f"gateway {options['name']}",
            }
        )
    kept = zip(options["boards"], boards, strict=False)
    return diff + [board_diff(board, made) for board, made in kept if made.changed]
