"""The module around the releases: states, check mode, diff, secrets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.layout import Layout
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import files, trees
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.locks import deployment_lock
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import runtimes, source
from ansible_collections.openclaw.mission_control.plugins.modules import release
from controller import received

TOKEN = "t" * 64
ONE, TWO = "111111111111-00000001", "222222222222-00000002"


def call(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    with (
        patch_module_args({"root": str(root), "user": find_account().name, **arguments}),
        pytest.raises(SystemExit) as ended,
    ):
        release.main()
    output = received(capsys.readouterr().out)
    assert TOKEN not in output
    result: dict[str, Any] = json.loads(output)
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


@pytest.fixture
def revision(root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(runtimes, "MINIMUM_PYTHON", (3, 11))
    store = source.SourceStore(root)
    tree = root / "working-copy"
    for name in ("backend/uv.lock", "backend/pyproject.toml", "frontend/package-lock.json"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    found = trees.fingerprint(tree)
    files.remove(store.begin(found) / "tree")
    tree.rename(store.partial(found) / "tree")
    store.finish(found, kind="directory", origin="/src", described="", required=source.REQUIRED)
    return found


def prepared(revision: str, **more: Any) -> dict[str, Any]:
    return {
        "state": "prepared",
        "revision": revision,
        "python": sys.executable,
        "backend_environment": {"LOG_LEVEL": "INFO"},
        "backend_secrets": {"LOCAL_AUTH_TOKEN": TOKEN},
        **more,
    }


def test_switching_shows_and_makes_the_difference(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predicted = call(capsys, root, state="current", id=TWO, _ansible_check_mode=True)
    assert predicted["changed"] and str((root / "current").readlink()) == f"releases/{ONE}"
    assert predicted["diff"] == {
        "before": f"current -> releases/{ONE}\n",
        "after": f"current -> releases/{TWO}\n",
    }
    result = call(capsys, root, state="current", id=TWO)
    assert (result["changed"], result["previous"], result["current"]) == (True, ONE, TWO)
    assert str((root / "current").readlink()) == f"releases/{TWO}"
    assert call(capsys, root, state="current", id=TWO)["changed"] is False


def test_pruning_predicts_and_removes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, root, state="current", id=TWO)
    predicted = call(capsys, root, state="pruned", keep=1, _ansible_check_mode=True)
    assert predicted["removed"] == [ONE] and (root / "releases" / ONE).exists()
    assert call(capsys, root, state="pruned", keep=1, protect=[ONE])["changed"] is False
    assert call(capsys, root, state="pruned", keep=1)["removed"] == [ONE]
    assert [path.name for path in (root / "releases").iterdir()] == [TWO]


def test_preparing_is_predicted_with_its_steps_and_settings(
    root: Path, revision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(root.rglob("*"))
    result = call(capsys, root, **prepared(revision, libexec={"serve.py": "x"}, _ansible_check_mode=True))
    assert result["changed"] and result["id"].startswith(revision[:12])
    assert result["plan"][0] == "write shared/libexec/serve.py"
    assert "build the frontend" in result["plan"]
    assert result["diff"][0]["prepared"].splitlines() == result["plan"]
    assert "LOCAL_AUTH_TOKEN=********" in result["diff"][1]["after"]
    assert (result["current"], result["linked"]) == (ONE, False)
    assert sorted(root.rglob("*")) == before


def test_preparing_before_the_source_is_there_is_predicted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = call(capsys, root, **prepared("f" * 64, _ansible_check_mode=True))
    assert result["changed"] and result["id"] is None
    failed = call(capsys, root, **prepared("f" * 64))
    assert failed["kind"] == "no_source"


def test_a_setting_that_cannot_be_written_is_told_in_check_mode_too(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = prepared("f" * 64, backend_environment={"A": "two\nlines"}, _ansible_check_mode=True)
    assert "Backend setting A" in call(capsys, root, **wrong)["msg"]


def test_a_backend_needs_a_python(root: Path, revision: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "backend_python: /bin/false is not a Python"
        in call(capsys, root, **prepared(revision, python="/bin/false"))["msg"]
    )


def test_two_deployments_are_kept_apart(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with deployment_lock(Layout(root).lock, purpose="somebody's deployment", timeout=0):
        result = call(capsys, root, state="current", id=TWO, lock_timeout=0)
        assert result["kind"] == "locked" and "somebody's deployment" in result["msg"]
    assert str((root / "current").readlink()) == f"releases/{ONE}"


def test_what_a_state_needs_is_demanded(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "revision" in call(capsys, root, state="prepared")["msg"]
    assert "id" in call(capsys, root, state="current")["msg"]


def test_check_mode_on_a_host_without_the_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, tmp_path, user="nosuchuser", **prepared("f" * 64, _ansible_check_mode=True))
    assert result["changed"] and result["id"] is None and result["plan"]
    failed = call(capsys, tmp_path, user="nosuchuser", **prepared("f" * 64))
    assert failed["failed"] and "no user nosuchuser" in failed["msg"]
