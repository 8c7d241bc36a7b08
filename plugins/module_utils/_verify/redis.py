# SPDX-License-Identifier: GPL-3.0-or-later
"""The little of the Redis protocol that a check needs, so that the host needs no client library."""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .._host.answering import StrangerError, refuse_strangers
from .._host.unix_sockets import listening_paths

# Whose Redis is, as the distribution's packages have it.
SERVERS = ("redis", "valkey")
MOST_BULK = 16 * 1024 * 1024
# How a refusal begins, and what kind of error that is.
REFUSALS = (
    ("NOAUTH", "auth"),
    ("WRONGPASS", "auth"),
    ("ERR invalid password", "auth"),
    ("NOPERM", "rights"),
    ("BUSY", "busy"),
    ("MISCONF", "unsaved"),
    ("WRONGTYPE", "type"),
    ("ERR max number of clients", "clients"),
)


class RedisError(Exception):
    """The server refused a command, or does not speak Redis. `kind`: refused, dns, auth, protocol, ..."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.key = ""  # what was asked for, where that matters


def _true(text: str) -> bool:
    return text.strip().lower() not in ("", "0", "f", "false", "n", "no")


def _unreached(scheme: str, path: str, error: OSError) -> str:
    """What kind of error it is that nobody took the connection."""
    gone = scheme == "unix" and isinstance(error, FileNotFoundError)
    return "no_socket" if gone and path in listening_paths() else "refused"


def _local(path: str, timeout: float) -> socket.socket:
    """A connection to a socket of this host."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.settimeout(timeout)
        found.connect(path)
    except OSError:
        found.close()
        raise
    return found


class Redis:
    """A connection that sends commands and reads their replies."""

    def __init__(self, url: str, timeout: float = 5.0, users: Collection[str] = ()) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise RedisError("bad_url", f"{parts.scheme or 'nothing'} is not the scheme of a Redis address")
        self._deadline = time.monotonic() + timeout
        self.host, self.port = parts.hostname or "localhost", parts.port or 6379
        self._buffer = b""
        # What becomes of bytes in a reply that are no text.
        self.errors = "replace"
        # When the certificate that was checked becomes invalid, in seconds since 1970.
        self.certificate_ends: float | None = None
        try:
            if parts.scheme == "unix":
                self._socket: socket.socket = _local(unquote(parts.path), timeout)
            else:
                self._socket = socket.create_connection((self.host, self.port), timeout)
                if parts.scheme == "rediss":
                    self._socket = self._encrypted(self._socket, dict(parse_qsl(parts.query)))
                else:
                    # A password in clear: only for those users, on this host.
                    refuse_strangers(self._socket, users)
        except socket.gaierror as error:
            raise RedisError("dns", str(error)) from error
        except TimeoutError as error:
            raise RedisError("timeout", "no connection within the time limit") from error
        except StrangerError as error:
            self.close()
            raise RedisError("stranger", str(error)) from error
        except OSError as error:
            raise RedisError(_unreached(parts.scheme, unquote(parts.path), error), str(error)) from error
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        try:
            if password:
                self.call("AUTH", *([user] if user else []), password)
            given = dict(parse_qsl(parts.query)).get("db", "")
            database = given or (parts.path.strip("/") if parts.scheme != "unix" else "")
            if database and database != "0":
                self.call("SELECT", database)
        except BaseException:
            self.close()
            raise

    def _encrypted(self, plain: socket.socket, options: Mapping[str, str]) -> socket.socket:
        """The connection under TLS, which is loaded only for that. The address says what is checked."""
        import ssl

        try:
            context = ssl.create_default_context(cafile=options.get("ssl_ca_certs") or None)
            checked = options.get("ssl_cert_reqs", "required").lower() == "required"
            context.check_hostname = checked and _true(options.get("ssl_check_hostname", "true"))
            context.verify_mode = ssl.CERT_REQUIRED if checked else ssl.CERT_NONE
            wrapped = context.wrap_socket(plain, server_hostname=self.host)
        except (OSError, ValueError) as error:
            plain.close()
            if isinstance(error, TimeoutError):
                raise
            # What speaks no TLS ends the connection; a file that cannot be read is none of the server's.
            raise RedisError("tls", str(error)) from error
        shown = wrapped.getpeercert() or {}
        if "notAfter" in shown:
            self.certificate_ends = float(ssl.cert_time_to_seconds(str(shown["notAfter"])))
        return wrapped

    def refuse_strangers(self, users: Collection[str]) -> None:
        """Go on only where root or one of these users answers, with TLS and at a socket, too."""
        try:
            refuse_strangers(self._socket, users)
        except OSError as error:
            self.close()
            kind = "stranger" if isinstance(error, StrangerError) else "refused"
            raise RedisError(kind, str(error)) from error

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def call(self, *words: str) -> Any:
        """One command and its reply; an error reply is raised."""
        reply = self.calls([words])[0]
        if isinstance(reply, RedisError):
            raise reply
        return reply

    def calls(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Several commands in one go. Error replies stand in their places."""
        sent = b""
        for words in commands:
            sent += b"*%d\r\n" % len(words)
            for word in words:
                data = word.encode("utf-8", "surrogateescape")
                sent += b"$%d\r\n%s\r\n" % (len(data), data)
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(sent)
            return [self._reply() for _command in commands]
        except TimeoutError as error:
            raise RedisError("timeout", "no answer within the time limit") from error
        except OSError as error:
            raise self._last_words() or RedisError("closed", str(error)) from error

    def _last_words(self) -> RedisError | None:
        """Why the server closed the connection, where it has said so before it was asked."""
        try:
            said = self._reply()
        except (OSError, RedisError):
            return None
        return said if isinstance(said, RedisError) else None

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _fill(self) -> None:
        self._socket.settimeout(self._left())
        data = self._socket.recv(65536)
        if not data:
            raise RedisError("closed", "the server closed the connection")
        self._buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > 65536:
                raise RedisError("protocol", "what answers does not speak Redis")
            self._fill()
        line, _separator, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _reply(self, depth: int = 0) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        try:
            if kind == b"+":
                return rest.decode("utf-8", "replace")
            if kind == b"-":
                text = rest.decode("utf-8", "replace")
                return RedisError(
                    next((kind for start, kind in REFUSALS if text.startswith(start)), "error"), text
                )
            if kind == b":":
                return int(rest)
            if kind == b"$":
                length = int(rest)
                if length < 0:
                    return None
                if length > MOST_BULK:
                    raise RedisError("protocol", f"a reply of {length} bytes")
                while len(self._buffer) < length + 2:
                    self._fill()
                data, self._buffer = self._buffer[:length], self._buffer[length + 2 :]
                return data.decode("utf-8", self.errors)
            if kind == b"*" and depth < 8:
                length = int(rest)
                return None if length < 0 else [self._reply(depth + 1) for _item in range(length)]
        except ValueError:
            pass
        raise RedisError("protocol", "what answers does not speak Redis")


def state_of(info: str) -> dict[str, str]:
    """The answer to INFO."""
    pairs = (line.split(":", 1) for line in info.split("\n") if ":" in line)
    return {name: value.strip() for name, value in pairs}
