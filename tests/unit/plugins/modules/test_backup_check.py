"""The module backup_check, run as Ansible runs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

Run = Callable[..., dict[str, Any]]


def test_a_host_that_makes_none(run_module: Run) -> None:
    result = run_module("backup_check")
    if os.geteuid() == 0:
        assert result["verdict"]["kind"] == "backup_off" and result["remedy"]
    else:
        assert result["verdict"]["state"] == "skip"


def test_a_range_that_is_none(run_module: Run) -> None:
    assert "age_warning" in run_module("backup_check", age_warning="soon")["msg"]
