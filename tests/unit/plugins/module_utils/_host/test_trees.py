"""Trees as content: what counts, what is left out, packing and unpacking."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for name, text in {
        "backend/app/main.py": "print(1)\n",
        "backend/uv.lock": "lock\n",
        "frontend/package-lock.json": "{}\n",
        "scripts/rq": "#!/usr/bin/env python\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "scripts/rq").chmod(0o755)
    (root / "backend/link").symlink_to("app/main.py")
    return root


def names(root: Path) -> list[str]:
    return [name for name, _entry in trees.entries(root)]


@pytest.mark.parametrize(
    "left_out",
    [
        ".git/HEAD",
        "frontend/node_modules/next/index.js",
        "backend/.venv/bin/python",
        "frontend/.next/build",
        "backend/app/__pycache__/main.cpython-313.pyc",
        "backend/.env",
        "frontend/.env.local",
        "frontend/.env.production.local",
    ],
)
def test_what_is_not_source_is_left_out(tree: Path, left_out: str) -> None:
    before, known = trees.fingerprint(tree), names(tree)
    path = tree / left_out
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("secret")
    assert names(tree) == known
    assert trees.fingerprint(tree) == before


def test_committed_settings_belong_to_the_source(tree: Path) -> None:
    before = trees.fingerprint(tree)
    (tree / "frontend/.env.production").write_text("A=1\n")
    assert trees.fingerprint(tree) != before


def test_times_and_permissions_of_others_do_not_count(tree: Path) -> None:
    before = trees.fingerprint(tree)
    os.utime(tree / "backend/uv.lock", (1, 1))
    (tree / "backend/uv.lock").chmod(0o600)
    assert trees.fingerprint(tree) == before


def test_content_name_execute_bit_and_link_target_count(tree: Path) -> None:
    seen = {trees.fingerprint(tree)}
    (tree / "backend/uv.lock").write_text("other\n")
    seen.add(trees.fingerprint(tree))
    (tree / "backend/uv.lock").rename(tree / "backend/uv2.lock")
    seen.add(trees.fingerprint(tree))
    (tree / "scripts/rq").chmod(0o644)
    seen.add(trees.fingerprint(tree))
    (tree / "backend/link").unlink()
    (tree / "backend/link").symlink_to("elsewhere")
    seen.add(trees.fingerprint(tree))
    assert len(seen) == 5


def test_packed_and_unpacked_it_is_the_same(tree: Path, tmp_path: Path) -> None:
    # A second hard link to a file must not become a link to a member that is left out.
    os.link(tree / "backend/uv.lock", tree / "backend/also.lock")
    archive, target = tmp_path / "source.tar.gz", tmp_path / "target"
    trees.pack(tree, archive)
    with archive.open("rb") as file:
        trees.unpack(file, archive.name, target)
    assert trees.fingerprint(target) == trees.fingerprint(tree)
    again = tmp_path / "again.tar.gz"
    trees.pack(tree, again)
    assert again.read_bytes() == archive.read_bytes()


def test_zip_keeps_programs_and_links(tmp_path: Path) -> None:
    archive = tmp_path / "source.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name, mode, content in (
            ("top/scripts/rq", 0o100755, "#!/bin/sh\n"),
            ("top/link", 0o120777, "scripts/rq"),
            ("top/plain", 0o100644, "x"),
        ):
            information = zipfile.ZipInfo(name)
            information.external_attr = mode << 16
            file.writestr(information, content)
    with archive.open("rb") as packed:
        trees.unpack(packed, archive.name, tmp_path / "target")
    top = tmp_path / "target/top"
    assert os.access(top / "scripts/rq", os.X_OK)
    assert str((top / "link").readlink()) == "scripts/rq"
    assert not os.access(top / "plain", os.X_OK)


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_zip_that_leaves_its_place_is_refused(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, "x")
    with archive.open("rb") as packed, pytest.raises(DeploymentError, match=r"bad\.zip holds"):
        trees.unpack(packed, archive.name, tmp_path / "target")


@pytest.mark.parametrize("link", ["/etc/passwd", "../../outside"])
def test_a_zip_with_a_link_that_leaves_is_refused(tmp_path: Path, link: str) -> None:
    archive = tmp_path / "bad.zip"
    information = zipfile.ZipInfo("a/link")
    information.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(information, link)
    with archive.open("rb") as packed, pytest.raises(DeploymentError, match="would leave the target"):
        trees.unpack(packed, archive.name, tmp_path / "target")


def zip_of(archive: Path, *members: tuple[str, int, str]) -> None:
    with zipfile.ZipFile(archive, "w") as file:
        for name, mode, content in members:
            information = zipfile.ZipInfo(name)
            information.external_attr = mode << 16
            file.writestr(information, content)


@pytest.mark.parametrize(
    "members",
    [
        # Each link alone stays inside; one behind the other they lead out.
        (
            ("s/x", 0o100644, "x"),
            ("p/a/b/c/q", 0o120777, "../../../../s"),
            ("p/a/b/c/q/up", 0o120777, "../../.."),
            ("p/a/b/c/q/up/ESCAPED", 0o100644, "x"),
        ),
        (("a/b", 0o120777, ".."), ("a/b/x", 0o100644, "x")),
        (("a/b", 0o120777, "c"), ("a/b", 0o100644, "through the link")),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_a_member_behind_a_link_is_refused(
    tmp_path: Path, members: tuple[tuple[str, int, str], ...]
) -> None:
    archive = tmp_path / "bad.zip"
    zip_of(archive, *members)
    target = tmp_path / "one/two/target"
    with archive.open("rb") as packed, pytest.raises(DeploymentError, match="would leave the target"):
        trees.unpack(packed, archive.name, target)
    assert not list(tmp_path.rglob("ESCAPED"))


def test_a_tar_that_leaves_its_place_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "bad.tar"
    with tarfile.open(archive, "w") as file:
        member = tarfile.TarInfo("../outside")
        member.size = 1
        file.addfile(member, io.BytesIO(b"x"))
    with archive.open("rb") as packed, pytest.raises(DeploymentError, match="cannot be unpacked"):
        trees.unpack(packed, archive.name, tmp_path / "target")
    assert not (tmp_path / "outside").exists()


def test_a_torn_archive_is_told(tree: Path, tmp_path: Path) -> None:
    archive = tmp_path / "source.tar.gz"
    trees.pack(tree, archive)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with archive.open("rb") as packed, pytest.raises(DeploymentError, match="cannot be unpacked") as told:
        trees.unpack(packed, archive.name, tmp_path / "target")
    assert told.value.kind == "bad_archive"


def test_single_directory_is_stripped_only_when_needed(tree: Path, tmp_path: Path) -> None:
    assert trees.strip_single_directory(tree, "backend") == tree
    outer = tmp_path / "outer"
    outer.mkdir()
    tree.rename(outer / "product-1.0")
    assert trees.strip_single_directory(outer, "backend") == outer / "product-1.0"


def test_a_linked_copy_needs_no_room(tree: Path, tmp_path: Path) -> None:
    trees.copy(tree, tmp_path / "copy", link=True)
    assert trees.fingerprint(tmp_path / "copy") == trees.fingerprint(tree)
    assert (tmp_path / "copy/backend/uv.lock").stat().st_ino == (tree / "backend/uv.lock").stat().st_ino


def test_remove_takes_files_links_and_trees_but_not_what_a_link_leads_to(tree: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    files.remove(link)
    assert tree.exists()
    files.remove(tree)
    assert not tree.exists()
    files.remove(tree)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_there_completely_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    files.write_atomically(path, "new", 0o600)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["secret"]


def test_what_a_killed_process_left_of_a_file_goes_with_the_next_write(tmp_path: Path) -> None:
    done = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    left = tmp_path / f".told.{done.stdout.strip()}.new"
    alive = tmp_path / f".told.{os.getppid()}.new"
    for path in (left, alive):
        path.write_text("half")
    files.write_atomically(tmp_path / "told", "all")
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "told", alive])


def test_a_file_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        files.write_atomically(tmp_path / "taken", "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["taken"]


def test_several_files_are_staged_before_any_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    staged = files.stage(tmp_path / "one", b"\0new", 0o640, (os.getuid(), os.getgid()))
    assert (tmp_path / "one").read_text() == "old"
    assert staged.stat().st_mode & 0o777 == 0o640 and staged.read_bytes() == b"\0new"
    staged.replace(tmp_path / "one")
    assert [entry.name for entry in tmp_path.iterdir()] == ["one"]


def test_a_link_is_made_and_pointed_elsewhere(tmp_path: Path) -> None:
    link = tmp_path / "current"
    for target in ("releases/1", "releases/2"):
        files.point_link(link, target)
        assert str(link.readlink()) == target
    assert [entry.name for entry in tmp_path.iterdir()] == ["current"]


def test_a_directory_that_cannot_be_renamed_is_removed_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = tmp_path / "release"
    (release / "backend").mkdir(parents=True)
    (release / "release.json").write_text("{}")

    def refuse(_self: Path, _target: Path) -> Path:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(Path, "rename", refuse)
    files.remove(release)
    assert list(tmp_path.iterdir()) == []
