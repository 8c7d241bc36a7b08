"""The module's decisions; what it does to a database is tested with a real one in test_restore.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import restore
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import database_restore

RELEASE = "0123456789ab-01234567"
OLD, NEW = "before-migration-20260101T000000Z-a1.dump", "before-migration-20260202T000000Z-b2.dump"
PROGRAMS = {
    "python": '#!/bin/sh\necho \'@@{"current": ["b2"], "empty": false}\'\n',
    # The script is read to its end, as psql does.
    "psql": """#!/bin/sh
echo "$@" >>"$0.calls"
case "$*" in *--file=-*) cat >/dev/null ;; *) echo 'mission_control|app|t|t|app||' ;; esac
""",
    "pg_restore": "#!/bin/sh\necho '1; 2 3 TABLE public boards app'\n",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    backend = tmp_path / "releases" / RELEASE / "backend"
    (backend / "migrations/versions").mkdir(parents=True)
    (backend / "migrations/versions/a1.py").write_text('revision = "a1"\ndown_revision = None\n')
    (backend / ".env").write_text("DATABASE_URL=postgresql+psycopg://app:passw0rd-1@db/x\n")
    (tmp_path / "shared/backups").mkdir(parents=True)
    for name in (OLD, NEW):
        (tmp_path / "shared/backups" / name).touch()
    for name, text in PROGRAMS.items():
        path = (backend / ".venv/bin" if name == "python" else tmp_path / "bin") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    path = f"{tmp_path}/bin:/usr/bin:/bin"
    monkeypatch.setattr(restore, "application_environment", lambda *_: {"PATH": path})
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], root: Path, **arguments: Any) -> dict[str, Any]:
    arguments = {"root": str(root), "user": find_account().name, "release": RELEASE, **arguments}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        database_restore.main()
    output = capsys.readouterr().out
    assert "passw0rd" not in output
    result: dict[str, Any] = json.loads(output)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def psql(root: Path) -> list[str]:
    return (root / "bin/psql.calls").read_text().splitlines()


def test_the_newest_backup_that_fits_the_release_is_restored(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = call(capsys, root)
    assert result["changed"] and result["backup"].endswith(OLD)
    assert (result["before"], result["current"]) == (["b2"], ["a1"])
    assert result["kept"].startswith("public_before_20") and "--file=-" in psql(root)[-1]
    assert not any("passw0rd" in line for line in psql(root))


def test_check_mode_looks_at_the_rights_only(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, root, _ansible_check_mode=True)
    assert result["changed"] and f"{OLD}\n" in result["diff"]["after"] and "kept" not in result
    assert not any("--file=-" in line for line in psql(root))


def test_what_is_missing_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, root, release="0123456789ab-00000000")["kind"] == "no_release"
    assert "no file /nowhere" in call(capsys, root, backup="/nowhere")["msg"]
    (root / "shared/backups" / OLD).unlink()
    told = call(capsys, root)
    assert told["kind"] == "no_backup" and "of a database at a1" in told["msg"]
