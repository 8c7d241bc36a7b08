# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is installed from the Python registry is what was tested, as the real pip sees it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    build_obstacles,
    files,
    pinned_packages,
)

ROOT = Path(__file__).resolve().parents[5]


def wheel(directory: Path, content: str = "") -> Path:
    """A wheel of nothing, as a registry would have it."""
    path = directory / "nothing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nothing.py", content)
        archive.writestr(
            "nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n"
        )
        archive.writestr("nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("nothing-1.0.dist-info/RECORD", "")
    return path


def install(directory: Path, program: list[str], target: str) -> subprocess.CompletedProcess[str]:
    wanted = pinned_packages.arguments([("nothing", "1.0")], directory / "wanted.txt")
    return subprocess.run(
        [
            *program,
            "--no-index",
            "--find-links",
            str(directory),
            "--target",
            str(directory / target),
            *wanted,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
UV = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--no-cache"]


@pytest.mark.parametrize("program", [PIP, UV], ids=["pip", "uv"])
def test_another_content_of_the_same_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: list[str]
) -> None:
    digest = files.file_digest(wheel(tmp_path))
    monkeypatch.setitem(pinned_packages.DIGESTS, ("nothing", "1.0"), (digest,))
    done = install(tmp_path, program, "first")
    assert done.returncode == 0, done.stderr
    wheel(tmp_path, "print('somebody else')")
    done = install(tmp_path, program, "second")
    assert done.returncode != 0
    reason = build_obstacles.explain(done.stderr.splitlines())
    assert reason.cure == build_obstacles.DAMAGED, done.stderr


def test_a_version_of_the_operators_is_asked_for_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "wanted.txt"
    assert pinned_packages.arguments([("uv", "0.13.9"), ("uv", "0.0.1")], file) == ["uv==0.13.9", "uv==0.0.1"]
    assert not file.exists()


def test_what_the_roles_install_by_default_is_pinned() -> None:
    def default(role: str, name: str) -> str:
        return str(yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())[name])

    wanted = {
        ("uv", default("backend", "backend_uv_version")),
        (pinned_packages.NODE, default("frontend", "frontend_node_version")),
        (pinned_packages.NODE, default("gateway", "gateway_node_version")),
    }
    assert wanted == set(pinned_packages.DIGESTS)
    # Of two processors, with the two C libraries each.
    assert {len(set(digests)) for digests in pinned_packages.DIGESTS.values()} == {4}
