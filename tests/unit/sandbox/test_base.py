# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The base root file system: named by its recipe, complete or absent."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from sandbox_hosts import base
from sandbox_hosts.common import Run, SandboxError

RECIPE = base.Recipe(apt={"Acquire::Retries": "3"})


@pytest.mark.parametrize(
    "change",
    [
        {"apt": {"Acquire::Retries": "4"}},
        {"mirror": "http://mirror.example/debian"},
        {"suite": "forky"},
        {"packages": (*base.PACKAGES, "vim")},
        {"customize": (*base.CUSTOMIZE, "true")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_recipe_has_another_name(change: dict[str, Any]) -> None:
    assert dataclasses.replace(RECIPE, **change).name != RECIPE.name


def test_the_same_recipe_has_the_same_name() -> None:
    assert base.Recipe(apt=dict(RECIPE.apt)).name == RECIPE.name
    assert RECIPE.name.startswith("trixie-")


def test_what_roles_install_is_not_in_the_base() -> None:
    installed_by_roles = {
        "git",
        "postgresql",
        "redis-server",
        "python3-venv",
        "nodejs",
        "npm",
        "acl",
        "caddy",
    }
    assert not installed_by_roles & set(base.PACKAGES)


def test_settings_of_this_machines_apt_are_inherited_where_they_decide_what_is_reached() -> None:
    dump = (
        'Acquire::http::Proxy "http://proxy.example:3142";\nAcquire::Check-Valid-Until "false";\n'
        'Acquire::https::CAInfo "/etc/ca.pem";\nAPT::Architecture "amd64";\nDPkg::Post-Invoke:: "rm -rf /";\n'
    )
    assert dict(base.INHERITED_APT.findall(dump)) == {
        "Acquire::http::Proxy": "http://proxy.example:3142",
        "Acquire::Check-Valid-Until": "false",
        "Acquire::https::CAInfo": "/etc/ca.pem",
    }


def mmdebstrap_that(does: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program of that name first on PATH, to fail at the point a test needs."""
    program = directory / "bin" / "mmdebstrap"
    program.parent.mkdir(exist_ok=True)
    # The target is the word before the mirror, or the last one: the recipe here has no mirror.
    program.write_text(f"#!/bin/sh\nfor target; do :; done\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def test_a_failed_build_is_told_with_its_last_words_and_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(label="x", state=tmp_path / "state", cache=tmp_path / "cache")
    mmdebstrap_that('mkdir "$target/etc"; echo "E: mirror unreachable"; exit 25', tmp_path, monkeypatch)
    with pytest.raises(SandboxError, match=r"(?s)status 25.*mirror unreachable"):
        base.ensure_base(run, RECIPE)
    assert not (run.cache / "bases" / RECIPE.name).exists()

    mmdebstrap_that('touch "$target/complete"', tmp_path, monkeypatch)
    target = base.ensure_base(run, RECIPE)
    assert (target / "complete").exists()
    assert not (target / "etc").exists()
    assert [path.name for path in (run.cache / "bases").iterdir()] == [RECIPE.name]


def test_a_complete_base_is_not_built_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(label="x", state=tmp_path / "state", cache=tmp_path / "cache")
    mmdebstrap_that('touch "$target/complete"', tmp_path, monkeypatch)
    target = base.ensure_base(run, RECIPE)
    mmdebstrap_that("exit 1", tmp_path, monkeypatch)
    assert base.ensure_base(run, RECIPE) == target
