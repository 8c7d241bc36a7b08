"""The frontend's build with an npm that is a shell script: what it is given and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import DeploymentError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import frontend
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.frontend import Inputs

INPUTS = Inputs(
    tree="t", lock="l", node="24", environment={"NEXT_PUBLIC_API_URL": "http://a"}, fonts="download"
)

NPM = """#!/bin/sh
set -e
echo "$*" >> "$HOME/calls"
case "$1" in
  ci)
    [ ! -e "$HOME/broken" ] || exit 1
    rm -rf node_modules; mkdir node_modules; cp package-lock.json node_modules/installed ;;
  run)
    env | sort > "$HOME/environment"
    ls -A > "$HOME/listing"
    mkdir -p .next/static .next/cache .next/standalone/node_modules
    touch .next/cache/warm
    echo "$NEXT_PUBLIC_API_URL" > .next/static/url.js
    [ -e "$HOME/ordinary" ] || echo server > .next/standalone/server.js ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "node").mkdir(parents=True)
    npm = home / "node" / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    source = home / "source"
    (source / "src").mkdir(parents=True)
    (source / "public").mkdir()
    (source / "public/logo.svg").write_text("<svg/>")
    (source / "src/page.tsx").write_text("page")
    for name in ("package.json", "package-lock.json"):
        (source / name).write_text("{}")
    (source / ".env.local").write_text("NEXT_PUBLIC_API_URL=http://developer\n")
    return home


@pytest.fixture
def commands(home: Path) -> Commands:
    return Commands(home / "log", {"PATH": "/usr/bin:/bin", "HOME": str(home)})


def ensure(home: Path, commands: Commands, inputs: Inputs = INPUTS) -> Path:
    layout = Layout(home / "root")
    return frontend.ensure(layout, home / "source", inputs, home / "node", home / "fonts.cjs", commands, {})


def calls(home: Path) -> list[str]:
    return (home / "calls").read_text().splitlines()


def test_a_build_is_set_aside_with_static_files_and_public_ones(home: Path, commands: Commands) -> None:
    output = ensure(home, commands)
    assert (output / "server.js").read_text() == "server\n"
    assert (output / ".next/static/url.js").read_text() == "http://a\n"
    assert (output / "public/logo.svg").exists()
    assert output.name == f"output-{INPUTS.fingerprint}"


def test_the_build_knows_what_it_must_and_no_developers_settings(home: Path, commands: Commands) -> None:
    ensure(home, commands)
    environment = (home / "environment").read_text().splitlines()
    for line in (
        "NEXT_PRIVATE_STANDALONE=1",
        "CYPRESS_INSTALL_BINARY=0",
        "NEXT_TELEMETRY_DISABLED=1",
        "CI=1",
    ):
        assert line in environment
    assert f"PATH={home}/node:/usr/local/bin:/usr/bin:/bin" in environment
    # devDependencies are part of the build.
    assert not [line for line in environment if line.startswith("NODE_ENV=")]
    assert ".env.local" not in (home / "listing").read_text().splitlines()


def test_nothing_is_built_twice(home: Path, commands: Commands) -> None:
    first = ensure(home, commands)
    assert ensure(home, commands) == first
    assert calls(home) == ["ci --prefer-offline", "run build"]


def test_another_setting_builds_without_installing_and_keeps_the_cache(
    home: Path, commands: Commands
) -> None:
    first = ensure(home, commands)
    (home / "source/src/page.tsx").unlink()
    (home / "source/src/other.tsx").write_text("other")
    other = replace(INPUTS, environment={"NEXT_PUBLIC_API_URL": "http://b"})
    second = ensure(home, commands, other)
    assert calls(home) == ["ci --prefer-offline", "run build", "run build"]
    assert (second / ".next/static/url.js").read_text() == "http://b\n"
    assert not first.exists()
    project = second.parent / "project"
    assert [path.name for path in (project / "src").iterdir()] == ["other.tsx"]
    assert (project / ".next/cache/warm").exists()


def test_another_lock_file_installs_anew(home: Path, commands: Commands) -> None:
    ensure(home, commands)
    ensure(home, commands, replace(INPUTS, lock="other"))
    assert calls(home) == ["ci --prefer-offline", "run build"] * 2


def test_an_installation_that_failed_or_was_killed_is_repeated(home: Path, commands: Commands) -> None:
    (home / "broken").touch()
    with pytest.raises(DeploymentError, match="Installing the frontend's packages failed") as error:
        ensure(home, commands)
    assert "mission_control_download_environment" in error.value.remedy
    project = Layout(home / "root").frontend_build(INPUTS.key) / "project"
    (project / "node_modules").mkdir()  # half of it, without the stamp
    (home / "broken").unlink()
    ensure(home, commands)
    assert calls(home) == ["ci --prefer-offline", "ci --prefer-offline", "run build"]


def test_a_result_that_is_not_standalone_is_refused(home: Path, commands: Commands) -> None:
    (home / "ordinary").touch()
    with pytest.raises(DeploymentError, match="no standalone server"):
        ensure(home, commands)


@pytest.mark.parametrize(
    "other",
    [
        replace(INPUTS, tree="x"),
        replace(INPUTS, lock="x"),
        replace(INPUTS, node="25"),
        replace(INPUTS, environment={"NEXT_PUBLIC_API_URL": "http://a", "NEXT_PUBLIC_X": ""}),
        replace(INPUTS, environment={}),
        replace(INPUTS, fonts="local"),
    ],
)
def test_every_input_names_the_result(other: Inputs) -> None:
    assert other.fingerprint != INPUTS.fingerprint


def test_the_recipe_names_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    before = INPUTS.fingerprint
    monkeypatch.setattr(frontend, "RECIPE", -1)
    assert INPUTS.fingerprint != before
