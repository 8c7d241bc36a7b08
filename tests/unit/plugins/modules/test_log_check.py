"""The module log_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_an_expression_that_is_none(run_module: Run) -> None:
    result = run_module("log_check", patterns=["("])
    assert result["failed"] and result["verdict"]["kind"] == "bad_option"


def test_a_time_that_is_none(run_module: Run) -> None:
    assert "since: 'soon' is neither a duration nor a time" in run_module("log_check", since="soon")["msg"]


def test_a_user_that_does_not_exist(run_module: Run) -> None:
    result = run_module("log_check", user="nobody-of-that-name")
    assert result["failed"] and result["verdict"]["kind"] == "no_such_user"
