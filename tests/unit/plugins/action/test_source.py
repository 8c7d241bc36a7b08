"""The source from the controller's side, through Ansible itself and its local connection."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from adhoc import adhoc
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account


def call(tmp_path: Path, source: Path | str, *more: str, **arguments: str) -> dict[str, Any]:
    arguments = {
        "source": str(source),
        "root": str(tmp_path / "root"),
        "user": find_account().name,
        **arguments,
    }
    return adhoc("source", arguments, tmp_path, *more)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "product"
    for name in ("backend/uv.lock", "frontend/package-lock.json", "scripts/rq", "frontend/node_modules/big"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_a_directory_is_brought_once_and_without_leftovers(tmp_path: Path, tree: Path) -> None:
    predicted = call(tmp_path, tree, "--check")
    assert predicted["changed"] and not (tmp_path / "root").exists()
    first = call(tmp_path, tree)
    assert first["changed"] and first["revision"] == trees.fingerprint(tree) == predicted["revision"]
    assert not (Path(first["path"]) / "frontend/node_modules").exists()
    second = call(tmp_path, tree)
    assert (second["changed"], second["path"]) == (False, first["path"])
    assert list((tmp_path / "remote").rglob("source*")) == []


def test_an_archive_from_the_controller(tmp_path: Path, tree: Path) -> None:
    archive = tmp_path / "product.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("backend/uv.lock", "frontend/package-lock.json"):
            file.writestr(f"product-main/{name}", name)
    digest = files.file_digest(archive)
    refused = call(tmp_path, archive, checksum="sha256:" + "0" * 64)
    assert refused["failed"] and "mission_control_source_checksum" in refused["msg"]
    brought = call(tmp_path, archive, checksum=f"sha256:{digest}")
    assert brought["changed"] and brought["revision"] == digest and brought["described"] == "product.zip"
    assert (Path(brought["path"]) / "backend/uv.lock").exists()


@pytest.mark.parametrize("missing", ["backend/uv.lock", "frontend/package-lock.json"])
def test_a_source_without_a_lock_file_changes_nothing(tmp_path: Path, tree: Path, missing: str) -> None:
    (tree / missing).unlink()
    refused = call(tmp_path, tree)
    assert refused["failed"] and f"has no {missing}" in refused["msg"]
    archive = tmp_path / "product.tar.gz"
    trees.pack(tree, archive)
    refused = call(tmp_path, archive)
    assert refused["failed"] and f"has no {missing}" in refused["msg"]
    assert not (tmp_path / "root").exists()


def test_what_is_no_source_is_told(tmp_path: Path) -> None:
    assert "is neither a directory nor an archive" in call(tmp_path, tmp_path / "nowhere")["msg"]
    (tmp_path / "x.tar.gz").write_text("no archive")
    assert "cannot be read as an archive" in call(tmp_path, tmp_path / "x.tar.gz")["msg"]
    assert "mission_control_source: empty" in call(tmp_path, " ")["msg"]
    assert "needs its SHA-256" in call(tmp_path, "https://example.invalid/x.tar.gz")["msg"]
