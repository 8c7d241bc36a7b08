"""The frontend's build with an npm that is a shell script: what it is given and what it leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
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
    [ ! -e "$HOME/broken" ] || { echo npm error code ENOTFOUND; exit 1; }
    [ ! -e "$HOME/usage" ] || { cat "$HOME/usage"; exit 1; }
    rm -rf node_modules; mkdir node_modules; cp package-lock.json node_modules/installed
    for name in a ${npm_config_include}; do
      mkdir node_modules/$name; echo '{}' > node_modules/$name/package.json
    done ;;
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
def commands(home: Path) -> BuildCommands:
    return BuildCommands(home / "log", {"PATH": "/usr/bin:/bin", "HOME": str(home)})


def ensure(home: Path, commands: BuildCommands, inputs: Inputs = INPUTS) -> Path:
    layout = Layout(home / "root")
    return frontend.ensure(layout, home / "source", inputs, home / "node", home / "fonts.cjs", commands, {})


def calls(home: Path) -> list[str]:
    return (home / "calls").read_text().splitlines()


def test_a_build_is_set_aside_with_static_files_and_public_ones(home: Path, commands: BuildCommands) -> None:
    output = ensure(home, commands)
    assert (output / "server.js").read_text() == "server\n"
    assert (output / ".next/static/url.js").read_text() == "http://a\n"
    assert (output / "public/logo.svg").exists()
    assert output.name == f"output-{INPUTS.fingerprint}"


def test_the_build_knows_what_it_must_and_no_developers_settings(home: Path, commands: BuildCommands) -> None:
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


def test_nothing_is_built_twice(home: Path, commands: BuildCommands) -> None:
    first = ensure(home, commands)
    assert ensure(home, commands) == first
    assert calls(home) == ["ci --prefer-offline", "run build"]


def test_another_setting_builds_without_installing_and_keeps_the_cache(
    home: Path, commands: BuildCommands
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


def test_another_lock_file_installs_anew(home: Path, commands: BuildCommands) -> None:
    ensure(home, commands)
    ensure(home, commands, replace(INPUTS, lock="other"))
    assert calls(home) == ["ci --prefer-offline", "run build"] * 2


def test_an_installation_that_failed_or_was_killed_is_repeated(home: Path, commands: BuildCommands) -> None:
    (home / "broken").touch()
    with pytest.raises(DeploymentError, match="Installing the frontend's packages failed") as error:
        ensure(home, commands)
    assert "mission_control_download_environment" in error.value.remedy
    project = Layout(home / "root").frontend_build(INPUTS.key) / "project"
    (project / "node_modules").mkdir()  # half of it, without the stamp
    (home / "broken").unlink()
    ensure(home, commands)
    assert calls(home) == ["ci --prefer-offline", "ci --prefer-offline", "run build"]


LOCK = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "x"},
        "node_modules/a": {"version": "1.0.0"},
        "node_modules/a/node_modules/inner": {"version": "1.0.0", "optional": True},
        "node_modules/dev": {"version": "1.0.0", "dev": True},
        "node_modules/for-darwin": {"version": "1.0.0", "optional": True, "os": ["darwin"]},
        "packages/local": {"version": "1.0.0"},
        "node_modules/local": {"resolved": "packages/local", "link": True},
    },
}


def test_a_tree_from_which_something_is_gone_is_installed_anew(home: Path, commands: BuildCommands) -> None:
    (home / "source/package-lock.json").write_text(json.dumps(LOCK))
    ensure(home, commands)
    project = Layout(home / "root").frontend_build(INPUTS.key) / "project"
    assert (project / "node_modules/dev/package.json").exists(), "npm was not told to include dev packages"
    ensure(home, commands, replace(INPUTS, tree="b"))
    assert calls(home) == ["ci --prefer-offline", "run build", "run build"]
    (project / "node_modules/a/package.json").unlink()
    ensure(home, commands, replace(INPUTS, tree="c"))
    assert calls(home)[3:] == ["ci --prefer-offline", "run build"]


def test_a_tree_that_npm_has_left_incomplete_is_not_built_from(home: Path, commands: BuildCommands) -> None:
    lock = {**LOCK, "packages": {**LOCK["packages"], "node_modules/@own/b": {"version": "2.0.0"}}}  # type: ignore[dict-item]
    (home / "source/package-lock.json").write_text(json.dumps(lock))
    for _again in range(2):
        with pytest.raises(DeploymentError, match=r"left out 1 of the packages .*: @own/b\.") as error:
            ensure(home, commands)
        assert error.value.kind == "incomplete"
    assert calls(home) == ["ci --prefer-offline"] * 2


def test_a_lock_file_that_is_out_of_step_is_named_as_that(home: Path, commands: BuildCommands) -> None:
    (home / "usage").write_text(NPM_USAGE)
    with pytest.raises(DeploymentError) as error:
        ensure(home, commands)
    told = error.value.result()
    assert (
        "out of step with its package.json: npm error Missing: left-pad@1.3.0 from lock file." in told["msg"]
    )
    assert "npm install" in told["remedy"] and "registry" not in told["msg"]
    assert "npm error code EUSAGE" in told["output"]


# The beginning of what npm 11 says, and as much as it says after that.
NPM_USAGE = (
    """npm error code EUSAGE
npm error
npm error `npm ci` can only install packages when your package.json and package-lock.json \
are in sync. Please update your lock file with `npm install` before continuing.
npm error
npm error Missing: left-pad@1.3.0 from lock file
npm error
npm error Clean install a project
npm error
npm error Usage:
npm error npm ci
"""
    + "npm error     Option that allows for defining which types of dependencies to install.\n" * 90
)


def test_a_result_that_is_not_standalone_is_refused(home: Path, commands: BuildCommands) -> None:
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


@pytest.mark.parametrize("fonts", ["local", "download"])
def test_what_packages_bring_runs_without_the_logins_of_downloads(home: Path, fonts: str) -> None:
    npm = home / "node" / "npm"
    npm.write_text(NPM.replace("set -e\n", 'set -e\nenv > "$HOME/environment-$1"\n'))
    (home / "node" / "node").symlink_to("/bin/true")
    downloads = {
        "npm_config_registry": "https://registry.example",
        "NPM_TOKEN": "npm_0123456789abcdef",
        "https_proxy": "http://deploy:Secret-7f3a@proxy.example:3128",
        "UV_INDEX_URL": "https://deploy:Secret-7f3a@index.example/simple",
    }
    commands = BuildCommands(home / "log", {"PATH": "/usr/bin:/bin", "HOME": str(home), **downloads})
    ensure(home, commands, replace(INPUTS, fonts=fonts))
    assert (home / "calls").read_text().splitlines() == [
        "ci --prefer-offline --ignore-scripts",
        "rebuild",
        "run build",
    ]
    seen = {name: (home / f"environment-{name}").read_text() for name in ("ci", "rebuild", "run")}
    for secret in ("npm_0123456789abcdef", "Secret-7f3a"):
        told = [name for name, text in seen.items() if secret in text]
        assert told == (["ci"] if fonts == "local" else ["ci", "run"])
    # What is no secret, the registry say, all of them know.
    assert all("npm_config_registry=https://registry.example" in text for text in seen.values())
