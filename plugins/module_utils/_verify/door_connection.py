# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections of our own to a front door, for what a pooled HTTP client does not show.

That are handshakes of old versions of TLS, streams as they arrive, large bodies, and WebSockets.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from .._host.literal_addresses import is_literal

# A chunk of a stream that is larger than this is no event of the product's.
_PIECE = 65536


class Place(NamedTuple):
    """Where a URL leads."""

    host: str
    port: int


def place_of(url: str) -> Place:
    """Host and port of a URL."""
    parts = urlsplit(url)
    return Place(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def answers(url: str, seconds: float) -> bool:
    """Whether something takes connections at a URL's host and port."""
    try:
        socket.create_connection(place_of(url), seconds).close()
    except OSError:
        return False
    return True


def greeting(minor: int, host: str) -> bytes:
    """The ClientHello (RFC 2246, 7.4.1.2; RFC 4346) of TLS 3.`minor`: 1 is TLS 1.0, 2 is TLS 1.1.

    :param host: its name goes along (RFC 6066), an address does not.
    """

    def sized(content: bytes, size: int) -> bytes:
        return len(content).to_bytes(size, "big") + content

    ciphers = bytes.fromhex("c009c00ac013c014002f0035000a")  # ECDHE and RSA with AES and SHA-1, 3DES
    # Curves (P-256, P-384, X25519), and uncompressed points (RFC 8422).
    extensions = bytes.fromhex("000a0008000600170018001d") + bytes.fromhex("000b00020100")
    if not is_literal(host):
        name = sized(b"\x00" + sized(host.encode("idna"), 2), 2)
        extensions += b"\x00\x00" + sized(name, 2)
    hello = bytes((3, minor)) + os.urandom(32) + sized(b"", 1) + sized(ciphers, 2) + sized(b"\x00", 1)
    message = b"\x01" + sized(hello + sized(extensions, 2), 3)
    return bytes((22, 3, 1)) + sized(message, 2)


class Door:
    """The door at a URL.

    :param url: https://…
    :param verify: as the check's options say whom to trust: the system's authorities (True), a file of them,
      or anybody (False).
    :param seconds: for each step of a connection.
    """

    def __init__(self, url: str, verify: bool | str, seconds: float) -> None:
        self.place, self._verify, self.seconds = place_of(url), verify, seconds

    def settings(self) -> Any:
        """What TLS goes by."""
        import ssl

        found = ssl.create_default_context(cafile=self._verify if isinstance(self._verify, str) else None)
        if self._verify is False:
            found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
        return found

    def shown(self) -> dict[str, Any]:
        """The certificate that is shown, as ssl.getpeercert tells it. Raises OSError where TLS fails."""
        with self._connection(self.settings()) as connection:
            return dict(connection.getpeercert() or {})

    def speaks(self, minor: int) -> bool:
        """Whether a version of TLS, 3.`minor`, is accepted by a server that is greeted with it.

        The greeting is written here: whether OpenSSL on this side still knows the version does not matter.
        """
        try:
            with socket.create_connection(self.place, self.seconds) as plain:
                plain.sendall(greeting(minor, self.place.host))
                answer = plain.recv(11)
        except OSError:
            return False
        # A record of a handshake (22) that holds the server's greeting (2), with the version it has chosen.
        return len(answer) == 11 and answer[0] == 22 and answer[5] == 2 and answer[9:11] == bytes((3, minor))

    def _connection(self, settings: Any) -> Any:
        plain = socket.create_connection(self.place, self.seconds)
        try:
            return settings.wrap_socket(plain, server_hostname=self.place.host)
        except BaseException:
            plain.close()
            raise

    def _http(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self.place, timeout=self.seconds, context=self.settings())

    def post(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a body; the answer's status, headers and its first bytes. Raises OSError, HTTPException."""
        connection = self._http()
        with contextlib.closing(connection):
            # It may have answered already, and taken the rest no more.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request("POST", path, body, {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read(2000)

    def upgrade(self, path: str) -> int:
        """The status that a WebSocket's opening request gets. Raises OSError, HTTPException."""
        connection = self._http()
        with contextlib.closing(connection):
            connection.request(
                "GET",
                path,
                headers={
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Version": "13",
                    # The example of RFC 6455, section 1.3: nobody relies on it.
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
                },
            )
            return connection.getresponse().status

    def listen(self, path: str, token: str, first: float, hold: float) -> Stream:
        """A stream, until its first event has come, and then for a while.

        :param first: seconds that the first bytes may take.
        :param hold: seconds for which it is then listened to.
        """
        connection = self._http()
        found = Stream()
        with contextlib.closing(connection):
            begun = time.monotonic()
            connection.request(
                "GET",
                path,
                headers={
                    "Accept": "text/event-stream",
                    # As browsers do: a proxy that packs must leave streams alone.
                    "Accept-Encoding": "gzip",
                    "Authorization": f"Bearer {token}",
                },
            )
            # The answer may take it over, where it is the connection's last one.
            opened = connection.sock
            opened.settimeout(first)
            try:
                answer = connection.getresponse()
            except TimeoutError:
                return found
            found.status = answer.status
            found.headers = {name.lower(): value for name, value in answer.getheaders()}
            if answer.status != 200:
                return found
            until = begun + first
            while True:
                left = until - time.monotonic()
                if left <= 0:
                    return found
                opened.settimeout(left)
                try:
                    piece = answer.read1(_PIECE)
                except TimeoutError:
                    return found
                except (OSError, http.client.HTTPException):
                    piece = b""
                if not piece:
                    found.cut_after = time.monotonic() - begun
                    return found
                if found.first is None:
                    found.first = time.monotonic() - begun
                    until = time.monotonic() + hold
                found.pieces += 1


@dataclass
class Stream:
    """What came of a stream: seconds are from its request."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    first: float | None = None  # when its first bytes came
    pieces: int = 0
    cut_after: float | None = None  # when the other side ended it
