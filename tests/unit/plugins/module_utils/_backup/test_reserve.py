"""How much of a disk a user's data may take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import reserve
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

GIB = 1 << 30


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize(
    ("total", "free", "enough", "too_little"),
    [
        (200 * GIB, 60 * GIB, 5 * GIB, 5 * GIB - 1),
        (20 * GIB, 10 * GIB, GIB, GIB - 1),
        # It has come to its reserve before this run.
        (20 * GIB, GIB // 2, GIB // 4, GIB // 4 - 1),
        (20 * GIB, GIB // 16, GIB // 32, GIB // 32 - 1),
    ],
)
def test_a_disk_keeps_its_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, enough: int, too_little: int
) -> None:
    found = [free]
    asked: list[Path] = []

    def usage(path: Any) -> Disk:
        asked.append(path)
        return Disk(total, total - found[0], found[0])

    monkeypatch.setattr(shutil, "disk_usage", usage)
    watch = reserve.keeping_reserve(tmp_path / "not/there/yet")
    found[0] = enough
    watch()
    found[0] = too_little
    with pytest.raises(DeploymentError, match="no more is written there") as told:
        watch()
    assert told.value.kind == "no_room" and set(asked) == {tmp_path}
