# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A gateway for tests, on the loopback interface: enough of the protocol to be talked to, every refusal
included.

Its answers are those of a gateway 2026.4.2, recorded with the client of this collection.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

SPKI = bytes.fromhex("302a300506032b6570032100")


def make_identity(path: Path) -> str:
    """A device identity as backends have it; returns the device id."""
    private = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519"], capture_output=True, text=True, check=True
    ).stdout
    public = subprocess.run(
        ["openssl", "pkey", "-pubout"], input=private, capture_output=True, text=True, check=True
    ).stdout
    raw = base64.b64decode(public.split("\n")[1])[-32:]
    device = hashlib.sha256(raw).hexdigest()
    document = {"version": 1, "deviceId": device, "publicKeyPem": public, "privateKeyPem": private}
    path.write_text(json.dumps(document))
    return device


def make_certificate(place: Path) -> Path:
    """A certificate of its own authority for this address, with its key, in one file."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=gateway",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "-"]
    key = subprocess.run([*command, "-out", f"{place}.certificate"], capture_output=True, check=True).stdout
    place.write_bytes(key + Path(f"{place}.certificate").read_bytes())
    return place


def verify(public_key: str, signature: str, text: str) -> bool:
    """Whether openssl accepts the signature."""
    pad = "=" * (-len(public_key) % 4)
    der = base64.b64encode(SPKI + base64.urlsafe_b64decode(public_key + pad)).decode()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")
        (place / "text").write_text(text)
        (place / "signature").write_bytes(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(place / "key.pem")]
        command += ["-in", str(place / "text"), "-sigfile", str(place / "signature")]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


class Gateway:
    """Serves one connection after another until the end of the block."""

    def __init__(
        self,
        *,
        token: str = "the-token-of-the-gateway",  # noqa: S107
        protocol: int = 3,
        paired: bool = True,
        raw: bytes | None = None,
        starting: int = 0,
        calls: dict[str, Callable[[dict[str, Any]], Any]] | None = None,
        certificate: Path | None = None,
    ) -> None:
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.token = token
        self.protocol = protocol
        self.paired = paired
        self.raw = raw
        self.starting = starting
        self.calls = calls or {}
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'ws' if certificate is None else 'wss'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._open: socket.socket | None = None

    def __enter__(self) -> Gateway:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._open is not None:
            with contextlib.suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self._tls is not None:
                try:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                except OSError:
                    continue
            self._open = connection
            # A client that speaks something else, or that leaves, is no failure of the test.
            with (
                connection,
                connection.makefile("rb") as stream,
                contextlib.suppress(OSError, EOFError, ValueError),
            ):
                self._talk(connection, stream)

    def _talk(self, connection: socket.socket, stream: Any) -> None:
        head = {}
        stream.readline()
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            head[name.lower()] = value.strip()
        if self.raw is not None:
            connection.sendall(self.raw)
            return
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(
            hashlib.sha1((head["sec-websocket-key"] + guid).encode(), usedforsecurity=False).digest()
        ).decode()
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        nonce = "nonce-of-the-challenge"
        self.send(connection, {"type": "event", "event": "connect.challenge", "payload": {"nonce": nonce}})
        connected = False
        while True:
            frame = json.loads(self.receive(stream))
            self.seen.append((frame["method"], frame["params"]))
            if not connected:
                refusal = self._refusal(frame["params"], nonce)
                if refusal:
                    message, details, code = refusal
                    error = {"code": "INVALID_REQUEST", "message": message, "details": details}
                    self.send(connection, {"type": "res", "id": frame["id"], "ok": False, "error": error})
                    self.frame(connection, 0x8, struct.pack("!H", code) + message.encode()[:100])
                    return
                connected = True
                payload: Any = {
                    "type": "hello-ok",
                    "protocol": self.protocol,
                    "server": {"version": "2026.4.2", "connId": "1"},
                }
            elif frame["method"] in self.calls:
                # An event in between, and a ping: both must be put up with.
                self.send(connection, {"type": "event", "event": "tick", "payload": {}})
                self.frame(connection, 0x9, b"are you there")
                payload = self.calls[frame["method"]](frame["params"])
            else:
                error = {"code": "INVALID_REQUEST", "message": f"unknown method: {frame['method']}"}
                self.send(connection, {"type": "res", "id": frame["id"], "ok": False, "error": error})
                continue
            self.send(connection, {"type": "res", "id": frame["id"], "ok": True, "payload": payload})

    def _refusal(self, params: dict[str, Any], nonce: str) -> tuple[str, dict[str, Any], int] | None:
        if self.starting:
            self.starting -= 1
            return "gateway starting; retry shortly", {}, 1013
        if not params["minProtocol"] <= self.protocol <= params["maxProtocol"]:
            return "protocol mismatch", {"expectedProtocol": self.protocol}, 1002
        device, client = params["device"], params["client"]
        parts = ["v2", device["id"], client["id"], client["mode"], params["role"], ",".join(params["scopes"])]
        parts += [str(device["signedAt"]), params["auth"]["token"], nonce]
        if not verify(device["publicKey"], device["signature"], "|".join(parts)):
            return "device signature invalid", {"code": "DEVICE_AUTH_SIGNATURE_INVALID"}, 1008
        if params["auth"]["token"] != self.token:
            message = "unauthorized: gateway token mismatch (provide gateway auth token)"
            return message, {"code": "AUTH_TOKEN_MISMATCH"}, 1008
        if not self.paired:
            return "pairing required", {"code": "PAIRING_REQUIRED", "requestId": "request-1"}, 1008
        return None

    @staticmethod
    def frame(connection: socket.socket, opcode: int, payload: bytes) -> None:
        length = len(payload)
        if length < 126:
            head = bytes([0x80 | opcode, length])
        elif length < 65536:
            head = bytes([0x80 | opcode, 126]) + struct.pack("!H", length)
        else:
            head = bytes([0x80 | opcode, 127]) + struct.pack("!Q", length)
        connection.sendall(head + payload)

    def send(self, connection: socket.socket, value: dict[str, Any]) -> None:
        self.frame(connection, 0x1, json.dumps(value).encode())

    @staticmethod
    def receive(stream: Any) -> str:
        while True:
            head = stream.read(2)
            if len(head) < 2:
                raise EOFError
            length = head[1] & 0x7F
            if length == 126:
                length = struct.unpack("!H", stream.read(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", stream.read(8))[0]
            mask = stream.read(4)
            payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(stream.read(length)))
            if head[0] & 0x0F == 0x8:
                raise EOFError
            if head[0] & 0x0F == 0x1:
                return payload.decode()
