# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel is told while there are hosts, and no longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox_hosts import kernel
from sandbox_hosts.common import SandboxError


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernel, "RUNTIME", tmp_path / "run")
    return tmp_path / "run"


def test_what_is_too_little_is_raised_and_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kernel, "PROC", tmp_path)
    (tmp_path / "fs").mkdir()
    (tmp_path / "fs/few").write_text("128\n")
    (tmp_path / "fs/many").write_text("2048\n")
    settings = tuple(
        kernel.Setting(f"fs.{name}", 1024, "so it is", required=True) for name in ("few", "many")
    )
    for _ in range(2):
        kernel.set_up(settings)
        assert [int((tmp_path / "fs" / name).read_text()) for name in ("few", "many")] == [1024, 2048]
    said = capsys.readouterr().err
    assert said == "sandbox: fs.few is 1024 instead of 128 while there are hosts: so it is\n"
    for _ in range(2):
        kernel.put_back(settings)
        assert [int((tmp_path / "fs" / name).read_text()) for name in ("few", "many")] == [128, 2048]


@pytest.mark.parametrize("required", [True, False])
def test_what_cannot_be_raised_is_told_with_the_remedy(
    runtime: Path, required: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """A setting that nobody can change."""
    setting = kernel.Setting("kernel.ngroups_max", 1 << 30, "so it is", required=required)
    if required:
        with pytest.raises(SandboxError, match=r"sysctl kernel\.ngroups_max=1073741824"):
            kernel.set_up((setting,))
    else:
        kernel.set_up((setting,))
        assert "cannot be set here (Permission denied); so it is. " in capsys.readouterr().err
    kernel.put_back((setting,))
    assert list(runtime.iterdir()) == []
