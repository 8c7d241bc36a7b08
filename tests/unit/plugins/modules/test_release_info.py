"""Which releases there are, and where a rollback leads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import release_info

ONE, TWO = "111111111111-00000001", "222222222222-00000002"


def call(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    with (
        patch_module_args({"root": str(root), "user": find_account().name, **arguments}),
        pytest.raises(SystemExit) as ended,
    ):
        release_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for number, name in enumerate((ONE, TWO)):
        (root / "releases" / name / "backend").mkdir(parents=True)
        told = {
            "id": name,
            "created": f"2026-01-01T00:00:0{number}Z",
            "revision": name[:12],
            "components": ["backend"],
        }
        (root / "releases" / name / "release.json").write_text(json.dumps(told))
    (root / "current").symlink_to(f"releases/{ONE}")
    return root


def test_releases_are_listed_oldest_first(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, root)
    assert [item["id"] for item in result["releases"]] == [ONE, TWO]
    assert [item["current"] for item in result["releases"]] == [True, False]
    assert (result["changed"], result["current"]) == (False, ONE)


def test_where_a_rollback_leads_goes_by_what_runs_on_the_host(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, parts in ((ONE, ["backend", "frontend"]), (TWO, ["backend"])):
        path = root / "releases" / name / "release.json"
        told = json.loads(path.read_text()) | {"components": parts, "outcome": {"state": "verified"}}
        path.write_text(json.dumps(told))
    assert call(capsys, root)["fallback"] == TWO
    assert call(capsys, root, needed=["backend", "frontend"])["fallback"] is None
    told = call(capsys, root, choose=True, needed=["backend", "frontend"])
    assert f"release: {TWO} has no frontend, which the inventory has run on this host" in told["msg"]
    # What goes back by itself does not ask, and is told what to stop.
    told = call(capsys, root, choose=True, id=TWO)
    assert (told["id"], told["fallback"], told["lacks"]) == (TWO, ONE, ["worker", "frontend"])
    assert told["units_known"] is False
    for name in (ONE, TWO):
        (root / "releases" / name / "units.json").write_text('[{"name": "a.service"}]')
    assert call(capsys, root, choose=True, id=TWO)["units_known"] is True


def test_a_host_without_the_user_has_none_in_check_mode(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = call(capsys, root, user="nosuchuser", _ansible_check_mode=True)
    assert (told["changed"], told["releases"], told["fallback"]) == (False, [], None)
    assert "no user nosuchuser" in call(capsys, root, user="nosuchuser")["msg"]
