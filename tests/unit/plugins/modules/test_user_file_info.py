# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Root reads for a user what that user may read, and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def file() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="mission-control-test-"))
    os.chown(directory, 65534, 65534)
    yield directory / ".env"
    shutil.rmtree(directory)


def read(run_module: Run, file: Path) -> dict[str, Any]:
    started = time.monotonic()
    result = run_module("user_file_info", check_mode=True, user="nobody", path=str(file))
    assert time.monotonic() - started < 5
    return result


def test_text_or_nothing(run_module: Run, file: Path) -> None:
    assert read(run_module, file)["exists"] is False
    file.write_text("LOG_LEVEL=INFO\n")
    assert read(run_module, file)["text"] == "LOG_LEVEL=INFO\n"


def test_a_link_to_what_is_roots_is_not_followed_with_roots_rights(
    run_module: Run, file: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "secret"
    victim.write_text("SECRET-OF-ROOT")
    victim.chmod(0o600)
    file.symlink_to(victim)
    result = read(run_module, file)
    assert result["failed"] is True and "SECRET-OF-ROOT" not in str(result)
    assert "Permission denied" in result["msg"]


@pytest.mark.parametrize("obstacle", ["fifo", "device", "directory", "large"])
def test_what_is_no_plain_file_hangs_nobody(run_module: Run, file: Path, obstacle: str) -> None:
    if obstacle == "fifo":
        os.mkfifo(file, 0o666)
    elif obstacle == "device":
        file.symlink_to("/dev/zero")
    elif obstacle == "directory":
        file.mkdir()
    else:
        with file.open("wb") as out:
            out.truncate(10_000_000_000)
    result = read(run_module, file)
    assert result["failed"] is True and f"{file} of the user nobody is not read" in result["msg"]
