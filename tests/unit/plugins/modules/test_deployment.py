"""The module around deployments: begin, be refused, end, list."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.locks import deployment_lock
from ansible_collections.openclaw.mission_control.plugins.module_utils._release import deployments, history
from ansible_collections.openclaw.mission_control.plugins.modules import deployment, deployment_info
from controller import received
from users_place import OBSTACLES, SECRET, USER, give, obstruct, users_place


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(history, "DIRECTORY", tmp_path / "lib")
    (tmp_path / "root" / "shared").mkdir(parents=True)
    return tmp_path / "root"


def answer(
    capsys: pytest.CaptureFixture[str], root: Path, module: ModuleType = deployment, **arguments: Any
) -> dict[str, Any]:
    with (
        patch_module_args({"root": str(root), "user": find_account().name, **arguments}),
        pytest.raises(SystemExit),
    ):
        module.main()
    output = received(capsys.readouterr().out)
    assert "hunter2" not in output  # nor in the invocation
    result: dict[str, Any] = json.loads(output)
    return result


def call(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    result = answer(capsys, root, **arguments)
    assert result["changed"] is False
    return result


def look(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    """What the module deployment_info tells of it."""
    return call(capsys, root, module=deployment_info, **arguments)


def test_one_at_a_time(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://me:hunter2hunter2@example.org/a.git"
    assert "running" not in call(capsys, root, state="begun", run="1", by="me@here", source=url)
    with deployment_lock(root / "shared/.lock", purpose="preparing a release", timeout=0):
        refused = call(capsys, root, state="begun", run="2")
    assert refused["running"]["run"] == "1" and "hunter2" not in str(refused)
    assert "deploy by me@here" in refused["holder"] and "it is preparing a release" in refused["holder"]
    assert "recorded" not in call(capsys, root, state="ended", run="2", result="failed")
    recorded = call(capsys, root, state="ended", run="1", result="deployed")["recorded"]
    assert recorded["result"] == "unchanged"
    assert "running" not in call(capsys, root, state="begun", run="2")
    told = look(capsys, root)
    assert told["history"] == [recorded] and told["running"]["run"] == "2"


def test_root_remembers_which_revisions_were_deployed(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what was tried in vain, and not what the releases say of themselves."""
    monkeypatch.setattr(deployments, "REVISIONS", 3)
    assert look(capsys, root)["revisions"] == []
    a, b, c, d, e = (letter * size for letter, size in zip("abcde", (40, 40, 64, 40, 40), strict=True))
    for number, (result, revision) in enumerate(
        [("deployed", a), ("failed", b), ("deployed", c), ("rolled_back", ""), ("deployed", a)]
    ):
        call(capsys, root, state="begun", run=str(number))
        # A failed one fails here, too.
        answer(capsys, root, state="ended", run=str(number), result=result, revision=revision)
    assert look(capsys, root)["revisions"] == [c, a]
    for revision in (d, e):
        call(capsys, root, state="begun", run=revision)
        call(capsys, root, state="ended", run=revision, result="deployed", revision=revision)
    assert look(capsys, root)["revisions"] == [a, d, e]
    # What it is told comes from the user's process: a name that moves would be another commit tomorrow.
    for number, revision in enumerate(("main", "refs/pull/7/head", "a" * 39, "A" * 40, "a" * 41, f"{a}\n")):
        call(capsys, root, state="begun", run=f"moving{number}")
        call(capsys, root, state="ended", run=f"moving{number}", result="deployed", revision=revision)
    assert look(capsys, root)["revisions"] == [a, d, e]
    remembered = history.DIRECTORY / f"revisions-{find_account().name}.json"
    remembered.write_text(json.dumps(["main", a, d]))
    assert look(capsys, root)["revisions"] == [a, d]
    call(capsys, root, state="begun", run="directory")
    call(capsys, root, state="ended", run="directory", result="deployed", revision="none")
    assert look(capsys, root)["revisions"] == []
    assert remembered.stat().st_mode & 0o777 == 0o600


def test_an_interrupted_run_is_recorded_by_the_next(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call(capsys, root, state="begun", run="1", by="me@here")
    monkeypatch.setattr(history, "GRACE", 0.0)
    told = call(capsys, root, state="begun", run="2")
    assert (told["interrupted"]["run"], told["interrupted"]["result"]) == ("1", "interrupted")
    assert look(capsys, root)["history"] == [told["interrupted"]]


def test_check_mode_enters_and_records_nobody(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "running" not in call(capsys, root, state="begun", run="1", _ansible_check_mode=True)
    call(capsys, root, state="begun", run="2")
    assert call(capsys, root, state="begun", run="1", _ansible_check_mode=True)["running"]["run"] == "2"
    call(capsys, root, state="ended", run="2", result="deployed", _ansible_check_mode=True)
    assert look(capsys, root)["history"] == []


def test_on_a_host_without_the_user(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, other = root / "missing", {"user": "nobody-of-that-name"}
    call(capsys, missing, state="begun", run="1", **other)
    ended = call(capsys, missing, state="ended", run="1", result="failed", reason="no room", **other)
    assert (ended["recorded"]["result"], ended["recorded"]["reason"]) == ("failed", "no room")
    assert not missing.exists()


RELEASE = "0123456789ab-01234567"
NAMES = ("shared/.lock", "shared/history.jsonl", f"releases/{RELEASE}/release.json", "current")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", OBSTACLES)
def test_what_the_user_puts_in_place_of_a_file_leads_root_nowhere(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    kind: str,
) -> None:
    monkeypatch.setattr(history, "DIRECTORY", tmp_path / "lib")
    with users_place() as home:
        root = home / "app"
        (root / "shared").mkdir(parents=True)
        (root / "releases" / RELEASE).mkdir(parents=True)
        obstruct(root / name, kind)
        give(home)
        told = [
            call(capsys, root, user=USER, state="begun", run="1"),
            call(capsys, root, user=USER, state="begun", run="2"),
            look(capsys, root, user=USER),
            answer(capsys, root, user=USER, state="ended", run="1", result="failed", reason="no room"),
        ]
        # A history that cannot be written is told; nobody writes elsewhere.
        assert (root / name).name == "history.jsonl" or told[3]["recorded"]["reason"] == "no room"
        assert "recorded" in told[3] or f"({root / name})" in told[3]["msg"]
        assert "deploy by" in told[1]["holder"] and told[2]["running"]["run"] == "1"
        assert SECRET.strip() not in json.dumps(told)
        assert (home.parent / "secret").read_text() == SECRET
        owners = {path.lstat().st_uid for path in home.rglob("*")}
        assert owners == {find_account(USER).uid}
