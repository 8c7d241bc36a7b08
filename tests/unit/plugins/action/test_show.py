"""The action `show`: on the terminal whatever the callback, or into a private file."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.action import show

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - openclaw.mission_control.show:
        text: "{text}"
        path: "{{{{ path | default(omit) }}}}"
      register: shown
    - ansible.builtin.assert:
        that: shown.lines == 2
"""


def play(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "play.yml").write_text(PLAY.format(text="one\\n  two {{ 'x' * 3 }}\\n"))
    return subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin:" + str(Path(__import__("sys").executable).parent),
            "HOME": str(tmp_path),
        },
    )


def test_on_the_terminal(tmp_path: Path) -> None:
    done = play(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "\none\n  two xxx\n" in done.stdout


def test_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    done = play(tmp_path, "-e", f"path={path}")
    assert done.returncode == 0, done.stdout
    assert path.read_text() == "one\n  two xxx\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "changed=1" in done.stdout and "\none\n" not in done.stdout
    assert "changed=0" in play(tmp_path, "-e", f"path={path}").stdout
    path.chmod(0o644)
    assert "changed=1" in play(tmp_path, "-e", f"path={path}").stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    done = play(tmp_path, "--check", "-e", f"path={tmp_path}/out.txt")
    assert done.returncode == 0 and not (tmp_path / "out.txt").exists()
    assert "Would write 2 lines" in done.stdout


@pytest.mark.parametrize("path", ["nowhere/out.txt", "."])
def test_a_file_that_cannot_be_written(tmp_path: Path, path: str) -> None:
    done = play(tmp_path, "-e", f"path={tmp_path}/{path}")
    assert done.returncode != 0
    assert "does not exist" in done.stdout + done.stderr or "is a directory" in done.stdout + done.stderr


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        show.write(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_nothing_moves_the_cursor(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY.format(text="a\\x1b]0;owned\\x07b\\n\\u009b31m\\u202ec\\n"))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin:" + str(Path(__import__("sys").executable).parent),
            "HOME": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stdout
    assert "owned" in done.stdout and not any(letter in done.stdout for letter in "\x1b\x07\x9b\u202e")
