# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The little of the Redis protocol that a check needs, so that the host needs no client library."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

MOST_BULK = 16 * 1024 * 1024


class RedisError(Exception):
    """The server refused a command, or does not speak Redis. `kind`: refused, dns, auth, protocol, ..."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Redis:
    """A connection that sends commands and reads their replies."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("redis", "rediss", "unix"):
            raise RedisError("bad_url", f"{parts.scheme or 'nothing'} is no Redis address")
        self._deadline = time.monotonic() + timeout
        self.host, self.port = parts.hostname or "localhost", parts.port or 6379
        self._buffer = b""
        try:
            if parts.scheme == "unix":
                self._socket: socket.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(timeout)
                self._socket.connect(parts.path)
            else:
                self._socket = socket.create_connection((self.host, self.port), timeout)
                if parts.scheme == "rediss":
                    self._socket = self._encrypted(self._socket)
        except socket.gaierror as error:
            raise RedisError("dns", str(error)) from error
        except TimeoutError as error:
            raise RedisError("timeout", "no connection within the time limit") from error
        except OSError as error:
            raise RedisError("refused", str(error)) from error
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        try:
            if password:
                self.call("AUTH", *([user] if user else []), password)
            database = parts.path.strip("/") if parts.scheme != "unix" else ""
            if database and database != "0":
                self.call("SELECT", database)
        except BaseException:
            self.close()
            raise

    def _encrypted(self, plain: socket.socket) -> socket.socket:
        """The connection under TLS, which is loaded only for that."""
        import ssl

        try:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLError as error:
            raise RedisError("tls", str(error)) from error

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
                data = word.encode()
                sent += b"$%d\r\n%s\r\n" % (len(data), data)
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(sent)
            return [self._reply() for _command in commands]
        except TimeoutError as error:
            raise RedisError("timeout", "no answer within the time limit") from error
        except OSError as error:
            raise RedisError("closed", str(error)) from error

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
                auth = text.startswith(("NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password"))
                return RedisError("auth" if auth else "error", text)
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
                return data.decode("utf-8", "replace")
            if kind == b"*" and depth < 8:
                length = int(rest)
                return None if length < 0 else [self._reply(depth + 1) for _item in range(length)]
        except ValueError:
            pass
        raise RedisError("protocol", "what answers does not speak Redis")
