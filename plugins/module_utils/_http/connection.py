# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections of urllib3, with their phases measured, and cut off at a deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Collection
from typing import Any

from .._host.answering import refuse_strangers


class Trace:
    """What happens to one request while `requests` has it: phases, the socket to cut, the first error."""

    def __init__(self, deadline: float, users: Collection[str] = ()) -> None:
        self.deadline = deadline
        # Who may be told what this request tells; anybody where it tells no secret.
        self.users = users
        self.started = time.monotonic()
        self.timings: dict[str, float] = {}
        self.socket: Any = None
        self.error: BaseException | None = None
        self.expired = False
        self.reused = True
        self.phase = "request"
        self.certificate: dict[str, Any] | None = None

    def left(self) -> float:
        return max(0.001, self.deadline - time.monotonic())

    def cut(self) -> None:
        """End the request at its deadline, however slowly its bytes drip in."""
        self.expired = True
        if self.socket is not None:
            # The plain socket's method: that of a TLS socket would pull the rug from under a reader.
            with contextlib.suppress(OSError, TypeError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


current = threading.local()


class Timed:
    """Mixed into urllib3's connections: measures resolving, connecting and TLS apart."""

    host: str
    port: int
    sock: Any
    # The connection that was found to lead to the right user.
    _known: Any = None

    def _new_conn(self) -> socket.socket:
        trace: Trace = current.trace
        trace.reused = False
        started = time.monotonic()
        trace.phase = "resolve"
        host = str(getattr(self, "_dns_host", self.host)).strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            trace.error = error
            raise OSError(str(error)) from error
        resolved = time.monotonic()
        trace.timings["resolve"] = (resolved - started) * 1000
        trace.phase = "connect"
        last: OSError = OSError(f"no address for {host}")
        for family, kind, protocol, _name, address in found:
            trial = socket.socket(family, kind, protocol)
            trace.socket = trial
            try:
                trial.settimeout(trace.left())
                trial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                trial.connect(address)
            except OSError as error:
                trial.close()
                last = error
                if trace.expired:
                    break
                continue
            trace.timings["connect"] = (time.monotonic() - resolved) * 1000
            trace.phase = "tls"
            return trial
        trace.error = last
        raise last

    def connect(self) -> None:
        trace: Trace = current.trace
        try:
            super().connect()  # type: ignore[misc]
        except BaseException as error:
            trace.error = trace.error or error
            raise
        trace.socket = self.sock
        # Only a TLS socket knows of certificates.
        if hasattr(self.sock, "getpeercert"):
            before = trace.timings.get("resolve", 0) + trace.timings.get("connect", 0)
            trace.timings["tls"] = (time.monotonic() - trace.started) * 1000 - before
            trace.certificate = dict(self.sock.getpeercert() or {})
        trace.phase = "request"

    def putrequest(self, *arguments: Any, **keywords: Any) -> Any:
        trace: Trace = current.trace
        if self.sock is not None:
            trace.socket = self.sock
        return super().putrequest(*arguments, **keywords)  # type: ignore[misc]

    def endheaders(self, *arguments: Any, **keywords: Any) -> Any:
        """What was said so far has not been sent yet."""
        trace: Trace = current.trace
        if trace.users and self.sock is None:
            self.connect()
        # A certificate says better who answers.
        if trace.users and self._known is not self.sock and not hasattr(self.sock, "getpeercert"):
            try:
                refuse_strangers(self.sock, trace.users)
            except OSError as error:
                trace.error = error
                raise
            self._known = self.sock
        return super().endheaders(*arguments, **keywords)  # type: ignore[misc]
