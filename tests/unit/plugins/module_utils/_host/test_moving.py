"""Directories that can be renamed, and those that have to be copied."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import moving


@pytest.mark.parametrize("copied", [False, True], ids=["renamed", "copied"])
def test_everything_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: bool) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir(mode=0o700)
    (source / "one").write_text("one")
    os.link(source / "one", source / "two")
    (source / "link").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(source)
        listener.bind("socket")
    rename = Path.rename

    def refusing(path: Path, aim: Path) -> Path:
        if path == source:
            raise OSError(errno.EXDEV, "as an overlay does")
        return rename(path, aim)

    if copied:
        monkeypatch.setattr(Path, "rename", refusing)
    monkeypatch.chdir(tmp_path)
    moving.move(source, target)
    assert not source.exists() and sorted(path.name for path in tmp_path.iterdir()) == ["target"]
    assert target.stat().st_mode & 0o777 == 0o700 and (target / "one").samefile(target / "two")
    assert (target / "link").is_symlink() and (target / "socket").is_socket()
