"""The module's decisions; the release's Python is a script that answers as the program for it does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import schema
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.modules import (
    database_migration,
    database_migration_info,
)
from controller import received

RELEASE = "0123456789ab-01234567"
PYTHON = """#!/bin/sh
echo "$3 $DATABASE_URL $PGOPTIONS" >> calls
echo some output of alembic
cat "answer-$3"
[ ! -e "fail-$3" ]
"""


class Host:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.backend = root / "releases" / RELEASE / "backend"
        versions = self.backend / "migrations" / "versions"
        versions.mkdir(parents=True)
        for name, parent in (("a1", "None"), ("b2", "'a1'"), ("c3", "'b2'")):
            (versions / f"{name}.py").write_text(
                f'"""Add {name}."""\nrevision = "{name}"\ndown_revision = {parent}\n'
            )
        (self.backend / ".env").write_text("DATABASE_URL=postgresql+psycopg://u:passw0rd-1@db/x\n")
        (self.backend.parent / "release.json").write_text(json.dumps({"id": RELEASE}))
        python = self.backend / ".venv/bin/python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON)
        python.chmod(0o755)

    def answers(self, order: str, **answer: Any) -> None:
        if order == "look" and "current" in answer:
            answer = {"empty": not answer["current"], **answer}
        (self.backend / f"answer-{order}").write_text("@@" + json.dumps(answer) + "\n")

    def outcome(self) -> dict[str, Any]:
        told = json.loads((self.backend.parent / "release.json").read_text())
        return dict(told.get("outcome") or {})

    def calls(self) -> list[str]:
        return [line.split()[0] for line in (self.backend / "calls").read_text().splitlines()]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def call(
    capsys: pytest.CaptureFixture[str], host: Host, module: ModuleType = database_migration, **arguments: Any
) -> dict[str, Any]:
    arguments = {"root": str(host.root), "user": find_account().name, "release": RELEASE, **arguments}
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        module.main()
    result: dict[str, Any] = json.loads(received(capsys.readouterr().out))
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def look(capsys: pytest.CaptureFixture[str], host: Host, **arguments: Any) -> dict[str, Any]:
    """What the module database_migration_info tells of it."""
    return call(capsys, host, module=database_migration_info, **arguments)


def test_what_is_missing_is_applied(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.answers("look", current=["a1"])
    host.answers("upgrade", current=["c3"])
    result = call(capsys, host)
    assert result["changed"] and result["current"] == ["c3"] and result["head"] == "c3"
    assert result["applied"] == ["b2", "c3"]
    assert result["pending"] == [
        {"revision": "b2", "message": "Add b2."},
        {"revision": "c3", "message": "Add c3."},
    ]
    assert host.calls() == ["look", "upgrade"]
    line = (host.backend / "calls").read_text().splitlines()[1]
    assert line.endswith("-c lock_timeout=5000")
    log = (host.root / "shared/log/migration.log").read_text()
    assert "some output of alembic" in log and "passw0rd" not in log


def test_a_database_at_the_head_is_only_looked_at(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.answers("look", current=["c3"])
    result = call(capsys, host)
    assert (result["changed"], result["pending"], host.calls()) == (False, [], ["look"])
    assert not (host.root / "shared/log/migration.log").exists()
    assert result["diff"]["before"] == result["diff"]["after"]


@pytest.mark.parametrize(
    ("module", "arguments", "changed"),
    [(database_migration, {"_ansible_check_mode": True}, True), (database_migration_info, {}, False)],
)
def test_check_mode_and_inspection_show_and_do_nothing(
    host: Host,
    capsys: pytest.CaptureFixture[str],
    module: ModuleType,
    arguments: dict[str, Any],
    changed: bool,
) -> None:
    host.answers("look", current=[])
    result = call(capsys, host, module=module, **arguments)
    assert result["changed"] is changed
    assert host.calls() == ["look"]
    assert result["diff"]["before"] == "empty\n" and result["empty"] is True
    assert result["diff"]["after"] == "apply a1: Add a1.\napply b2: Add b2.\napply c3: Add c3.\nat c3\n"


def test_what_nobody_migrated_need_not_be_empty(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.answers("look", current=[], empty=False)
    assert look(capsys, host)["empty"] is False


def test_check_mode_before_anything_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = Host(tmp_path)
    result = call(capsys, host, release="", _ansible_check_mode=True)
    assert result["changed"] and result["head"] is None and result["known"] is False
    assert "the source is not on the host yet" in result["diff"]["prepared"]


def test_check_mode_looks_into_the_source_of_a_release_to_come(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.root / "current").symlink_to(f"releases/{RELEASE}")
    host.answers("look", current=["c3"])
    versions = host.root / "shared/source/fedcba987654/tree/backend/migrations/versions"
    versions.mkdir(parents=True)
    for path in (host.backend / "migrations/versions").iterdir():
        (versions / path.name).write_text(path.read_text())
    (versions / "d4.py").write_text('"""Add d4."""\nrevision = "d4"\ndown_revision = "c3"\n')
    result = call(capsys, host, release="fedcba987654-01234567", _ansible_check_mode=True)
    assert [item["revision"] for item in result["pending"]] == ["d4"]


@pytest.mark.parametrize(
    ("wanted", "pending"),
    [
        # A password that is still to be set: the database is the one that is there.
        ("postgresql+psycopg://u:passw0rd-2@db/x", []),
        ("postgresql+psycopg://other:passw0rd-2@db:5432/x", []),
        # Another database: it is made, or at least empty as far as anybody knows.
        ("postgresql+psycopg://u:passw0rd-1@db/y", ["a1", "b2", "c3"]),
        ("postgresql+psycopg://u:passw0rd-1@elsewhere/x", ["a1", "b2", "c3"]),
    ],
)
def test_check_mode_asks_the_database_of_the_release_to_come(
    host: Host, capsys: pytest.CaptureFixture[str], wanted: str, pending: list[str]
) -> None:
    (host.root / "current").symlink_to(f"releases/{RELEASE}")
    tree = host.root / "shared/source/fedcba987654/tree"
    tree.mkdir(parents=True)
    (tree / "backend").symlink_to(host.backend)
    python = host.backend / ".venv/bin/python"
    python.write_text(
        '#!/bin/sh\ncase "$DATABASE_URL" in *u:passw0rd-1@db/x) answer=look;; *) answer=refused;; esac\n'
        'cat "answer-$answer"\n'
    )
    host.answers("look", current=["c3"])
    host.answers("refused", error="connect", message="password authentication failed for passw0rd-2")
    result = call(
        capsys, host, release="fedcba987654-01234567", database_url=wanted, _ansible_check_mode=True
    )
    assert [item["revision"] for item in result["pending"]] == pending
    assert "passw0rd" not in json.dumps({**result, "invocation": ""})


def test_without_a_release_it_says_what_to_do_first(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    result = call(capsys, host, release="")
    assert result["kind"] == "no_release" and "Prepare it first" in result["msg"]


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (
            {"error": "connect", "message": "connection refused"},
            r"postgresql+psycopg://u:********@db/x cannot be reached: ",
        ),
        ({"current": ["zzz"]}, "at zzz, which this release does not know"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(
    host: Host, capsys: pytest.CaptureFixture[str], look: dict[str, Any], told: str
) -> None:
    host.answers("look", **look)
    result = call(capsys, host)
    assert told in result["msg"]
    assert "passw0rd" not in json.dumps(result)
    assert host.calls() == ["look"]


def test_several_heads_are_refused_before_the_database_is_asked(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.backend / "migrations/versions/x.py").write_text('revision = "x"\ndown_revision = "a1"\n')
    assert "2 heads: c3, x" in call(capsys, host)["msg"]
    assert not (host.backend / "calls").exists()


def test_a_migration_that_fails_shows_its_output(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.answers("look", current=["a1"])
    trace = "psycopg.errors.DuplicateColumn: twice\nsqlalchemy.exc.ProgrammingError: (twice)\n"
    (host.backend / "answer-upgrade").write_text(f"{trace}DuplicateColumn near passw0rd-1\n")
    (host.backend / "fail-upgrade").touch()
    result = call(capsys, host, made_by="me@here")
    assert "Migrating the database failed" in result["msg"] and "the schema is as before" in result["msg"]
    assert result["output"][-1] == "DuplicateColumn near ********"
    outcome = host.outcome()
    assert (outcome["state"], outcome["by"]) == ("failed", "me@here")
    assert outcome["reason"] == "migration: sqlalchemy.exc.ProgrammingError: (twice)"


@pytest.mark.parametrize(
    ("upgrade", "told", "state"),
    [
        ({"error": "locked"}, "Another migration has been running", None),
        ({"current": ["b2"]}, "at b2, not at c3", "failed"),
    ],
)
def test_the_head_must_be_reached(
    host: Host, capsys: pytest.CaptureFixture[str], upgrade: dict[str, Any], told: str, state: str | None
) -> None:
    host.answers("look", current=["a1"])
    host.answers("upgrade", **upgrade)
    assert told in call(capsys, host)["msg"]
    assert host.outcome().get("state") == state


def test_the_program_for_the_releases_python_is_python() -> None:
    compile(schema.PROGRAM, "program", "exec")


def test_check_mode_on_a_host_without_the_user(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, host, user="nosuchuser", _ansible_check_mode=True)["changed"]
    assert "no user nosuchuser" in call(capsys, host, user="nosuchuser")["msg"]


OLDER = "aaaaaaaaaaaa-01234567"


def older(host: Host) -> None:
    """A release that does not know the last migration."""
    backend = host.root / "releases" / OLDER / "backend"
    shutil.copytree(host.backend, backend)
    (backend / "migrations/versions/c3.py").unlink()
    (backend / ".env").write_text("DATABASE_URL=postgresql+psycopg://u:passw0rd-1@db/moved\n")
    (backend.parent / "release.json").write_text(json.dumps({"id": OLDER}))
    (backend / "answer-look").write_text("@@" + json.dumps({"current": ["c3"], "empty": False}) + "\n")


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_a_release_does_not_know_is_taken_back_with_the_code_of_one_that_does(
    host: Host, capsys: pytest.CaptureFixture[str], check_mode: bool
) -> None:
    older(host)
    host.answers("downgrade", current=["b2"])
    result = call(capsys, host, release=OLDER, state="downgraded", _ansible_check_mode=check_mode)
    assert result["changed"] and (result["code"], result["taken_back"]) == (RELEASE, ["c3"])
    assert result["diff"]["after"] == "take back c3: Add c3.\nat b2\n"
    if check_mode:
        assert not (host.backend / "calls").exists()
        return
    assert result["current"] == ["b2"]
    # The newer code, and the database of the older release.
    (line,) = (host.backend / "calls").read_text().splitlines()
    assert line.startswith("downgrade postgresql+psycopg://u:passw0rd-1@db/moved")


def test_nothing_is_taken_back_from_a_database_that_fits(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    host.answers("look", current=["c3"])
    result = call(capsys, host, state="downgraded")
    assert not result["changed"] and result["taken_back"] == [] and host.calls() == ["look"]


def test_a_way_back_that_nobody_knows_is_told(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.answers("look", current=["zz"])
    result = call(capsys, host, state="downgraded")
    assert result["kind"] == "no_code" and "knows the way back to c3" in result["msg"]
    assert look(capsys, host, refuse_newer=False)["code"] is None
