"""A gateway's side of the WebSocket protocol, with the words a real one (2026.4.2) was seen to use.

It checks what it is told: protocol, token, origin, and the signature of the device identity.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TOKEN = "simulated-gateway-token"


class RefusedError(Exception):
    pass


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SimulatedGateway:
    def __init__(self) -> None:
        self.url = ""
        self.protocol = 3
        self.version = "2026.4.2"
        self.starting = False
        self.pairing = True
        self.paired: set[str] = set()
        self.sessions: dict[str, dict[str, Any]] = {}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.methods: list[str] = []

    @contextmanager
    def serving(self) -> Iterator[SimulatedGateway]:
        started, stop = threading.Event(), asyncio.Event()
        loop = asyncio.new_event_loop()

        async def main() -> None:
            async with serve(self._answer, "127.0.0.1", 0) as server:
                self.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
                started.set()
                await stop.wait()

        thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
        thread.start()
        assert started.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(10)
            loop.close()

    async def _answer(self, socket: ServerConnection) -> None:
        nonce = str(uuid4())
        await socket.send(
            json.dumps({"type": "event", "event": "connect.challenge", "payload": {"nonce": nonce}})
        )
        try:
            request = json.loads(await socket.recv())
            try:
                self._admit(socket, request["method"], request["params"], nonce)
            except RefusedError as error:
                await self._fail(socket, request, str(error))
                await socket.close(1008, str(error))
                return
            await self._give(
                socket, request, {"type": "hello-ok", "protocol": 3, "server": {"version": self.version}}
            )
            while True:
                request = json.loads(await socket.recv())
                self.methods.append(request["method"])
                # Events come in between.
                await socket.send(json.dumps({"type": "event", "event": "tick", "payload": {}}))
                await self._serve(socket, request)
        except ConnectionClosed:
            pass

    def _admit(self, socket: ServerConnection, method: str, asked: dict[str, Any], nonce: str) -> None:
        assert socket.request is not None
        if method != "connect":
            raise RefusedError("invalid handshake: first request must be connect")
        if self.starting:
            raise RefusedError("gateway starting; retry shortly")
        if not asked["minProtocol"] <= self.protocol <= asked["maxProtocol"]:
            raise RefusedError("protocol mismatch")
        token = asked.get("auth", {}).get("token")
        if token != TOKEN:
            state = "mismatch" if token else "missing"
            raise RefusedError(f"unauthorized: gateway token {state} (provide gateway auth token)")
        if parse_qs(urlsplit(socket.request.path).query).get("token") != [token]:
            raise RefusedError("unauthorized: the address has another token")
        if asked["client"]["id"] == "openclaw-control-ui":
            if socket.request.headers.get("Origin") != self.url.replace("ws://", "http://"):
                raise RefusedError("origin not allowed")
            return
        self._check_device(asked, token, nonce)

    def _check_device(self, asked: dict[str, Any], token: str, nonce: str) -> None:
        device, client = asked["device"], asked["client"]
        key = _decode(device["publicKey"])
        signed = ["v2", device["id"], client["id"], client["mode"], asked["role"], ",".join(asked["scopes"])]
        signed += [str(device["signedAt"]), token, nonce]
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(
                _decode(device["signature"]), "|".join(signed).encode()
            )
        except InvalidSignature as error:
            raise RefusedError("device signature invalid") from error
        if device["id"] != hashlib.sha256(key).hexdigest() or device["nonce"] != nonce:
            raise RefusedError("device identity mismatch")
        if self.pairing and device["id"] not in self.paired:
            raise RefusedError("pairing required")

    async def _serve(self, socket: ServerConnection, request: dict[str, Any]) -> None:
        method, asked = request["method"], request["params"]
        if method == "sessions.list":
            await self._give(socket, request, {"sessions": list(self.sessions.values())})
        elif method == "sessions.patch":
            entry = self.sessions.setdefault(asked["key"], {"key": asked["key"], "sessionId": str(uuid4())})
            entry |= {"label": asked["label"], "updatedAt": int(time.time() * 1000)}
            shown = {name: value for name, value in entry.items() if name != "key"}
            await self._give(socket, request, {"ok": True, "key": asked["key"], "entry": shown})
        elif method == "chat.history":
            await self._give(socket, request, {"messages": self.histories.get(asked["sessionKey"], [])})
        else:
            await self._fail(socket, request, f"unknown method: {method}")

    async def _give(self, socket: ServerConnection, request: dict[str, Any], payload: object) -> None:
        await socket.send(json.dumps({"type": "res", "id": request["id"], "ok": True, "payload": payload}))

    async def _fail(self, socket: ServerConnection, request: dict[str, Any], message: str) -> None:
        error = {"code": "INVALID_REQUEST", "message": message}
        await socket.send(json.dumps({"type": "res", "id": request["id"], "ok": False, "error": error}))
