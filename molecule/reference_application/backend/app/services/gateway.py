"""A client of the OpenClaw gateway's WebSocket protocol, version 3.

The gateway sends a challenge; the client answers with `connect`: the token, and either its signed device
identity (which the gateway has to have paired) or, where the registration says so, the role of a control UI.
"""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

import websockets

from app.core.config import settings
from app.services import device_identity

logger = logging.getLogger(__name__)
PROTOCOL = 3
ROLE = "operator"
SCOPES = ("operator.read", "operator.admin", "operator.approvals", "operator.pairing")
CHALLENGE_SECONDS = 2.0
# The first history call after a gateway's start was seen to take 7.5 s.
CALL_SECONDS = 30.0
MAX_MESSAGE = 16 * 1024 * 1024


class GatewayError(Exception):
    """The gateway can't be reached, refused the connection or a call; the text says which."""


@dataclass(frozen=True)
class Target:
    url: str
    token: str | None = None
    allow_insecure_tls: bool = False
    disable_device_pairing: bool = False


def friendly(message: str) -> str:
    """An error in the words that the product shows."""
    scope = re.search(r"missing\s+scope\s*:\s*([\w.:-]+)", message, re.IGNORECASE)
    if scope:
        return (
            f"Gateway token is missing required scope `{scope[1]}`. "
            "Update the gateway token scopes and retry."
        )
    if re.search(r"unauthorized|forbidden", message, re.IGNORECASE):
        return "Gateway authentication failed. Verify gateway token and operator scopes."
    return message.strip()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc.rpartition('@')[2]}"


def _tls(target: Target) -> ssl.SSLContext | None:
    if not (target.allow_insecure_tls and urlsplit(target.url).scheme == "wss"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _device(token: str | None, nonce: str, client: dict[str, str]) -> dict[str, Any]:
    identity = device_identity.load_or_create()
    signed_at = int(time.time() * 1000)
    parts = ["v2" if nonce else "v1", identity.device_id, client["id"], client["mode"], ROLE]
    parts += [",".join(SCOPES), str(signed_at), token or "", *([nonce] if nonce else [])]
    return {
        "id": identity.device_id,
        "publicKey": device_identity.url_safe(identity.public_bytes),
        "signature": identity.sign("|".join(parts)),
        "signedAt": signed_at,
        **({"nonce": nonce} if nonce else {}),
    }


def connect_parameters(target: Target, nonce: str) -> dict[str, Any]:
    control_ui = target.disable_device_pairing
    client = {
        "id": "openclaw-control-ui" if control_ui else "gateway-client",
        "version": "1.0.0",
        "platform": platform.system().lower(),
        "mode": "ui" if control_ui else "backend",
    }
    parameters: dict[str, Any] = {
        "minProtocol": PROTOCOL,
        "maxProtocol": PROTOCOL,
        "role": ROLE,
        "scopes": list(SCOPES),
        "client": client,
    }
    if not control_ui:
        parameters["device"] = _device(target.token, nonce, client)
    if target.token:
        parameters["auth"] = {"token": target.token}
    return parameters


class Connection:
    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.hello: Any = None

    async def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        request = {"type": "req", "id": str(uuid4()), "method": method, "params": parameters or {}}
        await self.socket.send(json.dumps(request))
        while True:
            message = json.loads(await self.socket.recv())
            if message.get("id") != request["id"]:
                continue  # an event, or the answer to another call
            if message.get("error") or message.get("ok") is False:
                error = message.get("error") or {}
                raise GatewayError(str(error.get("message") or "Gateway error"))
            return message["payload"] if "payload" in message else message.get("result")

    async def challenge(self) -> str:
        try:
            message = json.loads(await asyncio.wait_for(self.socket.recv(), CHALLENGE_SECONDS))
        except TimeoutError:
            return ""
        if message.get("event") != "connect.challenge":
            logger.warning("gateway.connect.no_challenge type=%s", message.get("type"))
            return ""
        return str((message.get("payload") or {}).get("nonce") or "").strip()


@asynccontextmanager
async def connect(target: Target) -> AsyncIterator[Connection]:
    """A connection that the gateway has accepted; every failure in it is a GatewayError."""
    url = target.url.strip()
    if target.token:
        # The product sends the token in the address as well; some proxies in front of a gateway need it.
        url = urlunsplit(urlsplit(url)._replace(query=urlencode({"token": target.token}), fragment=""))
    options: dict[str, Any] = {"ping_interval": None, "max_size": MAX_MESSAGE}
    if target.disable_device_pairing:
        options["origin"] = _origin(target.url)
    tls = _tls(target)
    if tls is not None:
        options["ssl"] = tls
    try:
        async with asyncio.timeout(CALL_SECONDS), websockets.connect(url, **options) as socket:
            connection = Connection(socket)
            connection.hello = await connection.call(
                "connect", connect_parameters(target, await connection.challenge())
            )
            yield connection
    except (OSError, ValueError, websockets.WebSocketException) as error:
        # Some errors name the address, which holds the token.
        text = str(error).replace(url, target.url) or f"no answer within {CALL_SECONDS:.0f} s"
        logger.warning("gateway.transport_error error_type=%s", type(error).__name__)
        raise GatewayError(text) from error


def _version(text: str) -> tuple[int, ...] | None:
    match = re.fullmatch(r"v?(\d{4})\.(\d{1,2})\.(\d{1,2})(?:-(\d+))?", text.strip(), re.IGNORECASE)
    if not match:
        return None
    year, month, day, revision = (int(part or 0) for part in match.groups())
    return (year, month, day, revision) if 1 <= month <= 12 and 1 <= day <= 31 else None


def version_problem(hello: Any) -> str | None:
    """Why the gateway's version will not do, or None."""
    lowest = settings.gateway_min_version.strip()
    wanted = _version(lowest)
    if wanted is None:
        return (
            "Server configuration error: GATEWAY_MIN_VERSION is invalid. "
            f"Expected CalVer 'YYYY.M.D' or 'YYYY.M.D-REV', got '{lowest}'."
        )
    server = hello.get("server") if isinstance(hello, dict) else None
    reported = str((server or {}).get("version") or "").strip()
    suffix = f"Minimum supported version is {lowest}."
    if not reported:
        return f"Unable to determine gateway version from runtime metadata. {suffix}"
    found = _version(reported)
    if found is None:
        return f"Gateway reported an unsupported version format '{reported}'. {suffix}"
    if found < wanted:
        return f"Gateway version {reported} is not supported. {suffix}"
    return None


async def sessions(connection: Connection) -> list[Any]:
    answer = await connection.call("sessions.list")
    found = answer.get("sessions") if isinstance(answer, dict) else answer
    return list(found) if isinstance(found, list) else []


async def ensure_session(connection: Connection, key: str) -> Any:
    answer = await connection.call("sessions.patch", {"key": key, "label": "Gateway Agent"})
    return (answer.get("entry") or answer) if isinstance(answer, dict) else None


async def history(connection: Connection, key: str) -> list[Any]:
    answer = await connection.call("chat.history", {"sessionKey": key})
    found = answer.get("messages") if isinstance(answer, dict) else answer
    return list(found) if isinstance(found, list) else []
