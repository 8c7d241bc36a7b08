# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection as the backend's device, with the options of the modules gateway_pairing and gateway_call.

To be called as the backend's user, whose file the device's identity is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._host.deployment_errors import DeploymentError
from .._redaction import Redactor
from .client import GatewayClient
from .errors import GatewayError
from .identity import Identity, read_identity

# Why a gateway that is being started refuses.
TRANSIENT = ("starting", "unreachable", "closed", "timeout")
# Methods that change nothing.
READING = re.compile(
    r"^(health|status|chat\.history|last-heartbeat"
    r"|.*\.(list|get|status|schema|preview|describe|tail|catalog))$"
)


def connect(options: Mapping[str, Any], identity: Identity, **more: Any) -> GatewayClient:
    """A client that is let in; one that starts, or is too busy, is tried again for `deadline` seconds."""
    until = time.monotonic() + options["deadline"]
    pause = 0.5
    while True:
        client = GatewayClient(
            options["url"],
            token=options["token"],
            identity=identity,
            protocols=(options["protocol_min"], options["protocol_max"]),
            platform=options["platform"],
            verify=options["validate_certs"],
            ca_path=options["ca_path"] or "",
            users=options["trusted_users"],
            **more,
        )
        try:
            client.connect()
            return client
        except GatewayError as error:
            client.close()
            if error.kind not in TRANSIENT or time.monotonic() + pause > until:
                raise
        time.sleep(pause)
        pause = min(pause * 1.5, 5.0)


def ask_for_pairing(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Connect as the backend does; "pairing required" is an answer, not a failure."""
    identity = read_identity(Path(options["identity"]))
    unknown = {"connected": False, "device_id": identity.device_id, "request_id": ""}
    if check_mode:
        return {"changed": False, **unknown}
    try:
        with connect(options, identity, scopes=options["scopes"]) as client:
            known = {"connected": True, "gateway_version": client.version, "protocol": client.protocol}
    except GatewayError as error:
        if error.kind != "pairing_required":
            raise
        return {"changed": True, **unknown, "request_id": error.request_id}
    return {"changed": False, **unknown, **known}


def call(options: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Call the methods in order. In check mode those before the first that changes something."""
    redactor = Redactor([options["token"]])
    changing = [call["method"] for call in options["calls"] if not READING.match(call["method"])]
    results: list[Any] = []
    method = ""
    try:
        identity = read_identity(Path(options["identity"]))
        with connect(options, identity, timeout=options["timeout"]) as client:
            version = client.version
            for wanted in options["calls"]:
                method = wanted["method"]
                if check_mode and method in changing:
                    break
                results.append(redactor.data(client.call(method, wanted["parameters"])))
    except GatewayError as error:
        raise DeploymentError(
            redactor.text(f"{method}: {error.message}" if method else error.message),
            kind=error.kind,
            remedy=error.remedy or "Look at the gateway's journal (journalctl --user -u openclaw-gateway).",
            details={"method": method},
        ) from None
    return {"changed": bool(changing), "results": results, "gateway_version": version}
