# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where sandbox hosts are impossible, one message says why and names the alternative."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_hosts import requirements

ALL = (1 << 41) - 1
ALTERNATIVE = "inventory/example"


def test_nothing_is_in_the_way_of_root_on_linux() -> None:
    assert requirements.obstacle("linux", 0, ALL, []) is None


@pytest.mark.parametrize(
    ("platform", "uid", "effective", "packages", "reason"),
    [
        ("darwin", -1, 0, [], "need Linux; this is darwin"),
        ("linux", 1000, ALL, [], "need root (user id 0, this is 1000)"),
        ("linux", 0, ALL & ~(1 << 21), [], "CAP_SYS_ADMIN"),
        ("linux", 0, ALL & ~(1 << 12), [], "CAP_NET_ADMIN"),
        (
            "linux",
            0,
            ALL,
            ["mmdebstrap", "systemd-container"],
            "apt-get install --no-install-recommends mmdebstrap",
        ),
    ],
)
def test_an_obstacle_is_named_with_the_alternative(
    platform: str, uid: int, effective: int, packages: list[str], reason: str
) -> None:
    message = requirements.obstacle(platform, uid, effective, packages)
    assert message is not None
    assert reason in message
    assert ALTERNATIVE in message
    assert "\n" not in message


def test_missing_commands_are_missing_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "search_path", lambda: str(tmp_path))
    assert requirements.missing_packages() == sorted(set(requirements.PACKAGES.values()))
    for name in requirements.PACKAGES:
        (tmp_path / name).touch(mode=0o755)
    assert requirements.missing_packages() == []


@pytest.fixture
def public_directory() -> Iterator[Path]:
    """A directory every user can read, which pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_another_user_is_told_and_nothing_is_made(cli: Path, public_directory: Path) -> None:
    copy = public_directory / "molecule" / "shared"
    shutil.copytree(cli.parent, copy)
    done = subprocess.run(
        ["/usr/bin/python3", copy / "sandbox.py", "create", "web"],
        capture_output=True,
        text=True,
        check=False,
        user=65534,
        group=65534,
        cwd="/",
    )
    assert done.returncode == 1
    assert done.stderr.startswith("sandbox: Sandbox hosts need root (user id 0, this is 65534)")
    assert ALTERNATIVE in done.stderr
    assert not (public_directory / ".cache").exists()
