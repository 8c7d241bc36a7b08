"""The module front_door_check, run as Ansible runs it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_without_tls_there_is_nothing_to_look_at(run_module: Run) -> None:
    result = run_module("front_door_check", public_url="http://127.0.0.1:1")
    assert result["state"] == "skip"
    assert (
        "not an https address" in result["verdict"]["checks"][0]["summary"]
        if result["verdict"]["checks"]
        else result["verdict"]["summary"]
    )


def test_a_door_that_is_closed_is_told_with_what_can_be_reached_past_it(run_module: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed, socket.create_server(("127.0.0.1", 0)) as past:
        port = closed.getsockname()[1]
        closed.close()
        result = run_module(
            "front_door_check",
            public_url=f"https://127.0.0.1:{port}",
            http_url=f"http://127.0.0.1:{port}",
            direct=[f"http://127.0.0.1:{past.getsockname()[1]}"],
        )
    kinds = {part["name"]: part["kind"] for part in result["verdict"]["checks"]}
    assert kinds == {
        "certificate": "door_closed",
        "redirect": "door_no_redirect",
        "past the door": "door_bypassed",
    }
    assert result["failed"] and "systemctl restart mission-control-proxy" in result["remedy"]
