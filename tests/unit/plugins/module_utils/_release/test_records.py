"""A process that runs from an earlier release is current as long as its part did not change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._release.places import same_part


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    for name, backend, frontend in (("a", "b1", "f1"), ("b", "b2", "f1")):
        (tmp_path / name / "frontend").mkdir(parents=True)
        told = {"id": name, "fingerprints": {"backend": backend, "frontend": frontend}}
        (tmp_path / name / "release.json").write_text(json.dumps(told))
    return tmp_path


def test_an_unchanged_part_is_the_same(releases: Path) -> None:
    assert same_part(releases / "a/frontend", releases / "b")
    assert same_part(str(releases / "a/frontend/sub"), releases / "b")
    assert not same_part(releases / "a/backend", releases / "b")


def test_what_is_not_told_is_not_the_same(releases: Path) -> None:
    assert not same_part("/somewhere/else", releases / "b")
    assert not same_part(releases / "a/scripts", releases / "b")
    assert not same_part(releases, releases / "b")
    assert not same_part(releases / "a", releases / "b")
    (releases / "a/release.json").unlink()
    assert not same_part(releases / "a/frontend", releases / "b")
