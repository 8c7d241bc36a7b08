# SPDX-License-Identifier: GPL-3.0-or-later
"""The approval of a device, by the gateway's own command line on its own host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host.accounts import Account, expand_home, find_account
from .._host.acting_as import acting_as
from .._host.commands import run
from .._host.errors import HostError
from .._plain_json import parse_json
from .identity import device_id_of
from .plan import Layout, Request, paired_devices
from .protocol import DEFAULT_VERSION


class CommandLine:
    """The gateway's own command line, on its own host."""

    def __init__(self, account: Account, layout: Layout) -> None:
        self._account = account
        self._layout = layout

    def paired(self, platform: str = "") -> dict[str, list[str]]:
        with acting_as(self._account):
            return paired_devices(self._layout, platform)

    def _command(self, *arguments: str) -> Any:
        done = run([str(self._layout.command), *arguments, "--json"], account=self._account, timeout=90)
        if not done.ok:
            raise HostError(
                f"openclaw {' '.join(arguments[:2])} failed: {done.complaint[:500]}",
                kind="command",
                remedy=(
                    "See that the gateway runs (systemctl --user status openclaw-gateway) and look at "
                    "its journal."
                ),
            )
        # A notice may precede the document.
        start = done.stdout.find("{")
        try:
            return parse_json(done.stdout[start:]) if start >= 0 else {}
        except ValueError:
            raise HostError(
                f"openclaw {' '.join(arguments[:2])} answered with something that is not JSON.",
                kind="command",
            ) from None

    def request_of(self, device_id: str, scopes: list[str]) -> str:
        """The waiting request of the device, after a look at what it asks for."""
        answer = self._command("devices", "list")
        pending = [
            item
            for item in answer.get("pending") or []
            if item.get("deviceId") == device_id
            and device_id_of(str(item.get("publicKey") or "")) == device_id
        ]
        if not pending:
            raise HostError(
                f"No request of the device {device_id} waits on this gateway.",
                kind="no_request",
                remedy=(
                    "Let the backend connect first (state: requested, on its host); a request waits five "
                    "minutes."
                ),
            )
        request = max(pending, key=lambda item: item.get("ts") or 0)
        roles = set(request.get("roles") or []) | {request.get("role") or "operator"}
        surplus = set(request.get("scopes") or []) - set(scopes)
        if roles != {"operator"} or surplus:
            wanted = ", ".join(sorted((roles - {"operator"}) | surplus))
            raise HostError(
                f"The device {device_id} asks for more than may be approved: {wanted}.",
                kind="scopes",
                remedy=(
                    "Look at the request (openclaw devices list). If it is right, name the scopes in scopes."
                ),
            )
        return str(request["requestId"])

    def approve(self, request_id: str) -> None:
        self._command("devices", "approve", request_id)

    def remove(self, device_id: str) -> None:
        self._command("devices", "remove", device_id)


def keep(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Approve exactly the device, or take its approval back, on the gateway's host."""
    account = find_account(options["user"])
    layout = Layout(
        Request(
            account=account,
            root=Path(expand_home(options["root"], account)),
            state_directory=Path(expand_home(options["state_directory"], account)),
            version=DEFAULT_VERSION,
            node_version="",
        )
    )
    gateway = CommandLine(account, layout)
    device_id, scopes = options["device_id"].strip().lower(), options["scopes"]
    wanted = options["state"] == "approved"
    granted = gateway.paired(options["platform"] if wanted else "").get(device_id)
    approved = granted is not None and set(scopes) <= set(granted)
    result: dict[str, Any] = {"device_id": device_id, "request_id": "", "changed": False}
    if approved == wanted and not (not wanted and granted is not None):
        return result
    result["changed"] = True
    states = {True: f"{device_id}: approved\n", False: f"{device_id}: not approved\n"}
    result["diff"] = {"before": states[granted is not None and approved], "after": states[wanted]}
    if check_mode:
        return result
    if wanted:
        result["request_id"] = gateway.request_of(device_id, scopes)
        gateway.approve(result["request_id"])
        if not set(scopes) <= set(gateway.paired(options["platform"]).get(device_id, ())):
            raise HostError(
                f"The gateway said yes, but the device {device_id} is not among its paired devices.",
                kind="command",
                remedy="Look at openclaw devices list and at the gateway's journal.",
            )
    else:
        gateway.remove(device_id)
    return result
