"""What is packed, and that the committed tree names no download host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from support import ROOT

NEEDED = {
    "README.md",
    "backend/alembic.ini",
    "backend/app/main.py",
    "backend/migrations/env.py",
    "backend/pyproject.toml",
    "backend/uv.lock",
    "frontend/package-lock.json",
    "frontend/package.json",
    "frontend/src/app/page.tsx",
    "scripts/rq",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy to change, with the lock file that this run was installed from."""
    target = tmp_path / "application"
    shutil.copytree(
        ROOT, target, ignore=shutil.ignore_patterns("node_modules", ".next", "__pycache__", "tests")
    )
    return target


def pack(application: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(application / "pack.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/nonexistent", "HOME": os.environ["HOME"]},
    )


def test_a_directory(copy: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "packed"
    (copy / "backend" / ".env").write_text("SECRET=1")
    (copy / "frontend" / "node_modules").mkdir()
    (copy / "frontend" / "node_modules" / "x.js").write_text("x")
    first = pack(copy, str(output))
    assert (first.returncode, first.stdout) == (0, f"packed {output}\n"), first.stderr
    files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    assert files >= NEEDED
    assert not [name for name in files if ".env" in name.split("/") or "node_modules" in name]
    assert os.access(output / "scripts" / "rq", os.X_OK)

    assert pack(copy, str(output)).stdout == f"unchanged {output}\n"
    (copy / "backend" / "app" / "main.py").unlink()
    assert pack(copy, str(output)).stdout == f"packed {output}\n"
    assert not (output / "backend" / "app" / "main.py").exists()


def test_an_archive_has_the_same_bytes_each_time(copy: Path, tmp_path: Path) -> None:
    outputs = [tmp_path / name / "application.tar.gz" for name in ("one", "two")]
    for output in outputs:
        done = pack(copy, str(output))
        assert done.stdout.startswith(f"packed {output} sha256:"), done.stderr
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    with tarfile.open(outputs[0]) as archive:
        names = {member.name.removeprefix("reference-application/") for member in archive}
        assert archive.getmember("reference-application/scripts/rq").mode == 0o755
    assert names >= NEEDED


def test_it_does_not_overwrite_what_it_did_not_make(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    done = pack(copy, str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "was not made by this program" in done.stderr
    assert (tmp_path / "mine" / "file").exists()


@pytest.mark.parametrize("stale", [True, False])
def test_without_uv_it_says_how_to_get_it(copy: Path, tmp_path: Path, stale: bool) -> None:
    if stale:
        pyproject = copy / "backend" / "pyproject.toml"
        pyproject.write_text(pyproject.read_text() + "\n")
    else:
        (copy / "backend" / "uv.lock").unlink()
    for arguments in ([], ["--uv", "/no/such/uv"]):
        done = pack(copy, str(tmp_path / "out"), *arguments)
        assert done.returncode == 1
        assert "uv was not found" in done.stderr
        assert "pip install uv==" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_committed_tree_names_no_download_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    assert len(files) > 40
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "yarnpkg" + ".com")
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not [host for host in hosts if host in text], path
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text()
