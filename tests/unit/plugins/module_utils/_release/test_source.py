"""Bringing a source: directory, archive, URL and Git, each for real."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.builds import BuildCommands
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.logged_commands import (
    NO_LOG,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import git as _git
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import source as _source
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.source import (
    Request,
    SourceStore,
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "product"
    for name in ("backend/uv.lock", "backend/pyproject.toml", "frontend/package-lock.json", "scripts/rq"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    return root


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "root")


@pytest.fixture
def commands() -> BuildCommands:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    return BuildCommands(NO_LOG, environment)


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tree: Path) -> Path:
    git(tree, "init", "--quiet", "--initial-branch=main")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "-m", "one")
    git(tree, "tag", "-a", "v1", "-m", "first")
    return tree


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("https://example.com/a/product.git", "git"),
        ("https://example.com/a/product", "git"),
        ("git@example.com:a/product.git", "git"),
        ("ssh://git@example.com/a/product", "git"),
        ("file:///srv/product.git", "git"),
        ("https://example.com/product-1.tar.gz", "url"),
        ("https://example.com/product-1.zip?x=1", "url"),
        ("/srv/product.tar.xz", "archive"),
        ("/srv/product", "directory"),
    ],
)
def test_kinds_are_told_apart(source: str, kind: str) -> None:
    assert _source.kind_of(source, lambda _path: True) == kind


def test_a_missing_path_is_named() -> None:
    with pytest.raises(DeploymentError, match="mission_control_source: /nowhere is neither a directory"):
        _source.kind_of("/nowhere", lambda _path: False)


@pytest.mark.parametrize("checksum", ["", "md5:abc", "sha256:abc", "abc"])
def test_a_url_needs_a_whole_checksum(checksum: str) -> None:
    with pytest.raises(DeploymentError, match="mission_control_source_checksum"):
        _source.checksum_of(checksum, needed=True)
    assert _source.checksum_of("sha256:" + "A" * 64, needed=True) == "a" * 64
    assert _source.checksum_of("", needed=False) == ""


@pytest.mark.parametrize("missing", ["backend/uv.lock", "frontend/package-lock.json"])
def test_a_directory_without_a_lock_file_is_refused(tree: Path, missing: str) -> None:
    (tree / missing).unlink()
    with pytest.raises(DeploymentError, match=f"has no {missing}"):
        _source.on_controller(str(tree), "")


def test_passwords_do_not_reach_messages() -> None:
    shown = _git.without_password("https://user:secret@example.com:8443/p.git")
    assert shown == "https://user:********@example.com:8443/p.git"
    assert _git.without_password("https://example.com/p.git") == "https://example.com/p.git"


def test_a_directory_is_uploaded_once(
    tree: Path, store: SourceStore, tmp_path: Path, commands: BuildCommands
) -> None:
    revision, _ = _source.controller_revision(str(tree), "directory")
    request = Request("directory", str(tree), revision, described="v1-dirty")
    asked = _source.bring(store, request, commands)
    assert (asked["needs_upload"], asked["present"], asked["changed"]) == (True, False, True)
    archive = tmp_path / "upload.tar.gz"
    trees.pack(tree, archive)
    with archive.open("rb") as request.archive:
        brought = _source.bring(store, request, commands)
    assert brought["changed"] and brought["present"]
    assert trees.fingerprint(Path(brought["path"])) == revision
    assert brought["files"]["backend/uv.lock"] == files.file_digest(tree / "backend/uv.lock")
    assert set(brought["trees"]) == {"backend", "frontend", "scripts"}
    assert brought["described"] == "v1-dirty"
    request.archive = None
    again = _source.bring(store, request, commands)
    assert again["changed"] is False and again["path"] == brought["path"]


def test_a_directory_that_changed_while_it_was_packed_is_refused(
    tree: Path, store: SourceStore, tmp_path: Path, commands: BuildCommands
) -> None:
    revision, _ = _source.controller_revision(str(tree), "directory")
    (tree / "scripts/rq").write_text("changed meanwhile\n")
    archive = tmp_path / "upload.tar.gz"
    trees.pack(tree, archive)
    with archive.open("rb") as file, pytest.raises(DeploymentError, match="not what was packed"):
        _source.bring(store, Request("directory", str(tree), revision, archive=file), commands)
    assert store.description(revision) is None
    assert list(store.base.iterdir()) == []


def test_an_interrupted_upload_is_made_up_for(
    tree: Path, store: SourceStore, tmp_path: Path, commands: BuildCommands
) -> None:
    revision, _ = _source.controller_revision(str(tree), "directory")
    (store.begin(revision) / "tree" / "half").write_text("x")
    store.path(revision).mkdir()
    archive = tmp_path / "upload.tar.gz"
    trees.pack(tree, archive)
    with archive.open("rb") as file:
        brought = _source.bring(store, Request("directory", str(tree), revision, archive=file), commands)
    assert not (Path(brought["path"]) / "half").exists()
    assert [path.name for path in store.base.iterdir()] == [revision[:12]]


@pytest.fixture
def archive(tree: Path, tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    path = served / "product-1.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(tree, arcname="product-1")
    return path


@pytest.fixture
def server(archive: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(archive.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/{archive.name}"
        running.shutdown()
        thread.join()


def test_an_archive_by_url_is_downloaded_checked_and_stripped(
    server: str, archive: Path, store: SourceStore, commands: BuildCommands
) -> None:
    digest = files.file_digest(archive)
    request = Request("url", server, checksum=f"sha256:{digest}")
    brought = _source.bring(store, request, commands)
    assert brought["changed"] and (Path(brought["path"]) / "backend/uv.lock").exists()
    assert sorted(path.name for path in store.path(digest).iterdir()) == ["source.json", "tree"]
    archive.unlink()
    assert _source.bring(store, request, commands)["changed"] is False


def test_another_archive_than_named_changes_nothing(
    server: str, store: SourceStore, commands: BuildCommands
) -> None:
    with pytest.raises(DeploymentError, match="mission_control_source_checksum") as error:
        _source.bring(store, Request("url", server, checksum="sha256:" + "0" * 64), commands)
    assert error.value.kind == "checksum_differs"
    assert list(store.base.iterdir()) == []


def test_a_url_that_answers_404_is_told(server: str, store: SourceStore, commands: BuildCommands) -> None:
    with pytest.raises(DeploymentError, match="cannot be had") as error:
        _source.bring(store, Request("url", server + ".nothing.zip", checksum="sha256:" + "0" * 64), commands)
    assert error.value.kind == "download_failed"


def test_an_archive_by_url_is_only_predicted_in_check_mode(
    store: SourceStore, commands: BuildCommands
) -> None:
    request = Request("url", "http://127.0.0.1:1/a.zip", checksum="sha256:" + "0" * 64, check_mode=True)
    answer = _source.bring(store, request, commands)
    assert answer["changed"] and not answer["present"]
    assert not store.base.exists()


@pytest.mark.parametrize("name", ["main", "v1", "HEAD"])
def test_git_by_name(repository: Path, store: SourceStore, commands: BuildCommands, name: str) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    brought = _source.bring(store, Request("git", f"file://{repository}", name), commands)
    assert (brought["revision"], brought["changed"], brought["described"]) == (commit, True, name)
    assert (Path(brought["path"]) / "backend/uv.lock").read_text() == "backend/uv.lock\n"
    assert _source.bring(store, Request("git", f"file://{repository}", name), commands)["changed"] is False


def test_git_by_full_commit_needs_no_origin_the_second_time(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert _source.bring(store, Request("git", f"file://{repository}", commit), commands)["changed"]
    assert not _source.bring(store, Request("git", "file:///gone", commit), commands)["changed"]


def test_git_by_abbreviated_commit_and_from_a_server_that_hides_commits(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    old = git(repository, "rev-parse", "HEAD")
    (repository / "new").write_text("x")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "two")
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "false")
    assert _source.bring(store, Request("git", f"file://{repository}", old[:10]), commands)["revision"] == old
    other = SourceStore(store.root.parent / "other")
    assert _source.bring(other, Request("git", f"file://{repository}", old), commands)["revision"] == old


def test_a_branch_that_moved_is_followed(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    first = _source.bring(store, Request("git", f"file://{repository}", "main"), commands)
    (repository / "scripts/rq").write_text("newer\n")
    git(repository, "commit", "--quiet", "-am", "two")
    second = _source.bring(store, Request("git", f"file://{repository}", "main"), commands)
    assert second["revision"] != first["revision"]
    assert (Path(second["path"]) / "scripts/rq").read_text() == "newer\n"
    assert (Path(first["path"]) / "scripts/rq").read_text() == "scripts/rq\n"


def test_an_unknown_revision_is_told_with_the_remedy(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    with pytest.raises(DeploymentError, match="Finding nowhere failed") as error:
        _source.bring(store, Request("git", f"file://{repository}", "nowhere"), commands)
    assert "mission_control_revision" in error.value.remedy


@pytest.mark.parametrize("revision", ["", "  ", "--upload-pack=touch /tmp/x"])
def test_a_revision_that_is_none_is_refused(
    store: SourceStore, commands: BuildCommands, revision: str
) -> None:
    with pytest.raises(DeploymentError, match="mission_control_revision"):
        _source.bring(store, Request("git", "file:///x", revision), commands)


def test_an_unreachable_origin_names_the_setting(store: SourceStore, commands: BuildCommands) -> None:
    with pytest.raises(DeploymentError, match="Looking up main failed") as error:
        _source.bring(store, Request("git", "file:///nowhere/at/all", "main"), commands)
    assert "mission_control_source" in error.value.remedy
    assert error.value.details["output"]


def test_git_without_a_lock_file_is_refused_before_anything_is_exported(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    git(repository, "rm", "--quiet", "backend/uv.lock")
    git(repository, "commit", "--quiet", "-m", "broken")
    with pytest.raises(DeploymentError, match=r"has no backend/uv\.lock"):
        _source.bring(store, Request("git", f"file://{repository}", "main"), commands)
    assert [path.name for path in store.base.iterdir()] == ["repository.git"]


def test_git_in_check_mode_fetches_nothing(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    answer = _source.bring(store, Request("git", f"file://{repository}", "v1", check_mode=True), commands)
    assert answer["changed"] and answer["revision"] == git(repository, "rev-parse", "HEAD")
    assert not store.base.exists()


def test_a_fetch_that_was_killed_is_made_up_for(
    repository: Path, store: SourceStore, commands: BuildCommands
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    half = store.base / "repository.git"
    half.mkdir(parents=True)
    (half / "objects").mkdir()
    (half / "shallow.lock").write_text("")
    assert _source.bring(store, Request("git", f"file://{repository}", commit), commands)["changed"]


def test_sources_without_a_release_are_pruned(store: SourceStore, tree: Path) -> None:
    for revision in ("a" * 64, "b" * 64):
        files.remove(store.begin(revision) / "tree")
        trees.copy(tree, store.partial(revision) / "tree")
        store.finish(revision, kind="directory", origin=str(tree), described="", required=_source.REQUIRED)
    (store.base / "repository.git").mkdir()
    (store.base / ".cccccccccccc.partial").mkdir()
    removed = _source.prune(store, {"a" * 64})
    assert sorted(removed) == [".cccccccccccc.partial", "b" * 12]
    assert sorted(path.name for path in store.base.iterdir()) == ["a" * 12, "repository.git"]
