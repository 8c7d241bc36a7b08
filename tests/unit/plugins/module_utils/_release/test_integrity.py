"""What is recorded of a release is its user's, as what stands there: neither makes a comparison endless."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import (
    drift,
    integrity,
    recording,
)

VAST = 10 << 40


@pytest.fixture(name="part")
def _part(tmp_path: Path) -> Path:
    part = tmp_path / "release/backend"
    part.mkdir(parents=True)
    for name in ("one.py", "two.py"):
        (part / name).write_text(name)
    recording.record(part)
    return part


def touched(path: Path) -> None:
    os.utime(path, (1, 1))


def test_another_time_alone_is_no_change(part: Path) -> None:
    touched(part / "one.py")
    assert integrity.changes(part) == ([], [])


@pytest.mark.parametrize("size", [VAST, integrity.LARGEST - 1])
def test_what_nobody_has_written_is_not_read(part: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    os.truncate(part / "one.py", size)
    recorded = json.loads((part / integrity.NAME).read_text())
    recorded["one.py"][0] = size
    (part / integrity.NAME).write_text(json.dumps(recorded))
    monkeypatch.setattr(integrity.comparing, "digest", lambda *_: pytest.fail("it was read"))
    assert integrity.changes(part) == (["one.py"], [])


def test_a_pipe_that_takes_a_files_place_is_not_waited_for(
    part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening."""
    touched(part / "one.py")
    touched(part / "two.py")
    looked = os.lstat(part / "one.py")
    (part / "one.py").unlink()
    os.mkfifo(part / "one.py")
    monkeypatch.setattr(Path, "lstat", lambda _self: looked)
    assert integrity.changes(part) == ([], ["one.py"])


def test_what_is_not_reached_in_time_is_told(part: Path) -> None:
    past = time.monotonic() - 1
    assert integrity.changes(part, past) == ([], ["one.py", "two.py"])
    assert list(integrity.told([], ["one.py"])) == ["one.py is missing or cannot be read (or not in time)"]
    found = integrity.foreign(part.parent, ("backend",), past)
    assert list(integrity.owned(found)) == ["there are too many files to be looked at in time, up to ."]


def test_a_source_is_compared_within_bounds(part: Path, tmp_path: Path) -> None:
    """It is its user's as well."""
    (part / integrity.NAME).unlink()
    trees.copy(part.parent, tmp_path / "source")
    for path in (part / "one.py", tmp_path / "source/backend/one.py"):
        os.truncate(path, VAST)
    touched(part / "one.py")
    told = list(drift._tree(part.parent, tmp_path / "source", "backend", integrity.deadline()))
    assert told == ["backend/one.py was changed"]
    past = time.monotonic() - 1
    told = list(drift._tree(part.parent, tmp_path / "source", "backend", past))
    assert "backend/one.py, backend/two.py" in told[0] and "not in time" in told[0]
