# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module adoption as this process runs it; what it does on a host is in the scenario adoption."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._adoption import discovery, registry
from ansible_collections.openclaw.mission_control.plugins.module_utils._adoption.record import (
    Installation,
    Record,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account

ME = pwd.getpwuid(os.geteuid()).pw_name
RunModule = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("state", ["read", "taken", "restored"])
@pytest.mark.parametrize("user", [ME, "nobody-of-this-name"])
def test_where_nothing_is_nothing_happens(
    run_module: RunModule, tmp_path: Path, state: str, user: str
) -> None:
    answer = run_module("adoption", state=state, user=user, root=str(tmp_path / "root"))
    assert answer["changed"] is False and answer["found"] is False
    assert list(tmp_path.iterdir()) == []


# --- what root believes ----------------------------------------------------------------------------

USER = find_account("nobody")
URL = "postgresql+psycopg://hand:made@localhost:5432/made_by_hand"
FORGED = "postgresql+psycopg://a:b@localhost/another_applications"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "STATE_DIRECTORY", tmp_path / "state")
    return tmp_path / "state"


@pytest.fixture
def root(state: Path) -> Iterator[Path]:
    """A checkout that was set up by hand, of a user that is not root."""
    place = Path(tempfile.mkdtemp(prefix="mission-control-test-"))
    root = place / "mission-control"
    for name in ("backend/app", "frontend", "scripts"):
        (root / name).mkdir(parents=True)
    (root / "backend/app/main.py").touch()
    (root / "backend/.env").write_text(f"DATABASE_URL={URL}\n")
    give(place)
    yield root
    shutil.rmtree(place)


def give(place: Path) -> None:
    for path in (place, *place.rglob("*")):
        os.chown(path, USER.uid, USER.gid, follow_symlinks=False)


def forge(root: Path, phase: str) -> None:
    """The user writes a record, in which another application's database is said to be his."""
    (root / "shared").mkdir(exist_ok=True)
    found = Installation(str(root), "guide", backend={"DATABASE_URL": FORGED})
    text = Record(phase, "2026-01-01T00:00:00Z", str(root / "before-20260101-000000"), found).text()
    (root / "shared/adopted.json").write_text(text)
    give(root)


def run(run_module: RunModule, root: Path, state: str, **more: Any) -> dict[str, Any]:
    return run_module("adoption", user=USER.name, root=str(root), state=state, **more)


def test_what_stands_there_is_found_and_root_writes_it_down_before_it_is_taken(
    run_module: RunModule, root: Path, state: Path
) -> None:
    found = run(run_module, root, "read")
    assert found["adopting"] is True and found["backend"] == {"DATABASE_URL": URL}
    run(run_module, root, "taken", check_mode=True)
    assert not state.exists()
    assert run(run_module, root, "taken")["changed"] is True
    (record,) = state.iterdir()
    assert (record.stat().st_uid, record.stat().st_mode & 0o777) == (0, 0o600)
    assert state.stat().st_mode & 0o777 == 0o700
    assert (root / "shared/adopted.json").stat().st_uid == USER.uid
    again = run(run_module, root, "read")
    assert again["adopting"] is True and again["phase"] == "taken"


@pytest.mark.parametrize("phase", ["taking", "taken", "done"])
def test_a_record_that_only_the_user_has_is_nothing(
    run_module: RunModule, root: Path, state: Path, phase: str
) -> None:
    forge(root, phase)
    (root / "current").symlink_to("releases/x")
    answer = run(run_module, root, "read")
    assert answer["found"] is False and "another_applications" not in str(answer)
    assert f"{root}/shared/adopted.json is ignored" in str(answer["warnings"])
    assert run(run_module, root, "taken")["changed"] is False
    told = discovery.inspect(USER, str(root))
    assert told is None and not state.exists()


@pytest.mark.parametrize("phase", ["taking", "taken", "done"])
def test_roots_record_counts_whatever_the_users_says(
    run_module: RunModule, root: Path, state: Path, phase: str
) -> None:
    run(run_module, root, "taken")
    forge(root, phase)
    answer = run(run_module, root, "read")
    assert answer["backend"] == {"DATABASE_URL": URL} and answer["adopting"] is True
    assert registry.complete(USER.name) is True and registry.complete(USER.name) is False
    answer = run(run_module, root, "read")
    assert answer["phase"] == "done" and answer["adopting"] is False
    assert answer["backend"] == {"DATABASE_URL": URL}
    told = discovery.inspect(USER, str(root))
    assert told is not None and told["state"] == "done"


def test_what_is_given_back_is_forgotten(run_module: RunModule, root: Path, state: Path) -> None:
    run(run_module, root, "taken")
    assert not (root / "backend").exists()
    assert run(run_module, root, "restored")["changed"] is True
    assert (root / "backend").is_dir() and list(state.iterdir()) == []
