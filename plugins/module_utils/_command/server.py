# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The verdict over HTTP, for monitoring that asks an address.

It is found when somebody asks and kept for some seconds; whoever asks meanwhile waits for the same look.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
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


def handler(cache: Cache, name: str) -> type[BaseHTTPRequestHandler]:
    """What answers one connection."""

    class Handler(BaseHTTPRequestHandler):
        server_version = "mission-control"
        sys_version = ""
        protocol_version = "HTTP/1.1"
        # Seconds that a client may be silent.
        timeout = 10

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def _answer(self, *, body: bool) -> None:
            accept = self.headers.get("Accept", "")
            status, headers, text = reply(cache, name, self.path, accept)
            content = text.encode()
            self.send_response(status)
            for header, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(header, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: who asks every few seconds would fill the journal."""

    return Handler


def bind(address: tuple[str, int], cache: Cache, name: str) -> ThreadingHTTPServer:
    """A server that listens; OSError where it can't."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no error of ours."""
            with contextlib.suppress(OSError):
                request.close()

    return Server(address, handler(cache, name))
