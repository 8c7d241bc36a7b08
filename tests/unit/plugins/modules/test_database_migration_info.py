"""The comparison of a database with a release; the release's Python answers as in test_database_migration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import database_migration_info

RELEASE = "0123456789ab-01234567"


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    backend = tmp_path / "releases" / RELEASE / "backend"
    versions = backend / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "a1.py").write_text('"""Add a1."""\nrevision = "a1"\ndown_revision = None\n')
    (versions / "b2.py").write_text('"""Add b2."""\nrevision = "b2"\ndown_revision = "a1"\n')
    (backend / ".env").write_text("DATABASE_URL=postgresql+psycopg://u:passw0rd-1@db/x\n")
    (backend.parent / "release.json").write_text(json.dumps({"id": RELEASE}))
    python = backend / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\ncat answer\n")
    python.chmod(0o755)
    return backend


def call(capsys: pytest.CaptureFixture[str], backend: Path, **arguments: Any) -> dict[str, Any]:
    given = {"root": str(backend.parents[2]), "user": find_account().name, "release": RELEASE, **arguments}
    with patch_module_args(given), pytest.raises(SystemExit):
        database_migration_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert not result.get("changed")
    return result


@pytest.mark.parametrize(
    ("current", "relation", "pending"),
    [(["a1"], "behind", ["b2"]), (["b2"], "same", []), ([], "behind", ["a1", "b2"])],
)
def test_what_is_missing_is_told(
    backend: Path,
    capsys: pytest.CaptureFixture[str],
    current: list[str],
    relation: str,
    pending: list[str],
) -> None:
    (backend / "answer").write_text("@@" + json.dumps({"current": current, "empty": not current}))
    result = call(capsys, backend)
    assert (result["relation"], result["head"], result["empty"]) == (relation, "b2", not current)
    assert [item["revision"] for item in result["pending"]] == pending


def test_a_newer_database_is_refused_or_told(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (backend / "answer").write_text("@@" + json.dumps({"current": ["zz"], "empty": False}))
    assert call(capsys, backend)["kind"] == "newer_schema"
    told = call(capsys, backend, refuse_newer=False)
    assert (told["relation"], told["code"], told["beyond"]) == ("ahead", None, [])


def test_what_is_not_there_yet_is_not_known(backend: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ({"release": ""}, {"user": "nosuchuser"}):
        result = call(capsys, backend, _ansible_check_mode=True, **arguments)
        assert (result["known"], result["head"]) == (False, None)
