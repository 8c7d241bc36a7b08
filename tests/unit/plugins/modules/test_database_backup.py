"""The module against a release's settings; the programs leave what the real ones would leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import backup
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import database_backup

RELEASE = "0123456789ab-01234567"
DUMP = '#!/bin/sh\nfor word; do case "$word" in --file=*) echo data > "${word#--file=}";; esac; done\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    backend = tmp_path / "releases" / RELEASE / "backend"
    backend.mkdir(parents=True)
    (backend / ".env").write_text("DATABASE_URL=postgresql+psycopg://u:passw0rd-1@db/x\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("pg_dump", DUMP), ("pg_restore", "#!/bin/sh\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setattr(backup, "application_environment", lambda *_: {"PATH": f"{programs}:/usr/bin:/bin"})
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    arguments = {"root": str(root), "user": find_account().name, "release": RELEASE, **arguments}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        database_backup.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def backups(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "shared/backups").glob("*"))


def test_a_backup_is_taken_and_an_old_one_removed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = root / "shared/backups/before-migration-20200101T000000Z-a1.dump"
    old.parent.mkdir(parents=True)
    old.write_text("")
    result = call(capsys, root, schema=["b2"], keep=1)
    assert result["changed"] and result["removed"] == [str(old)]
    assert backups(root) == [Path(result["path"]).name]
    assert result["path"].endswith("-b2.dump")
    assert f"back up the database into {result['path']}" in result["diff"]["prepared"]


def test_check_mode_takes_none(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, root, schema=["b2"], _ansible_check_mode=True)
    assert result["changed"] and "-b2.dump" in result["diff"]["prepared"] and backups(root) == []


def test_a_failure_shows_the_output_without_the_password(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "bin/pg_dump").write_text('#!/bin/sh\necho "no login with $PGPASSWORD"\nexit 1\n')
    result = call(capsys, root)
    assert "Nothing was migrated" in result["msg"] and "no login with" in result["output"][-1]
    assert "passw0rd" not in json.dumps(result) and backups(root) == []


def test_without_a_release_nothing_is_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, root, release="0123456789ab-00000000")["kind"] == "no_release"
