from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import question
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.query import (
    Answer,
    QueryError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.libraries import (
    MissingLibraryError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import MASK
from ansible_collections.openclaw.mission_control.plugins.modules import database_query
from controller import HIDDEN, WITH_INVOCATION, received

URL = "postgresql+psycopg://mc:the-password@127.0.0.1:5432/mc"


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        database_query.main()
    output = received(capsys.readouterr().out)
    assert "the-password" not in output
    result: dict[str, Any] = json.loads(output)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def ask(url: str, query: str, **more: Any) -> Answer:
        found.append({"url": url, "query": query, **more})
        return Answer(
            ["name", "api_token"], ["text", "text"], [["Ada", "x1"]], truncated=True, duration_ms=3.0
        )

    monkeypatch.setattr(question, "ask", ask)
    return found


def test_with_the_deployed_address(
    capsys: pytest.CaptureFixture[str], asked: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/.env").write_text(f"DATABASE_URL={URL}\n")
    result = call(capsys, query="SELECT 1", root=str(tmp_path), limit=5, timeout=2.5, parameters={"a": 1})
    assert asked[0]["url"] == URL
    assert (asked[0]["limit"], asked[0]["statement_timeout"], asked[0]["parameters"]) == (5, 2.5, {"a": 1})
    assert result["rows"] == [{"name": "Ada", "api_token": MASK}]
    assert result["row_count"] == 1 and result["truncated"] and not result["changed"]
    assert result["table"].splitlines()[2].split() == ["Ada", MASK]
    documented = set(yaml.safe_load(database_query.RETURN))
    assert documented - {"kind"} == set(result) - {"changed", "invocation"}


def test_without_masking(capsys: pytest.CaptureFixture[str], asked: list[dict[str, Any]]) -> None:
    result = call(capsys, query="SELECT 1", database_url=URL, mask=False, **WITH_INVOCATION)
    assert result["rows"] == [{"name": "Ada", "api_token": "x1"}]
    assert result["invocation"]["module_args"]["database_url"] == HIDDEN


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"limit": 0}, "bad_option"),
        ({"limit": 10**6}, "bad_option"),
        ({"timeout": 0}, "bad_option"),
        ({"parameters": "x"}, "bad_option"),
        ({"database_url": "", "root": "/nowhere"}, "no_database_url"),
        ({"database_url": "", "user": "nobody-at-all"}, "no_such_user"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str], asked: list[dict[str, Any]], arguments: dict[str, Any], kind: str
) -> None:
    result = call(capsys, **{"query": "SELECT 1", "database_url": URL, **arguments})
    assert result["failed"] and result["kind"] == kind, result["msg"]
    assert asked == [] and result["rows"] == []


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (QueryError("read_only", "It would write.", "Ask."), "read_only", "It would write. Ask."),
        (
            MissingLibraryError("psycopg2", "python3-psycopg2"),
            "missing_library",
            "apt-get install python3-psycopg2",
        ),
    ],
)
def test_why_there_is_no_answer(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    kind: str,
    message: str,
) -> None:
    def ask(*arguments: Any, **more: Any) -> None:
        raise error

    monkeypatch.setattr(question, "ask", ask)
    result = call(capsys, query="SELECT 1", database_url=URL)
    assert result["failed"] and result["kind"] == kind and message in result["msg"]
