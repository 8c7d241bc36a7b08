# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A small client of the gateway's WebSocket protocol, for hosts that have nothing but Python and openssl.

It connects exactly as Mission Control's backend does: it waits for the challenge, signs it with the backend's
device identity and shows the gateway's token. Neither the private key nor the token appears in an argument
list or in a file that was not there before.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ._gateway_protocol import BACKEND_PROTOCOLS, versions_for

# What the backend asks for; a device that was approved with less is asked to pair again.
BACKEND_SCOPES = ("operator.read", "operator.admin", "operator.approvals", "operator.pairing")
BACKEND_CLIENT_ID = "gateway-client"
BACKEND_CLIENT_MODE = "backend"
MAX_MESSAGE = 64 * 1024 * 1024
_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # an Ed25519 public key in DER begins with this


class GatewayError(Exception):
    """Why a gateway could not be talked to. `kind` is one of the keys of REMEDIES or "rejected"."""

    def __init__(self, kind: str, message: str, *, remedy: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.remedy = remedy or REMEDIES.get(kind, "")
        self.request_id = request_id


REMEDIES = {
    "address": "Give the gateway's address as ws://host:port or wss://host:port.",
    "unreachable": "See that the gateway runs (systemctl --user status openclaw-gateway), that it listens on "
    "an address the backend can reach (gateway_bind: lan where the backend stands on another host) and that "
    "no firewall is between them.",
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


# --- device identity -------------------------------------------------------------------------------


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public_key_bytes(pem: str) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM."""
    body = "".join(line for line in pem.split("\n") if line and not line.startswith("-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except ValueError:
        der = b""
    if len(der) != len(_SPKI_PREFIX) + 32 or not der.startswith(_SPKI_PREFIX):
        raise GatewayError("identity", "The public key of the device identity is no Ed25519 key.")
    return der[len(_SPKI_PREFIX) :]


def device_id_of(public_key: str) -> str:
    """The device id that belongs to a public key in the gateway's form (base64url)."""
    try:
        raw = base64.urlsafe_b64decode(public_key + "=" * (-len(public_key) % 4))
    except ValueError:
        return ""
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class Identity:
    """The device as which a client connects. Its private key goes to openssl's standard input alone."""

    device_id: str
    public_key: str
    private_key_pem: str

    def __repr__(self) -> str:
        return f"Identity({self.device_id})"

    def sign(self, text: str) -> str:
        """The signature of a text, base64url."""
        # For Ed25519 pkeyutl wants a file of known size. The text holds the token, so the file has no name.
        message = os.memfd_create("openclaw-sign")
        try:
            os.write(message, text.encode())
            os.lseek(message, 0, os.SEEK_SET)
            done = subprocess.run(
                [
                    *("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "/dev/stdin"),
                    *("-in", f"/proc/self/fd/{message}"),
                ],
                input=self.private_key_pem.encode(),
                capture_output=True,
                check=False,
                timeout=30,
                pass_fds=(message,),
            )
        except FileNotFoundError:
            raise GatewayError(
                "identity", "The command openssl is missing.", remedy="Install the package openssl."
            ) from None
        finally:
            os.close(message)
        if done.returncode != 0 or len(done.stdout) != 64:
            raise GatewayError(
                "identity", "openssl could not sign with the private key of the device identity."
            )
        return _base64url(done.stdout)


def read_identity(path: Path) -> Identity:
    """The identity file of a backend (or of the OpenClaw command line: the format is the same)."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        public, private = str(document["publicKeyPem"]), str(document["privateKeyPem"])
    except FileNotFoundError:
        raise GatewayError("identity", f"There is no device identity at {path}.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GatewayError(
            "identity", f"The device identity {path} cannot be read ({type(error).__name__})."
        ) from None
    raw = public_key_bytes(public)
    return Identity(hashlib.sha256(raw).hexdigest(), _base64url(raw), private)


# --- WebSocket -------------------------------------------------------------------------------------


class WebSocket:
    """Just enough of RFC 6455: text messages, pings answered, closing with a code."""

    def __init__(self, connection: socket.socket, deadline: Callable[[], float]) -> None:
        self._connection = connection
        self._left = deadline
        self._buffer = b""
        self.close_code: int | None = None
        self.close_reason = ""

    @classmethod
    def open(
        cls, url: str, *, deadline: Callable[[], float], context: ssl.SSLContext | None = None
    ) -> WebSocket:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise GatewayError("address", f"{parts.scheme}://{parts.netloc} is no address of a gateway.")
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        place = f"{parts.hostname} port {port}"
        try:
            connection = socket.create_connection((parts.hostname, port), timeout=deadline())
            if parts.scheme == "wss":
                wrapper = context or ssl.create_default_context()
                # On failure this closes the plain connection as well.
                connection = wrapper.wrap_socket(connection, server_hostname=parts.hostname)
        except ssl.SSLError as error:
            why = ": ".join(filter(None, (error.reason, getattr(error, "verify_message", "")))) or str(error)
            raise GatewayError("tls", f"TLS with {place} failed: {why}.") from None
        except OSError as error:
            raise GatewayError("unreachable", f"{place}: {error.strerror or error}.") from None
        made = cls(connection, deadline)
        try:
            made._handshake(parts.netloc.rpartition("@")[2], parts.path or "/")
        except BaseException:
            connection.close()
            raise
        return made

    def _handshake(self, host: str, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self._send_bytes(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > 65536:
                raise GatewayError("not_a_gateway", "The answer is no WebSocket handshake.")
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(
            hashlib.sha1((key + guid).encode(), usedforsecurity=False).digest()
        ).decode()
        if " 101 " not in f"{lines[0]} " or headers.get("sec-websocket-accept") != accept:
            raise GatewayError("not_a_gateway", f"Instead of a WebSocket there is: {lines[0][:80]}")

    def _fill(self) -> None:
        try:
            self._connection.settimeout(self._left())
            data = self._connection.recv(65536)
        except TimeoutError:
            raise GatewayError("timeout", "No answer in time.") from None
        except OSError as error:
            raise GatewayError("closed", f"The connection broke off: {error.strerror or error}.") from None
        if not data:
            raise GatewayError("closed", "The connection was closed without a word.")
        self._buffer += data

    def _send_bytes(self, data: bytes) -> None:
        try:
            self._connection.settimeout(self._left())
            self._connection.sendall(data)
        except TimeoutError:
            raise GatewayError("timeout", "The gateway takes no data.") from None
        except OSError as error:
            raise GatewayError("closed", f"The connection broke off: {error.strerror or error}.") from None

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._fill()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def _frame(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", length)
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self._send_bytes(head + mask + masked)

    def send(self, text: str) -> None:
        self._frame(0x1, text.encode())

    def receive(self) -> str:
        """The next text message; GatewayError (kind "closed") once the other side has closed."""
        message = b""
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self._take(8))[0]
            if length > MAX_MESSAGE or len(message) + length > MAX_MESSAGE:
                raise GatewayError("not_a_gateway", "The answer is larger than a gateway's answers are.")
            mask = self._take(4) if second & 0x80 else b""
            payload = self._take(length)
            if mask:
                payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
            opcode = first & 0x0F
            if opcode == 0x9:
                self._frame(0xA, payload)
            elif opcode == 0x8:
                self.close_code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 1005
                self.close_reason = payload[2:].decode("utf-8", "replace")
                raise GatewayError(
                    "closed",
                    f"The gateway closed the connection ({self.close_code} {self.close_reason}).".replace(
                        " )", ")"
                    ),
                )
            elif opcode in (0x0, 0x1, 0x2):
                message += payload
                if first & 0x80:
                    return message.decode("utf-8", "replace")

    def close(self) -> None:
        with contextlib.suppress(GatewayError, OSError):
            self._frame(0x8, struct.pack("!H", 1000))
        with contextlib.suppress(OSError):
            self._connection.close()


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
        self._monotonic = monotonic
        self._until = 0.0
        self._socket: WebSocket | None = None
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> GatewayClient:
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
        self._socket = WebSocket.open(self._url, deadline=self._left, context=self._context())
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
        assert self._socket is not None  # noqa: S101 - connect() has just made it
        frame = self._decode(self._socket.receive())
        payload = frame.get("payload")
        if (
            frame.get("event") != "connect.challenge"
            or not isinstance(payload, dict)
            or not payload.get("nonce")
        ):
            raise GatewayError("not_a_gateway", "The server sent no challenge: it is no OpenClaw gateway.")
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
            frame = json.loads(text)
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
            told = frame.get("error")
            error: dict[str, Any] = told if isinstance(told, dict) else {}
            message = str(error.get("message") or "the gateway gave no reason")
            more = error.get("details")
            details: dict[str, Any] = more if isinstance(more, dict) else {}
            kind = classify(message, details) if method == "connect" else "rejected"
            raise GatewayError(kind, message, request_id=str(details.get("requestId") or ""))
