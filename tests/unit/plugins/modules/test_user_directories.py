# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mission-control-test-", dir="/var/lib"))
    path.chmod(0o755)
    yield path / "application"
    shutil.rmtree(path)


def arguments(root: Path) -> dict[str, Any]:
    return {
        "user": "nobody",
        "root": str(root),
        "directories": [{"path": f"{root}/releases"}, {"path": f"{root}/shared/backups", "mode": "0700"}],
    }


def test_check_mode_and_diff_tell_what_a_run_makes(run_module: Run, root: Path) -> None:
    predicted = run_module("user_directories", check_mode=True, diff=True, **arguments(root))
    assert predicted["changed"] is True and not root.exists()
    assert f"{root}/shared/backups/\n" in predicted["diff"]["after"]
    done = run_module("user_directories", diff=True, **arguments(root))
    assert done["created"] == predicted["created"] and done["diff"] == predicted["diff"]
    again = run_module("user_directories", **arguments(root))
    assert again["changed"] is False and again["created"] == []


def test_the_message_of_a_link_is_one(run_module: Run, root: Path) -> None:
    run_module("user_directories", **arguments(root))
    (root / "shared/backups").rmdir()
    (root / "shared/backups").symlink_to("/etc")
    os.lchown(root / "shared/backups", 65534, 65534)
    result = run_module("user_directories", **arguments(root))
    assert result["failed"] is True and result["kind"] == "link"
    assert "shared/backups is a link (to '/etc') that nobody made" in result["msg"]
    assert Path("/etc").stat().st_uid == 0


def test_the_user_may_come_later_in_check_mode_only(run_module: Run, root: Path) -> None:
    wanted = {**arguments(root), "user": "not-there-yet"}
    assert run_module("user_directories", check_mode=True, **wanted)["changed"] is True
    result = run_module("user_directories", **wanted)
    assert result["failed"] is True and "There is no user not-there-yet" in result["msg"]


def test_a_mode_is_octal(run_module: Run, root: Path) -> None:
    wanted = {**arguments(root), "directories": [{"path": f"{root}/releases", "mode": "u=rwx"}]}
    result = run_module("user_directories", **wanted)
    assert result["failed"] is True and "u=rwx" in result["msg"] and "0755" in result["msg"]
