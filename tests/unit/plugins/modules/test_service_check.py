"""The module service_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_a_user_that_does_not_exist(run_module: Run) -> None:
    result = run_module("service_check", user="nobody-of-that-name")
    assert result["failed"] and result["state"] == "error"
    assert result["verdict"]["kind"] == "no_such_user" and result["remedy"]


def test_a_user_without_a_manager(run_module: Run) -> None:
    # The system user `daemon` has no units of its own anywhere.
    result = run_module("service_check", user="daemon", deadline=0)
    assert result["failed"] and result["verdict"]["kind"] in ("no_linger", "not_permitted")


def test_a_window_that_is_none(run_module: Run) -> None:
    assert (
        "restart_window: 'soon' is not a valid duration"
        in run_module("service_check", restart_window="soon")["msg"]
    )
