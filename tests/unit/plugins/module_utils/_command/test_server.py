"""The verdict over HTTP: what is asked for, how often is looked, what the status says."""

from __future__ import annotations

import argparse
import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import server
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.main import endpoint
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.server import (
    Cache,
    bind,
    format_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.common_options import COMMON
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import defaults
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.suite import run_suite
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict


class Looks:
    """Reports with one check, of the state that is set; counts how often it is asked."""

    def __init__(self) -> None:
        self.count = 0
        self.state = "pass"
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(self) -> dict[str, Any]:
        self.count += 1
        assert self.may_end.wait(10)
        verdict = Verdict("health", self.state, "it was looked at")
        return run_suite({"health": lambda *_: verdict}, defaults(COMMON), check_options={"health": {}})


@pytest.fixture
def looks() -> Looks:
    return Looks()


@pytest.fixture
def port(looks: Looks) -> Iterator[int]:
    with bind(("127.0.0.1", 0), Cache(looks, 3600), "host") as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving.server_address[1]
        serving.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET", accept: str = "*/*") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers={"Accept": accept})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers["Content-Type"], text


@pytest.mark.parametrize(
    ("path", "accept", "kind", "holds"),
    [
        ("/", "*/*", "text/plain; charset=utf-8", "PASS"),
        ("/", "text/html,application/xhtml+xml", "text/html; charset=utf-8", "<!DOCTYPE html>"),
        ("/?format=nagios", "*/*", "text/plain; charset=utf-8", "OK"),
        ("/?format=junit", "text/html", "application/xml", "<testsuite"),
        ("/metrics", "text/html", "text/plain; version=0.0.4; charset=utf-8", "# TYPE"),
    ],
)
def test_formats(port: int, path: str, accept: str, kind: str, holds: str) -> None:
    status, content_type, text = ask(port, path, accept=accept)
    assert (status, content_type) == (200, kind)
    assert holds in text


def test_what_is_broken_is_unavailable_but_can_be_scraped(port: int, looks: Looks) -> None:
    looks.state = "fail"
    status, _, text = ask(port, "/", accept="application/json")
    assert status == 503 and json.loads(text)["state"] == "fail"
    assert ask(port, "/metrics")[0] == 200


def test_a_look_that_is_impossible() -> None:
    """An error of ours is neither a verdict nor silence."""

    def broken() -> dict[str, Any]:
        raise RuntimeError("no threads left")

    with bind(("127.0.0.1", 0), Cache(broken, 5), "host") as serving:
        thread = threading.Thread(target=serving.handle_request)
        thread.start()
        status, _, text = ask(serving.server_address[1], "/")
        thread.join()
    assert status == 500 and text == "The checks could not be run: no threads left.\n"


def test_head_has_the_status_and_no_body(port: int) -> None:
    assert ask(port, "/", "HEAD")[::2] == (200, "")


@pytest.mark.parametrize("path", ["/other", "/?format=pdf"])
def test_what_there_is_not(port: int, looks: Looks, path: str) -> None:
    status, _, text = ask(port, path)
    assert status == 404 and "/metrics" in text
    assert looks.count == 0


def test_who_asks_meanwhile_waits_for_the_same_look(port: int, looks: Looks) -> None:
    looks.may_end.clear()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(port, "/")[0])) for _ in range(8)]
    for thread in threads:
        thread.start()
    looks.may_end.set()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8 and looks.count == 1


def test_a_verdict_grows_old(looks: Looks) -> None:
    now = [0.0]
    cache = Cache(looks, 5, clock=lambda: now[0])
    cache.get()
    now[0] = 4.0
    assert cache.get()[1] == 4.0 and looks.count == 1
    now[0] = 5.0
    assert cache.get()[1] == 0.0 and looks.count == 2


def test_a_path_is_a_format_of_its_own() -> None:
    assert format_of("/", "application/json;q=0.9") == "json"
    assert format_of("/metrics/", "") is None


@pytest.mark.parametrize(
    ("text", "found"), [("127.0.0.1:9180", ("127.0.0.1", 9180)), ("[::1]:80", ("::1", 80))]
)
def test_endpoints(text: str, found: tuple[str, int]) -> None:
    assert endpoint(text) == found


@pytest.mark.parametrize("text", ["9180", ":9180", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:http"])
def test_no_endpoints(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="ADDRESS:PORT"):
        endpoint(text)


# -- clients that mean no good ----------------------------------------------------------------------


def raw(port: int, request: bytes, *, until: float = 5.0) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=until) as client:
        client.sendall(request)
        said = b""
        while True:
            try:
                part = client.recv(65536)
            except (TimeoutError, ConnectionResetError):
                return said
            if not part:
                return said
            said += part


def test_a_body_is_no_second_request(port: int) -> None:
    inner = b"GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(inner)
    chunked = b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for request in (head + inner, chunked + inner):
        said = raw(port, request)
        assert said.count(b"HTTP/1.1 ") == 1 and said.startswith(b"HTTP/1.1 200")
        assert b"Connection: close" in said


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:9180", 200),
        ("127.0.0.1", 200),
        ("[::1]:9180", 200),
        ("10.1.2.3:80", 200),
        ("host", 200),
        ("", 200),
        ("evil.example", 421),
        ("localhost.evil.example:9180", 421),
    ],
)
def test_only_its_own_names(port: int, host: str, status: int, looks: Looks) -> None:
    line = f"Host: {host}\r\n" if host else ""
    said = raw(port, f"GET / HTTP/1.0\r\n{line}\r\n".encode())
    assert int(said.split()[1]) == status
    assert b"X-Content-Type-Options: nosniff" in said
    assert (b"it was looked at" in said) is (status == 200)
    assert looks.count == (1 if status == 200 else 0)


def test_slow_clients_hold_no_thread_for_long(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        started, ended = time.monotonic(), False
        while not ended and time.monotonic() - started < 8:
            try:
                slow.sendall(b"X: y\r\n")
                ended = select.select([slow], [], [], 0.1)[0] != [] and slow.recv(100) == b""
            except OSError:
                ended = True
        assert ended and time.monotonic() - started < 5


def test_so_many_connections_and_no_more(port: int) -> None:
    before = threading.active_count()
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(server.MOST_CONNECTIONS)]
    try:
        assert raw(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 503")
        # Each has a thread and what watches over it.
        assert threading.active_count() - before <= 2 * server.MOST_CONNECTIONS + 1
    finally:
        for client in held:
            client.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if raw(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200"):
            return
    raise AssertionError("connections that were closed are not given back")
