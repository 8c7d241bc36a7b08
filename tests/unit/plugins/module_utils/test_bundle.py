# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bundles: what a host gets of one, what it refuses, what its steps take out of it."""

from __future__ import annotations

import hashlib
import json
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files as _files
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import (
    NO_LOG,
    Commands,
)

ALL = ("postgresql", "redis", "backend", "worker", "frontend")


class Made:
    """A bundle whose parts have made-up content."""

    def __init__(self, directory: Path) -> None:
        self.parts = directory / "parts"
        self.parts.mkdir(parents=True)
        self.told: dict[str, Any] = {"format": _bundle.FORMAT, "parts": {}}
        self.path = directory / "bundle.tar"
        for kind in ("packages", "wheels"):
            self.add(kind, "", {f"{kind}.file": f"content of {kind}"})
        self.add("source", "123456789012", {"backend/uv.lock": "lock"})
        self.add("backend", "e1", {"wheels-v8/one": "one"})
        self.add("frontend", "f1", {"server.js": "serve", ".next/static/a.js": "a"})
        self.add("openclaw", "2026.4.2-x", {"node_modules/openclaw/openclaw.mjs": "run"})
        self.write()

    def add(self, kind: str, key: str, files: dict[str, str]) -> None:
        tree = self.parts.with_name("tree")
        _files.remove(tree)
        for name, text in files.items():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        name = _bundle.part_name(kind, key)
        _bundle.pack_directory(tree, self.parts / name)
        self.told["parts"][name] = _bundle.describe_part(self.parts / name, kind)

    def write(self) -> None:
        _bundle.compose(self.path, self.told, self.parts)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    """apt-get that only notes which settings it was given."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-get").write_text(f'#!/bin/sh\ncat "$APT_CONFIG" >{tmp_path}/apt-called\n')
    (programs / "apt-get").chmod(0o755)
    return Commands(NO_LOG, {"PATH": f"{programs}:/usr/bin:/bin"})


def install(made: Made, directory: Path, components: tuple[str, ...], commands: Commands) -> list[str]:
    """As the module does it; returns what had to be sent."""
    wanted = _bundle.wanted_parts(_bundle.read_manifest(made.path), components)
    missing = _bundle.missing_parts(directory, wanted)
    sent = directory.with_name("sent.tar")
    _bundle.select(made.path, missing, sent)
    _bundle.install(directory, wanted, missing, sent, commands)
    return missing


@pytest.mark.parametrize(
    ("components", "kinds"),
    [
        (("postgresql",), {"packages"}),
        (("redis",), {"packages"}),
        (("worker",), {"packages", "wheels", "source", "backend"}),
        (("frontend",), {"packages", "wheels", "source", "frontend"}),
        (("gateway",), {"packages", "wheels", "openclaw"}),
        (ALL, {"packages", "wheels", "source", "backend", "frontend"}),
    ],
)
def test_a_host_gets_what_it_uses(made: Made, components: tuple[str, ...], kinds: set[str]) -> None:
    manifest = _bundle.read_manifest(made.path)
    wanted = _bundle.wanted_parts(manifest, components)
    assert {manifest["parts"][name]["kind"] for name in wanted} == kinds


def test_a_part_that_ends_with_a_wheel_is_no_zip_file(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "uv.whl", "w") as wheel:
        wheel.writestr("uv/__init__.py", "")
    _bundle.pack_directory(wheels, tmp_path / "wheels.tar")
    _bundle.unpack(tmp_path / "wheels.tar", tmp_path / "unpacked")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["uv.whl"]


def test_every_part_has_users() -> None:
    assert set().union(*_bundle.USERS.values()) == {*ALL, "gateway", "proxy"}


def test_the_manifest_comes_first_so_that_it_is_read_at_once(made: Made) -> None:
    with tarfile.open(made.path) as archive:
        names = archive.getnames()
    assert names == [_bundle.MANIFEST, *sorted(made.told["parts"])]
    assert _bundle.read_manifest(made.path) == made.told


def test_a_host_has_the_parts_once_and_the_controller_can_tell(
    made: Made, tmp_path: Path, commands: Commands
) -> None:
    directory = tmp_path / "host"
    assert len(install(made, directory, ALL, commands)) == 5
    mark = (directory / "installed.json").read_bytes()
    assert hashlib.sha256(mark).hexdigest() == _bundle.installed_digest(made.path, ALL)
    wanted = _bundle.wanted_parts(made.told, ALL)
    assert _bundle.missing_parts(directory, wanted) == [] and _bundle.complete(directory, wanted)
    assert (directory / "packages/packages.file").read_text() == "content of packages"
    assert (directory / "wheels/wheels.file").exists()
    # A gateway comes to the host: the same bundle, and yet something is to be sent.
    assert _bundle.installed_digest(made.path, (*ALL, "gateway")) != hashlib.sha256(mark).hexdigest()
    assert install(made, directory, (*ALL, "gateway"), commands) == ["openclaw-2026.4.2-x.tar.gz"]


def test_apt_looks_into_the_bundle_and_nowhere_else(made: Made, tmp_path: Path, commands: Commands) -> None:
    directory = tmp_path / "host"
    install(made, directory, ("redis",), commands)
    used = (tmp_path / "apt-called").read_text()
    assert f'Dir::Etc::sourcelist "{directory}/sources.list"' in used
    assert 'Dir::Etc::sourceparts "/dev/null"' in used
    sources = (directory / "sources.list").read_text()
    assert sources == f"deb [trusted=yes] file:{directory}/packages ./\n"
    # apt reads packages with the rights of a user of its own.
    assert stat.S_IMODE((directory / "packages").stat().st_mode) == 0o755


def test_a_second_bundle_sends_what_differs_and_removes_what_is_old(
    made: Made, tmp_path: Path, commands: Commands
) -> None:
    directory = tmp_path / "host"
    install(made, directory, ALL, commands)
    del made.told["parts"]["frontend-f1.tar.gz"]
    made.add("frontend", "f2", {"server.js": "serve two"})
    made.add("wheels", "", {"uv.whl": "newer"})
    made.write()
    assert install(made, directory, ALL, commands) == ["frontend-f2.tar.gz", "wheels.tar"]
    assert sorted(path.name for path in (directory / "wheels").iterdir()) == ["uv.whl"]
    assert not (directory / "parts/frontend-f1.tar.gz").exists()


def test_a_damaged_part_is_told_and_never_used(made: Made, tmp_path: Path, commands: Commands) -> None:
    directory = tmp_path / "host"
    content = made.path.read_bytes()
    wheel = content.index(b"content of wheels")
    made.path.write_bytes(content[:wheel] + b"C" + content[wheel + 1 :])
    with pytest.raises(DeploymentError, match=r"part wheels.tar is damaged: it has sha256:\w+, and its"):
        install(made, directory, ("worker",), commands)
    assert not (directory / "installed.json").exists() and not (directory / "wheels").exists()
    # A good copy puts it right without any cleaning.
    made.write()
    install(made, directory, ("worker",), commands)
    assert (directory / "wheels/wheels.file").read_text() == "content of wheels"


def test_an_interrupted_installation_is_not_taken_for_a_whole_one(
    made: Made, tmp_path: Path, commands: Commands
) -> None:
    directory = tmp_path / "host"
    broken = Commands(NO_LOG, {"PATH": str(tmp_path / "nothing")})
    with pytest.raises(DeploymentError, match="apt-get"):
        install(made, directory, ("redis",), broken)
    wanted = _bundle.wanted_parts(made.told, ("redis",))
    assert _bundle.missing_parts(directory, wanted) == [] and not _bundle.complete(directory, wanted)
    assert install(made, directory, ("redis",), commands) == []
    assert _bundle.complete(directory, wanted)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "does not exist on the controller"),
        (b"no archive at all", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_what_is_no_bundle_is_named(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "x.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeploymentError) as caught:
        _bundle.read_manifest(path)
    assert (
        caught.value.message.startswith(f"mission_control_bundle: {path} ") and told in caught.value.message
    )


def test_another_archive_or_format_is_no_bundle(made: Made, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(made.parts / "wheels.tar", arcname="something")
    with pytest.raises(DeploymentError, match="is not a bundle"):
        _bundle.read_manifest(tmp_path / "other.tar")
    made.told["format"] = 99
    made.write()
    with pytest.raises(DeploymentError, match="has the format 99, and this collection reads 1"):
        _bundle.read_manifest(made.path)


def test_a_truncated_bundle_is_told(made: Made, tmp_path: Path) -> None:
    made.path.write_bytes(made.path.read_bytes()[:-20_000])
    with pytest.raises(DeploymentError, match=r"bundle.tar is not whole.*Copy it again|lacks its part"):
        _bundle.select(made.path, ["wheels.tar"], tmp_path / "sent.tar")


def test_uvs_cache_is_there_for_a_while_only(made: Made, tmp_path: Path, commands: Commands) -> None:
    directory, shared = tmp_path / "host", tmp_path / "shared"
    shared.mkdir()
    install(made, directory, ALL, commands)
    with _bundle.uv_cache(directory, shared, "e1") as environment:
        cache = Path(environment["UV_CACHE_DIR"])
        assert (cache / "wheels-v8/one").read_text() == "one"
    assert list(shared.iterdir()) == []
    # Nothing to install: still no cache of the host's is used.
    with _bundle.uv_cache(directory, shared, "") as environment:
        assert environment == {"UV_CACHE_DIR": str(cache)} and not cache.exists()
    with _bundle.uv_cache(None, shared, "e1") as environment:
        assert environment == {}
    told = "has no backend-e2.tar.gz"
    with pytest.raises(DeploymentError, match=told), _bundle.uv_cache(directory, shared, "e2"):
        pass


def test_a_gateways_tree_is_named_by_its_plugins_in_any_order() -> None:
    key = _bundle.gateway_key
    assert key("2026.4.2", ["a", "b"]) == key("2026.4.2", ["b", "a"]) != key("2026.4.2", ["a"])
    assert key("2026.4.2", []).startswith("2026.4.2-")


def test_the_bundle_is_open_to_all_and_its_manifest_to_people(made: Made) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o644
    with tarfile.open(made.path) as archive:
        assert {(member.uid, member.uname, member.mode) for member in archive} == {(0, "", 0o644)}
        file = archive.extractfile(_bundle.MANIFEST)
        assert file is not None and json.loads(file.read()) == made.told
