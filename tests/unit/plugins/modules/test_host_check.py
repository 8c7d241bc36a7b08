"""The module host_check, run as Ansible runs it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_this_host_and_a_port_that_nobody_has(run_module: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        arguments = {
            "paths": ["/"],
            "sandbox_units": [],
            "strangers": False,
            "disk_critical": "",
            "disk_warning": "",
        }
        here = run_module("host_check", ports=[{"port": port, "bind": "loopback"}], **arguments)
    assert here["state"] in ("pass", "warn")
    gone = run_module("host_check", ports=[{"port": port}], **arguments)
    assert gone["failed"] and gone["root_causes"][0]["kind"] == "port_closed"
    assert gone["verdict"]["checks"][1]["measures"][0]["value"] > 0
