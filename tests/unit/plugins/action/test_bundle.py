# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A bundle from the controller's side, through Ansible itself and its local connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adhoc import adhoc
from ansible_collections.openclaw.mission_control.plugins.module_utils import _bundle
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import source

REVISION = "a" * 40


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """No Debian packages: apt belongs to the scenario."""
    parts, tree = tmp_path / "made", tmp_path / "product"
    parts.mkdir()
    for name in ("backend/uv.lock", "frontend/package-lock.json", "scripts/rq"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    told: dict[str, Any] = {"format": _bundle.FORMAT, "parts": {}}
    for kind, key in (("wheels", ""), ("source", REVISION[:12]), ("backend", "e1"), ("openclaw", "x")):
        name = _bundle.part_name(kind, key)
        _bundle.pack_directory(tree, parts / name)
        told["parts"][name] = _bundle.describe_part(parts / name, kind)
    told["source"] = {
        "revision": REVISION,
        "kind": "git",
        "origin": "https://host/x.git",
        "described": "v1",
        "asked": "v1",
        "tree": trees.fingerprint(tree),
    }
    _bundle.compose(tmp_path / "bundle.tar", told, parts)
    return tmp_path / "bundle.tar"


def test_a_host_is_sent_what_it_lacks_and_nothing_twice(tmp_path: Path, bundle: Path) -> None:
    wish = {"path": str(bundle), "directory": str(tmp_path / "host"), "components": ["worker"]}
    predicted = adhoc("bundle", wish, tmp_path, "--check")
    wanted = ["backend-e1.tar.gz", f"source-{REVISION[:12]}.tar.gz", "wheels.tar"]
    assert predicted["changed"] and predicted["missing"] == wanted and not (tmp_path / "host").exists()
    first = adhoc("bundle", wish, tmp_path)
    assert first["changed"] and first["missing"] == wanted
    # The gateway's tree is not for this host.
    assert 0 < first["uploaded_bytes"] < bundle.stat().st_size
    second = adhoc("bundle", wish, tmp_path)
    assert (second["changed"], second["missing"], second["uploaded_bytes"]) == (False, [], 0)
    third = adhoc("bundle", wish | {"components": ["worker", "gateway"]}, tmp_path)
    assert third["missing"] == ["openclaw-x.tar.gz"]
    assert list((tmp_path / "remote").rglob("bundle.tar")) == []
    gone = adhoc("bundle", {"state": "absent", "directory": str(tmp_path / "host")}, tmp_path)
    assert gone["changed"] and not (tmp_path / "host").exists()


def test_a_bundle_that_is_none_changes_nothing(tmp_path: Path) -> None:
    told = adhoc("bundle", {"path": str(tmp_path / "x.tar"), "directory": str(tmp_path / "host")}, tmp_path)
    assert told["failed"] and told["msg"].startswith(
        f"mission_control_bundle: {tmp_path}/x.tar does not exist"
    )
    assert not (tmp_path / "host").exists()


def test_the_source_of_a_bundle_keeps_its_name(tmp_path: Path, bundle: Path) -> None:
    directory = tmp_path / "host"
    adhoc("bundle", {"path": str(bundle), "directory": str(directory), "components": ["worker"]}, tmp_path)
    wish = {
        # Not on this controller, and not asked for.
        "source": "/nowhere/at/all",
        "revision": "main",
        "bundle": str(bundle),
        "bundle_directory": str(directory),
        "root": str(tmp_path / "root"),
        "user": find_account().name,
    }
    assert adhoc("source", wish, tmp_path, "--check")["changed"]
    first = adhoc("source", wish, tmp_path)
    assert first["changed"] and first["revision"] == REVISION and first["described"] == "v1"
    told = source.SourceStore(tmp_path / "root").description(REVISION)
    assert told is not None and (told["kind"], told["origin"]) == ("git", "https://host/x.git")
    # Once it is there the bundle on the host is not needed for it.
    adhoc("bundle", {"state": "absent", "directory": str(directory)}, tmp_path)
    assert adhoc("source", wish, tmp_path)["changed"] is False


def test_a_source_without_its_bundle_is_told(tmp_path: Path, bundle: Path) -> None:
    wish = {"source": "x", "bundle": str(bundle), "bundle_directory": str(tmp_path / "none")}
    told = adhoc("source", wish | {"root": str(tmp_path / "root"), "user": find_account().name}, tmp_path)
    assert told["failed"] and told["kind"] == "no_bundle" and "Bring the bundle first" in told["msg"]
