# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module adoption as this process runs it; what it does on a host is in the scenario adoption."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ME = pwd.getpwuid(os.geteuid()).pw_name
RunModule = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("state", ["read", "taken", "restored"])
@pytest.mark.parametrize("user", [ME, "nobody-of-this-name"])
def test_where_nothing_is_nothing_happens(
    run_module: RunModule, tmp_path: Path, state: str, user: str
) -> None:
    answer = run_module("adoption", state=state, user=user, root=str(tmp_path / "root"))
    assert answer["changed"] is False and answer["found"] is False
    assert list(tmp_path.iterdir()) == []
