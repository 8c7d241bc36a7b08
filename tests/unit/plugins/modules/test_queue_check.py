"""The module queue_check, run as Ansible runs it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_nobody_listens(run_module: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    secret = "redis-password-0123456789"
    result = run_module("queue_check", redis_url=f"redis://:{secret}@127.0.0.1:{port}/0")
    assert result["failed"] and result["verdict"]["kind"] == "redis_down"
    assert secret not in str(result)
