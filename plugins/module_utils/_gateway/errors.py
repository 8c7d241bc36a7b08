# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway refuses, and what cures it."""

from __future__ import annotations

from .._host.errors import HostError
from .protocol import BACKEND_PROTOCOLS, versions_for


class GatewayError(HostError):
    """Why a gateway could not be talked to. `kind` is one of the keys of REMEDIES or "rejected"."""

    def __init__(self, kind: str, message: str, *, remedy: str = "", request_id: str = "") -> None:
        super().__init__(message, kind=kind, remedy=remedy or REMEDIES.get(kind, ""))
        self.request_id = request_id


REMEDIES = {
    "address": "Give the gateway's address as ws://host:port or wss://host:port.",
    "unreachable": "See that the gateway runs (systemctl --user status openclaw-gateway), that it listens on "
    "an address the backend can reach (gateway_bind: lan where the backend stands on another host) and that "
    "no firewall is between them.",
    "stranger": "End what has taken the gateway's port (ss -ltnp), start the gateway again, and change the "
    "token that the backend may have told it: playbooks/rotate.yml -e secret=gateway.",
    "tls": "See that the address has the right scheme and that the certificate is made out for its host and "
    "signed by an authority that this host trusts (one of your own: mission_control_gateway_ca_path).",
    "not_a_gateway": "See which program listens on this address: it does not speak the gateway's protocol.",
    "unauthorized": "Give the token the gateway was started with (OPENCLAW_GATEWAY_TOKEN in its environment "
    "file); deploying the gateway and the registration together keeps them the same.",
    "pairing_required": "Approve the backend's device on the gateway: the role gateway does it, by hand it "
    "is `openclaw devices list` and `openclaw devices approve <request>`.",
    "protocol_mismatch": "Deploy a gateway version that speaks the backend's protocol "
    f"({versions_for(BACKEND_PROTOCOLS)} for protocol {BACKEND_PROTOCOLS[0]}), or a backend that speaks the "
    "gateway's.",
    "starting": "The gateway has just been started: try again in a few seconds.",
    "identity": "Deploy the backend first: it brings its device identity along.",
    "timeout": "The gateway accepted the connection and did not answer in time: look at its journal "
    "(journalctl --user -u openclaw-gateway).",
    "closed": "The gateway closed the connection, as it does while it restarts: try again, and look at its "
    "journal (journalctl --user -u openclaw-gateway).",
}
