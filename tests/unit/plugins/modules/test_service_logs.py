from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.log_format import (
    LogRecord,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import MASK, Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._services.logs import Found, Question
from ansible_collections.openclaw.mission_control.plugins.modules import service_logs

TOKEN = "the-token-of-this-deployment"


def call(capsys: pytest.CaptureFixture[str], **arguments: Any) -> dict[str, Any]:
    with patch_module_args({"user": find_account().name, **arguments}), pytest.raises(SystemExit) as ended:
        service_logs.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 0) is not result.get("failed", False)
    return result


def test_the_question_and_the_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend/.env").write_text(f"LOCAL_AUTH_TOKEN={TOKEN}\n")
    asked: list[Question] = []

    def collect(account: Any, question: Question, now: float, *, redactor: Redactor, **more: Any) -> Found:
        asked.append(question)
        message = redactor.text(f"sent {TOKEN}")
        record = LogRecord(1.0, "mission-control-backend.service", "x", 5, "error", message, "text")
        return Found([record], read=9, more=True)

    monkeypatch.setattr(service_logs, "collect", collect)
    result = call(
        capsys,
        root=str(tmp_path),
        services=["backend"],
        lines=5,
        since="@10",
        before="@20",
        level="warning",
        pattern="x",
    )
    question = asked[0]
    assert (question.since, question.until, question.lines, question.level) == (10.0, 20.0, 5, "warning")
    assert question.pattern is not None and question.pattern.pattern == "x"
    assert result["entries"][0]["message"] == f"sent {MASK}"
    assert (result["read"], result["more"], result["changed"]) == (9, True, False)
    documented = yaml.safe_load(service_logs.RETURN)
    assert set(result) - {"changed", "invocation"} == set(documented)
    assert set(result["entries"][0]) == set(documented["entries"]["contains"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": "soon"}, "since: 'soon' is not a valid time"),
        ({"until": "25:00"}, "until: '25:00' is not a valid time"),
        ({"since": "@20", "until": "@10"}, "since: '@20' lies after until"),
        ({"lines": 0}, "lines: 0 is not between"),
        ({"lines": 1000000}, "lines: 1000000 is not between"),
        ({"pattern": "("}, "pattern: '(' is not a valid regular expression"),
        ({"level": "loud"}, "loud"),
        ({"services": ["x"]}, "x"),
        ({"user": "nobody-at-all"}, "no user nobody-at-all"),
    ],
)
def test_bad_input(capsys: pytest.CaptureFixture[str], arguments: dict[str, Any], message: str) -> None:
    result = call(capsys, **arguments)
    assert result["failed"] and message in result["msg"]


def test_all_mistakes_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    message = call(capsys, since="soon", lines=0, pattern="(")["msg"]
    assert all(name in message for name in ("since:", "lines:", "pattern:"))
