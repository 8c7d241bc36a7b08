"""Who is to blame when no answer comes: the gateway, the way to it, or the backend."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import gateway_probe
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.gateway_probe import (
    ANSWERS,
    DROPPED,
    REFUSED,
    SILENT,
    UNKNOWN,
    Look,
    Owner,
)

URL = "ws://127.0.0.1:18789"
Serve = Callable[[bytes | None], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A listener that answers with something, closes at once (b""), or takes connections and is silent."""
    listeners: list[socket.socket] = []

    def start(answer: bytes | None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listener.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(answer or b"")

        if answer is not None:
            threading.Thread(target=accept, daemon=True).start()
        return f"ws://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize(
    ("answer", "kind"), [(b"HTTP/1.1 404 Not Found\r\n\r\n", ANSWERS), (b"", ANSWERS), (None, SILENT)]
)
def test_whatever_comes_back_is_an_answer(serve: Serve, answer: bytes | None, kind: str) -> None:
    look = gateway_probe.look_at(serve(answer), 0.4)
    assert look.kind == kind and look.seconds < 2


def test_a_silent_gateway_is_silent_under_tls_too(serve: Serve) -> None:
    assert gateway_probe.look_at(serve(None).replace("ws:", "wss:"), 0.4).kind == SILENT
    # What speaks no TLS says so.
    assert gateway_probe.look_at(serve(b"plain text").replace("ws:", "wss:"), 1.0).kind == ANSWERS


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert gateway_probe.look_at(f"ws://127.0.0.1:{port}", 1.0).kind == REFUSED
    assert gateway_probe.look_at("ws://nowhere.invalid:1", 2.0).kind == UNKNOWN


def test_a_queue_that_is_full_drops() -> None:
    """What a firewall does to a packet, a listener does whose queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        held = []
        for _number in range(4):
            one = socket.socket()
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.1", port))
            held.append(one)
        time.sleep(0.1)
        assert gateway_probe.look_at(f"ws://127.0.0.1:{port}", 0.5).kind == DROPPED
        for one in held:
            one.close()


def test_whose_port_it_is_on_this_host(serve: Serve) -> None:
    found = gateway_probe.owner_of(serve(None), time.time())
    assert found is not None and found.pid == os.getpid() and found.age >= 0
    assert gateway_probe.owner_of("ws://192.0.2.1:18789", time.time()) is None
    assert gateway_probe.is_own("localhost") and not gateway_probe.is_own("nowhere.invalid")


def owner(state: str, age: float) -> Owner:
    return Owner(7, "node", "openclaw-gateway", state, age)


@pytest.mark.parametrize(
    ("look", "found", "kind", "says"),
    [
        (Look(ANSWERS, 0.1), None, "", ""),
        (Look(REFUSED, 0.1), None, "", ""),
        (Look(UNKNOWN, 0.1), None, "", ""),
        (Look(DROPPED, 3.5), None, "gateway_dropped", "firewall"),
        (Look(SILENT, 3.5), None, "gateway_hung", "hangs or is overloaded"),
        (Look(SILENT, 3.5), owner("T", 900), "gateway_hung", "SIGSTOP"),
        (
            Look(SILENT, 3.5),
            owner("S", 4),
            "gateway_starting",
            "just been started",
        ),
        (
            Look(SILENT, 3.5),
            owner("S", 900),
            "gateway_hung",
            "openclaw-gateway",
        ),
    ],
)
def test_what_a_connection_of_our_own_says(look: Look, found: Owner | None, kind: str, says: str) -> None:
    problem = gateway_probe.problem_of(URL, look, found)
    assert (problem.kind if problem else "") == kind
    if problem:
        assert says in problem.cause and problem.remedy
        assert "restart mission-control-backend" not in problem.remedy


def test_who_answers_others_is_not_called_hung() -> None:
    problem = gateway_probe.unanswered(URL, Look(ANSWERS, 0.02), 10.0)
    assert "does not hang" in problem.cause and "answers a connection of our own" in problem.cause
    assert "was not seen" in gateway_probe.unanswered("", None, 10.0).cause
