# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of the gateway's WebSocket protocol, for hosts that have nothing but Python and openssl.

It connects exactly as Mission Control's backend does: it waits for the challenge, signs it with the backend's
device identity and shows the gateway's token. Neither the private key nor the token appears in an argument
list or in a file that was not there before.
"""

from __future__ import annotations

import json
import os
import ssl
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from .._plain_json import parse_json
from .errors import GatewayError
from .identity import Identity
from .protocol import BACKEND_PROTOCOLS
from .websocket import WebSocket

# What the backend asks for; a device that was approved with less is asked to pair again.
BACKEND_SCOPES = ("operator.read", "operator.admin", "operator.approvals", "operator.pairing")
BACKEND_CLIENT_ID = "gateway-client"
BACKEND_CLIENT_MODE = "backend"


# --- protocol --------------------------------------------------------------------------------------


def classify(message: str, details: dict[str, Any]) -> str:
    """The kind of a gateway's refusal of a connection."""
    lowered = message.lower()
    code = str(details.get("code") or "")
    if "pairing required" in lowered or code == "PAIRING_REQUIRED":
        return "pairing_required"
    if "protocol mismatch" in lowered:
        return "protocol_mismatch"
    if "starting" in lowered:
        return "starting"
    if "unauthorized" in lowered or "forbidden" in lowered or code.startswith("AUTH_"):
        return "unauthorized"
    return "rejected"


class GatewayClient:
    """One connection to a gateway, as the given device."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        identity: Identity,
        protocols: tuple[int, int] = BACKEND_PROTOCOLS,
        scopes: Sequence[str] = BACKEND_SCOPES,
        platform: str = "",
        timeout: float = 15.0,
        verify: bool = True,
        ca_path: str = "",
        users: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._token = token
        self._identity = identity
        self._protocols = protocols
        self._scopes = list(scopes)
        self._platform = platform or os.uname().sysname.lower()
        self._timeout = timeout
        self._verify = verify
        self._ca_path = ca_path
        # To whom the token may be sent on this host without TLS; anybody where none is named.
        self._users = users
        self._monotonic = monotonic
        self._until = 0.0
        self._socket: WebSocket | None = None
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> GatewayClient:
        if self._socket is None:
            self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def version(self) -> str:
        """The gateway's own version, as it introduced itself."""
        server = self.hello.get("server")
        return str(server.get("version") or "") if isinstance(server, dict) else ""

    @property
    def protocol(self) -> int | None:
        spoken = self.hello.get("protocol")
        return spoken if isinstance(spoken, int) else None

    def _left(self) -> float:
        return max(0.01, self._until - self._monotonic())

    def connect(self) -> None:
        """Challenge, signature, token; what the gateway answers is in `hello`."""
        self._until = self._monotonic() + self._timeout
        self._socket = WebSocket.open(
            self._url, deadline=self._left, context=self._context(), users=self._users
        )
        try:
            self.hello = self._request("connect", self._connect_parameters(self._challenge()))
        except BaseException:
            self.close()
            raise

    def _context(self) -> ssl.SSLContext | None:
        """How a certificate is judged: by this system's authorities, by those of a file, or not at all."""
        if self._verify and not self._ca_path:
            return None
        try:
            context = ssl.create_default_context(cafile=self._ca_path or None)
        except OSError as error:
            reason = error.strerror or getattr(error, "reason", "") or "no certificates"
            raise GatewayError(
                "tls",
                f"The authorities in {self._ca_path} cannot be used: {reason}.",
                remedy="Put the authority's certificate (PEM) there, or name its file in "
                "mission_control_gateway_ca_path.",
            ) from None
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _challenge(self) -> str:
        if self._socket is None:
            raise RuntimeError("connect() comes first")
        frame = self._decode(self._socket.receive())
        payload = frame.get("payload")
        if (
            frame.get("event") != "connect.challenge"
            or not isinstance(payload, dict)
            or not payload.get("nonce")
        ):
            raise GatewayError(
                "not_a_gateway", "The server sent no challenge: it is not an OpenClaw gateway."
            )
        return str(payload["nonce"]).strip()

    def _connect_parameters(self, nonce: str) -> dict[str, Any]:
        signed_at = int(time.time() * 1000)
        identity = self._identity
        parts = ["v2", identity.device_id, BACKEND_CLIENT_ID, BACKEND_CLIENT_MODE, "operator"]
        parts += [",".join(self._scopes), str(signed_at), self._token, nonce]
        return {
            "minProtocol": self._protocols[0],
            "maxProtocol": self._protocols[1],
            "role": "operator",
            "scopes": self._scopes,
            "client": {
                "id": BACKEND_CLIENT_ID,
                "version": "1.0.0",
                # The gateway pins the platform with the pairing, so it must be the one the backend will name.
                "platform": self._platform,
                "mode": BACKEND_CLIENT_MODE,
            },
            "device": {
                "id": identity.device_id,
                "publicKey": identity.public_key,
                "signature": identity.sign("|".join(parts)),
                "signedAt": signed_at,
                "nonce": nonce,
            },
            "auth": {"token": self._token},
        }

    @staticmethod
    def _decode(text: str) -> dict[str, Any]:
        try:
            frame = parse_json(text)
        except ValueError:
            frame = None
        if not isinstance(frame, dict):
            raise GatewayError("not_a_gateway", "The server sends something else than a gateway's messages.")
        return frame

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        """Call one of the gateway's methods; GatewayError (kind "rejected") where it says no."""
        self._until = self._monotonic() + self._timeout
        return self._request(method, parameters or {})

    def _request(self, method: str, parameters: dict[str, Any]) -> Any:
        if self._socket is None:
            raise GatewayError("closed", "There is no connection.")
        request = str(uuid.uuid4())
        self._socket.send(json.dumps({"type": "req", "id": request, "method": method, "params": parameters}))
        while True:
            frame = self._decode(self._socket.receive())
            if frame.get("type") != "res" or frame.get("id") != request:
                continue
            if frame.get("ok"):
                return frame.get("payload")
            record = frame.get("error")
            error: dict[str, Any] = record if isinstance(record, dict) else {}
            message = str(error.get("message") or "the gateway gave no reason")
            more = error.get("details")
            details: dict[str, Any] = more if isinstance(more, dict) else {}
            kind = classify(message, details) if method == "connect" else "rejected"
            raise GatewayError(kind, message, request_id=str(details.get("requestId") or ""))
