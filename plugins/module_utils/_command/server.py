# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict over HTTP, for monitoring that asks an address.

It is found when somebody asks and kept for some seconds; whoever asks meanwhile waits for the same look.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .._verify.reports.names import FORMATS
from .._verify.standalone import HEALTHY, exit_status, show

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "junit": "application/xml",
    "markdown": "text/markdown; charset=utf-8",
    # https://prometheus.io/docs/instrumenting/exposition_formats/
    "prometheus": "text/plain; version=0.0.4; charset=utf-8",
}
# Connections at the same time, and seconds for a request to come and for its answer to be taken.
MOST_CONNECTIONS = 32
REQUEST_SECONDS = 10.0
PLAIN = "text/plain; charset=utf-8"
# What a request's Accept header names, and the format that is meant.
ACCEPTED = {
    "text/html": "html",
    "application/json": "json",
    "application/xml": "junit",
    "text/markdown": "markdown",
}


class Cache:
    """The last report, and its age in seconds."""

    def __init__(
        self, look: Callable[[], dict[str, Any]], seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look, self._seconds, self._clock = look, seconds, clock
        self._lock = threading.Lock()
        self._report: dict[str, Any] | None = None
        self._at = 0.0

    def get(self) -> tuple[dict[str, Any], float]:
        with self._lock:
            if self._report is None or self._clock() - self._at >= self._seconds:
                self._report = self._look()
                self._at = self._clock()
            return self._report, self._clock() - self._at


def format_of(path: str, accept: str) -> str | None:
    """The format that a request asks for by its path, query or Accept header; None for another path."""
    address = urlsplit(path)
    if address.path == "/metrics":
        return "prometheus"
    if address.path != "/":
        return None
    named = parse_qs(address.query).get("format", [""])[-1]
    if named:
        return named if named in FORMATS else None
    for part in accept.split(","):
        media = part.split(";")[0].strip()
        if media in ACCEPTED:
            return ACCEPTED[media]
    return "table"


def reply(cache: Cache, name: str, path: str, accept: str) -> tuple[HTTPStatus, dict[str, str], str]:
    """Status, headers and text for a request."""
    headers = {"Content-Type": PLAIN}
    wanted = format_of(path, accept)
    if wanted is None:
        text = f"There are / and /metrics, and /?format= one of {', '.join(FORMATS)}.\n"
        return HTTPStatus.NOT_FOUND, headers, text
    try:
        report, age = cache.get()
    except Exception as error:
        # Whoever asks has to hear of it: a connection that just ends says nothing.
        return HTTPStatus.INTERNAL_SERVER_ERROR, headers, f"The checks could not be run: {error}.\n"
    headers = {
        "Content-Type": CONTENT_TYPES.get(wanted, PLAIN),
        "Age": f"{age:.0f}",
        "Cache-Control": "no-store",
        "Vary": "Accept",
    }
    # Without 200 a scrape would lose the very figures that tell what is wrong.
    well = wanted == "prometheus" or exit_status(report) == HEALTHY
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, headers, show(report, wanted, name=name, colour=False, verbose=False)


def is_ours(host: str, names: Collection[str]) -> bool:
    """Whether a request's Host names this server.

    A page in somebody's browser can have its own name lead here, and would then read the report.
    """
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in names
    return True


def handler(cache: Cache, name: str, names: Collection[str]) -> type[BaseHTTPRequestHandler]:
    """What answers one connection."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "mission-control"
        sys_version = ""
        protocol_version = "HTTP/1.1"
        # Seconds that a client may be silent.
        timeout = 10
        _watch: threading.Timer | None = None

        def _begin(self) -> None:
            """However slowly its bytes drip in or are taken, a request does not hold a thread for longer."""
            self._end()
            self._watch = threading.Timer(REQUEST_SECONDS, self._cut)
            self._watch.daemon = True
            self._watch.start()

        def _end(self) -> None:
            if self._watch is not None:
                self._watch.cancel()

        def _cut(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def handle_one_request(self) -> None:
            self._begin()
            try:
                super().handle_one_request()
            finally:
                self._end()

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            # The look may take longer than a request.
            self._end()
            if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
                # A body is not read: what follows is no request.
                self.close_connection = True
            if is_ours(self.headers.get("Host") or "127.0.0.1", names):
                status, headers, text = reply(cache, name, self.path, self.headers.get("Accept", ""))
            else:
                status, headers = HTTPStatus.MISDIRECTED_REQUEST, {"Content-Type": PLAIN}
                text = "This is another host. Name it by its address, or start serve with --name.\n"
            if self.close_connection:
                headers = {**headers, "Connection": "close"}
            headers = {**headers, "X-Content-Type-Options": "nosniff"}
            content = text.encode()
            self._begin()
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(header, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: who asks every few seconds would fill the journal."""

    return Handler


def bind(
    address: tuple[str, int], cache: Cache, name: str, names: Collection[str] = ()
) -> ThreadingHTTPServer:
    """A server that listens, also under further `names`; OSError where it can't."""
    known = {"localhost", name.lower(), socket.gethostname().lower(), *(one.lower() for one in names)}
    known.add(address[0].lower())

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        daemon_threads = True
        free = threading.BoundedSemaphore(MOST_CONNECTIONS)

        def process_request(self, request: Any, client_address: Any) -> None:
            """In a thread of its own, unless there are enough of them: then the client is sent away."""
            if not self.free.acquire(blocking=False):
                with contextlib.suppress(OSError):
                    request.settimeout(1)
                    request.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self.shutdown_request(request)
                return
            try:
                super().process_request(request, client_address)
            except BaseException:
                self.free.release()
                raise

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.free.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no error of ours."""
            with contextlib.suppress(OSError):
                request.close()

    return Server(address, handler(cache, name, known))
