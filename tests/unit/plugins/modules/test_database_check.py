"""The module database_check, run as Ansible runs it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_nobody_listens(run_module: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    secret = "database-password-0123456789"
    result = run_module(
        "database_check", database_url=f"postgresql+psycopg://mc:{secret}@127.0.0.1:{port}/mc"
    )
    assert result["failed"] and result["verdict"]["kind"] == "database_down"
    assert "systemctl start postgresql" in result["remedy"]
    assert secret not in str(result)


def test_no_address(run_module: Run) -> None:
    result = run_module("database_check", env_file="/nonexistent/.env")
    assert result["state"] == "error" and result["verdict"]["kind"] == "no_database_url"
