"""What keeps a process from its work although it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import freezer, proc_files
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import unit_process

BACKEND = "/user.slice/user-1000.slice/user@1000.service/app.slice/mission-control-backend.service"


@pytest.mark.parametrize(
    ("frozen", "group", "remedy"),
    [
        ("", "", ""),
        (BACKEND, BACKEND, f"echo 0 >/sys/fs/cgroup{BACKEND}/cgroup.freeze"),
        (
            "/user.slice",
            "/user.slice",
            "systemctl thaw user.slice; echo 0 >/sys/fs/cgroup/user.slice/cgroup.freeze",
        ),
    ],
)
def test_a_process_that_is_frozen_with_its_group(
    tmp_path: Path, frozen: str, group: str, remedy: str
) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/cgroup").write_text(f"0::{BACKEND}\n")
    for place in (Path(BACKEND), *Path(BACKEND).parents[:-1]):
        directory = tmp_path / "groups" / str(place).lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "cgroup.freeze").write_text("1\n" if str(place) == frozen else "0\n")
    events = f"populated 1\nfrozen {1 if frozen else 0}\n"
    (tmp_path / "groups" / BACKEND.lstrip("/") / "cgroup.events").write_text(events)
    found = freezer.frozen_group(7, tmp_path / "proc", tmp_path / "groups")
    assert found == group
    verdict = unit_process.judge_frozen(found, 7, "demo")
    assert (verdict.remedy if verdict else "") == remedy


def test_a_process_of_which_nothing_is_told(tmp_path: Path) -> None:
    assert freezer.frozen_group(7, tmp_path, tmp_path) == ""
    assert proc_files.open_files(7, tmp_path) is None
    assert unit_process.judge_files(None, "mc", 1000).state == "skip"


def test_files_that_a_process_has_open() -> None:
    found = proc_files.open_files(os.getpid())
    assert found is not None and 0 < found[0] < found[1]


@pytest.mark.parametrize(
    ("used", "most", "state", "says"),
    [
        (20, 1024, "pass", ""),
        (15, 20, "fail", "systemctl restart user@1000.service"),
        (1000, 1024, "fail", "raise LimitNOFILE"),
    ],
)
def test_how_many_it_may_have(used: int, most: int, state: str, says: str) -> None:
    verdict = unit_process.judge_files((used, most), "mc", 1000)
    assert verdict.state == state and says in verdict.remedy
    assert verdict.kind == ("files_limit" if says else "")
