"""The archive of the host command: complete, the same for the same sources, and working by itself."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import archive, installation
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from ansible_collections.openclaw.mission_control.plugins.plugin_utils import _command_sources

CHECKOUT_UTILS = Path(archive.__file__).parents[1]
ENTRIES = (*_command_sources.ENTRIES, *(f"_verify.checks.{name}" for name in CHECKS))


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return _command_sources.sources(ENTRIES)


def test_it_holds_what_its_modules_import_and_nothing_of_ansible(files: dict[str, str]) -> None:
    assert {
        "mission_control/_command/main.py",
        "mission_control/_verify/suite.py",
        "mission_control/_verify/checks/health.py",
    } <= set(files)
    assert "mission_control/_verify/reports/junit.py" in files
    assert "mission_control/_verify/module.py" not in files
    for path, text in files.items():
        assert "import ansible" not in text and "from ansible" not in text, path


def test_no_import_is_overlooked(files: dict[str, str]) -> None:
    """The imports are found by a pattern; here they are found by parsing."""
    found = 0
    for path, text in files.items():
        own = path.removesuffix(".py").removesuffix("/__init__").split("/")
        inside = own if path.endswith("__init__.py") else own[:-1]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = inside[: len(inside) - node.level + 1]
                target = "/".join([*base, *(node.module.split(".") if node.module else [])])
                names = [f"{target}/{alias.name}" for alias in node.names]
                for name in [target, *names] if node.module else names:
                    source = CHECKOUT_UTILS / f"{name.removeprefix('mission_control/')}.py"
                    assert not source.exists() or f"{name}.py" in files, (path, name)
                    found += source.exists()
    assert found > 100


def test_same_sources_same_bytes(files: dict[str, str]) -> None:
    assert archive.archive(files) == archive.archive(dict(reversed(files.items())))


@pytest.fixture(scope="module")
def installed(files: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bin") / "mission-control"
    wanted = installation.Wanted(str(path), archive.archive(files), 0o755, os.getuid(), os.getgid())
    installation.install(wanted)
    return path


def test_it_runs_by_itself(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(installed), "verify", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert "usage: mission-control verify" in done.stdout
    assert installed.read_bytes().startswith(b"#!/usr/bin/python3 -I\n")


def test_bytecode_is_used_where_it_fits(installed: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); import mission_control._command.main as c;"
        "print(c.__loader__.get_filename(c.__name__), c.__spec__.origin)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0].endswith("_command/main.pyc")


def test_a_changed_file_is_noticed(installed: Path, files: dict[str, str], tmp_path: Path) -> None:
    assert archive.is_current(installed, archive.identity(files))
    assert not archive.is_current(installed, archive.identity({**files, "__main__.py": "pass\n"}))
    assert not archive.is_current(tmp_path / "missing", archive.identity(files))
    (tmp_path / "text").write_text("no archive")
    assert not archive.is_current(tmp_path / "text", archive.identity(files))
    tampered = tmp_path / "tampered"
    with zipfile.ZipFile(installed) as source, zipfile.ZipFile(tampered, "w") as target:
        for name in source.namelist():
            harm = name == "mission_control/_verify/suite.py"
            target.writestr(name, b"raise SystemExit(0)\n" if harm else source.read(name))
        target.comment = source.comment
    assert not archive.is_current(tampered, archive.identity(files))


def test_completion_is_valid_bash(tmp_path: Path) -> None:
    text = _command_sources.completion(["backend", "worker"], ["health", "cors"], ["table", "json"])
    assert "@" not in text
    lines = (
        ("mission-control restart w", 2),
        ("mission-control verify --format j", 3),
        ("mission-control re", 1),
    )
    script = text + "".join(
        f'COMP_WORDS=({line}); COMP_CWORD={at}; _mission_control; echo "${{COMPREPLY[@]}}"\n'
        for line, at in lines
    )
    done = subprocess.run(["bash", "-eu"], input=script, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["worker", "json", "restart releases"]
