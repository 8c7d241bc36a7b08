"""JSON of others, and that nobody reads it any other way."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._plain_json import parse_json

UTILS = Path(__file__).parents[4] / "plugins" / "module_utils"


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 100_000, "", "{", b"\xff"])
def test_whatever_is_wrong_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(text)


def test_data_are_data() -> None:
    assert parse_json('{"a": [1, null]}') == {"a": [1, None]}


def test_nobody_reads_json_any_other_way() -> None:
    found = [
        f"{path.relative_to(UTILS)}:{node.lineno}"
        for path in UTILS.rglob("*.py")
        if path.name != "_plain_json.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.loads", "json.load")
    ]
    assert found == ["_command/verify.py:19"]
