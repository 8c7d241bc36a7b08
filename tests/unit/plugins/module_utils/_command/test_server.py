"""The verdict over HTTP: what is asked for, how often is looked, what the status says."""

from __future__ import annotations

import argparse
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.main import endpoint
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.server import (
    Cache,
    bind,
    format_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.common_options import COMMON
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.option_model import defaults
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
    with bind(("127.0.0.1", 0), Cache(looks, 3600), "host") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
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

    with bind(("127.0.0.1", 0), Cache(broken, 5), "host") as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        status, _, text = ask(server.server_address[1], "/")
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
