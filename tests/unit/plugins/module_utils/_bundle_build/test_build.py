# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a bundle is made, as far as that needs no registry. The scenario bundle makes and uses a real one."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._bundle_build import build
from ansible_collections.openclaw.mission_control.plugins.module_utils._bundle_build.build import (
    BundleSpec,
    Work,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files as _files
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import Commands
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import source

MANIFEST = {
    "format": _bundle.FORMAT,
    "system": {
        "id": "debian",
        "version": "13",
        "name": "Debian 13",
        "architecture": "x86_64",
        "python": "3.13",
    },
}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    work = Work(tmp_path / "work", find_account(), Commands(tmp_path / "log", {"PATH": "/usr/bin:/bin"}))
    (work.directory / "parts").mkdir(parents=True)
    return work


def tree(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory


def bring(work: Work, files: dict[str, str]) -> str:
    """A source as the module source has it."""
    store = source.SourceStore(work.layout.root)
    revision = "a" * 40
    tree(store.begin(revision) / "tree", files)
    store.finish(revision, kind="git", origin="https://u:pw@host/x.git", described="v1", required=())
    return revision


def test_the_source_part_leaves_settings_and_secrets_behind(work: Work, tmp_path: Path) -> None:
    files = {"backend/uv.lock": "lock", "backend/.env": "TOKEN=secret", "frontend/.env.local": "X=secret"}
    spec = BundleSpec(packages=(), revision=bring(work, files), asked="v1")
    told = build._source_part(work, spec)
    assert told["origin"] == "https://u:********@host/x.git"
    assert (told["asked"], told["kind"], told["revision"]) == ("v1", "git", spec.revision)
    target = tmp_path / "unpacked"
    _bundle.unpack(work.part("source", spec.revision[:12]), target)
    assert [name for name, _entry in trees.entries(target, ())] == ["backend/uv.lock"]
    # On a host the tree that arrives is compared with this.
    assert trees.fingerprint(target) == told["tree"]


def test_a_secret_of_the_downloads_is_refused_by_the_name_of_its_file(work: Work, tmp_path: Path) -> None:
    guarded = replace(work, secrets=("hunter22", "ab"))
    fine = tree(tmp_path / "fine", {"a/b.txt": "nothing of interest: ab"})
    guarded.pack(fine, "backend", "one")
    bad = tree(tmp_path / "bad", {"a/lock.json": '{"resolved": "https://user:hunter22@mirror/x"}'})
    with pytest.raises(DeploymentError) as caught:
        guarded.pack(bad, "backend", "two")
    assert "a/lock.json" in caught.value.message and "hunter22" not in str(caught.value.result())
    assert not work.part("backend", "two").exists()


def test_the_archive_is_composed_anew_only_when_something_differs(work: Work, tmp_path: Path) -> None:
    work.pack(tree(tmp_path / "one", {"x": "1"}), "backend", "k")
    work.add("backend", "k")
    spec = BundleSpec(packages=(), revision="b" * 40, made_by="somebody@there")
    manifest = {**MANIFEST, "parts": work.parts}
    bundle, changed = build.finish(work, spec, manifest)
    assert changed and bundle.name == "mission-control-bbbbbbbbbbbb-debian13-x86_64.tar"
    assert _bundle.read_manifest(bundle)["created_by"] == "somebody@there"
    before = bundle.read_bytes()
    assert build.finish(work, replace(spec, made_by="another"), manifest) == (bundle, False)
    assert bundle.read_bytes() == before
    changed_manifest = {**manifest, "uv": "2"}
    other, changed = build.finish(work, replace(spec, revision="c" * 40), changed_manifest)
    assert changed and not bundle.exists() and other.exists()


def test_files_to_download_are_read_from_apts_answer() -> None:
    listed = (
        "Reading package lists...\n"
        "'http://mirror/pool/g/git/git_2.47-0_amd64.deb' git_1%3a2.47-0_amd64.deb 8861572 SHA256:00\n"
        "'http://mirror/pool/a/acl.deb' acl_2.3_amd64.deb 10 MD5Sum:0\n"
    )
    assert build.uri_files(listed) == {
        "git_1%3a2.47-0_amd64.deb": "http://mirror/pool/g/git/git_2.47-0_amd64.deb",
        "acl_2.3_amd64.deb": "http://mirror/pool/a/acl.deb",
    }


def test_the_list_of_a_repository_names_each_file_with_its_digest(tmp_path: Path) -> None:
    root = tree(tmp_path / "deb", {"DEBIAN/control": "Package: thing\nVersion: 1\nArchitecture: all\n"})
    with (root / "DEBIAN/control").open("a") as control:
        control.write("Maintainer: nobody <nobody@invalid>\nDescription: a thing\n")
    path = tmp_path / "thing_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(root), str(path)], check=True, capture_output=True)
    control = subprocess.run(
        ["dpkg-deb", "--field", str(path)], check=True, capture_output=True, text=True
    ).stdout
    told = build.stanza(control, path)
    assert told.startswith("Package: thing\nVersion: 1\n")
    assert told.endswith(
        f"Filename: ./{path.name}\nSize: {path.stat().st_size}\nSHA256: {_files.file_digest(path)}\n"
    )


def test_apt_needs_no_root_and_does_not_touch_the_systems_lists(tmp_path: Path) -> None:
    options = build.apt_options(tmp_path)
    for name in ("Dir::State", "Dir::State::status", "Dir::Cache"):
        assert any(option.startswith(f"{name}={tmp_path}") for option in options), name
