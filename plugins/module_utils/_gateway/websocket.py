# SPDX-License-Identifier: GPL-3.0-or-later
"""The little of WebSocket (RFC 6455) that a client of the gateway needs."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from .._host.answering import StrangerError, refuse_strangers
from .errors import GatewayError

MAX_MESSAGE = 64 * 1024 * 1024
_NONE: Mapping[str, str] = MappingProxyType({})


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
        cls,
        url: str,
        *,
        deadline: Callable[[], float],
        context: ssl.SSLContext | None = None,
        users: Collection[str] = (),
        headers: Mapping[str, str] = _NONE,
    ) -> WebSocket:
        """A connection that the other side has opened, too; `headers` are said besides, as a browser does."""
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise GatewayError("address", f"{parts.scheme}://{parts.netloc} is not the address of a gateway.")
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        place = f"{parts.hostname} port {port}"
        try:
            connection = socket.create_connection((parts.hostname, port), timeout=deadline())
            if parts.scheme == "wss":
                wrapper = context or ssl.create_default_context()
                # On failure this closes the plain connection as well.
                connection = wrapper.wrap_socket(connection, server_hostname=parts.hostname)
            else:
                refuse_strangers(connection, users)
        except StrangerError as error:
            connection.close()
            raise GatewayError("stranger", f"{place}: {error}; the token was not sent.") from None
        except ssl.SSLError as error:
            why = ": ".join(filter(None, (error.reason, getattr(error, "verify_message", "")))) or str(error)
            raise GatewayError("tls", f"TLS with {place} failed: {why}.") from None
        except OSError as error:
            raise GatewayError("unreachable", f"{place}: {error.strerror or error}.") from None
        made = cls(connection, deadline)
        try:
            made._handshake(parts.netloc.rpartition("@")[2], parts.path or "/", headers)
        except BaseException:
            connection.close()
            raise
        return made

    def _handshake(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._send_bytes(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > 65536:
                raise GatewayError("not_a_gateway", "The answer is not a WebSocket handshake.")
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        answered = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(
            hashlib.sha1((key + guid).encode(), usedforsecurity=False).digest()
        ).decode()
        if " 101 " not in f"{lines[0]} " or answered.get("sec-websocket-accept") != accept:
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
