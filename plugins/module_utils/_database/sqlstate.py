# SPDX-License-Identifier: GPL-3.0-or-later
"""Why PostgreSQL lets nobody in, as SQLSTATE: its words come in the language of the server.

libpq hands over only those words when a connection fails. So the login is tried once more, up to the answer
that has the code (PostgreSQL's documentation, "Message Flow", "SASL Authentication", "Error Message Fields").
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import time
from urllib.parse import parse_qsl, unquote, urlsplit

SECONDS = 4.0
# No message of a login is longer, and no server asks for so many rounds of hashing.
_MOST_BYTES = 1 << 16
_MOST_ROUNDS = 1_000_000
_VERSION, _TLS = 196608, 80877103
_OK, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 10, 11, 12
_MECHANISM = b"SCRAM-SHA-256"
LET_IN = "00000"


def sqlstate(url: str, seconds: float = SECONDS) -> str:
    """The code with which a login ends, "00000" for one that succeeds; empty where the server gave none.

    :param url: postgresql://user:password@host:port/database, as libpq takes it.
    :param seconds: for all of it.
    """
    try:
        return _Login(url, time.monotonic() + seconds).result()
    except (OSError, ValueError, KeyError, struct.error):
        return ""


class _Login:
    def __init__(self, url: str, end: float) -> None:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query))
        self._end = end
        self._user = unquote(parts.username or given.get("user", ""))
        self._password = unquote(parts.password or given.get("password", ""))
        self._database = unquote(parts.path.lstrip("/")) or given.get("dbname") or self._user
        self._host = parts.hostname or given.get("host") or "127.0.0.1"
        self._port = int(parts.port or given.get("port") or 5432)
        self._sslmode = given.get("sslmode", "prefer")
        self._authority = given.get("sslrootcert")

    def result(self) -> str:
        with self._connect() as plain, self._secured(plain) as self._socket:
            words = (b"user", self._user.encode(), b"database", self._database.encode(), b"", b"")
            self._send(b"", struct.pack("!i", _VERSION) + b"\0".join(words))
            while True:
                kind, body = self._receive()
                if kind == b"E":
                    return _code(body)
                if kind == b"Z":
                    return LET_IN
                if kind == b"R" and not self._authenticate(body):
                    return ""

    def _connect(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port), self._left())
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(self._left())
        try:
            local.connect(f"{self._host}/.s.PGSQL.{self._port}")
        except OSError:
            local.close()
            raise
        return local

    def _secured(self, plain: socket.socket) -> socket.socket:
        """With TLS, where the address and the server want it."""
        if plain.family == socket.AF_UNIX or self._sslmode in ("disable", "allow"):
            return plain
        plain.sendall(struct.pack("!ii", 8, _TLS))
        if plain.recv(1) == b"S":
            return self._context().wrap_socket(plain, server_hostname=self._host)
        if self._sslmode != "prefer":
            raise ValueError("the server speaks no TLS")
        return plain

    def _context(self) -> ssl.SSLContext:
        """As strict as libpq, which has got through to the server's words with the same address."""
        context = ssl.create_default_context(cafile=self._authority)
        context.check_hostname = self._sslmode == "verify-full"
        if not self._sslmode.startswith("verify"):
            context.verify_mode = ssl.CERT_NONE
        return context

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no time left")
        return left

    def _send(self, kind: bytes, body: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            self._socket.settimeout(self._left())
            part = self._socket.recv(count - len(data))
            if not part:
                raise ValueError("the connection was closed")
            data += part
        return data

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._read(5)
        length = struct.unpack("!i", head[1:])[0] - 4
        if not 0 <= length <= _MOST_BYTES:
            raise ValueError("what listens there is not PostgreSQL")
        return head[:1], self._read(length)

    def _authenticate(self, body: bytes) -> bool:
        """Whether the login goes on. Only SCRAM is answered: it hands over nothing that is of use again."""
        (wanted,) = struct.unpack("!i", body[:4])
        if wanted == _SASL:
            if _MECHANISM not in body[4:].split(b"\0"):
                return False
            self._nonce = base64.b64encode(os.urandom(18)).decode()
            self._first = f"n=,r={self._nonce}"
            first = f"n,,{self._first}".encode()
            self._send(b"p", _MECHANISM + b"\0" + struct.pack("!i", len(first)) + first)
        elif wanted == _SASL_CONTINUE:
            self._send(b"p", self._proof(body[4:].decode()))
        return wanted in (_OK, _SASL, _SASL_CONTINUE, _SASL_FINAL)

    def _proof(self, challenge: str) -> bytes:
        """The answer of RFC 5802 to a server's challenge."""
        given = dict(part.split("=", 1) for part in challenge.split(","))
        rounds = int(given["i"])
        if not given["r"].startswith(self._nonce) or not 0 < rounds <= _MOST_ROUNDS:
            raise ValueError("the challenge does not belong to this login")
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), base64.b64decode(given["s"]), rounds)
        key = hmac.digest(salted, b"Client Key", "sha256")
        last = f"c={base64.b64encode(b'n,,').decode()},r={given['r']}"
        message = f"{self._first},{challenge},{last}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(one ^ other for one, other in zip(key, signature, strict=True))
        return f"{last},p={base64.b64encode(proof).decode()}".encode()


def _code(body: bytes) -> str:
    """The field C of an error."""
    fields = {field[:1]: field[1:] for field in body.split(b"\0") if field}
    return fields.get(b"C", b"").decode("ascii", "replace")
