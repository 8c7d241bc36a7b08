"""Lines of an environment file that nobody reads as they were meant."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.environment import render
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.environment_lines import odd_line


@pytest.mark.parametrize(
    ("text", "line", "name", "what"),
    [
        ('A=1\nTOKEN="abc\ndef"\nB=2\n', 2, "TOKEN", "goes on in the next line"),
        ("A=1\nTOKEN='abc\n", 2, "TOKEN", "goes on in the next line"),
        ("TOKEN=abc\\\ndef\n", 1, "TOKEN", "backslash"),
        ("A=1\nabc def\n", 2, "", "neither NAME=value"),
        ("A=1\x00\n", 1, "A", "control character"),
        ("A=1\r\nB=2\r\n", 0, "", ""),
        ("A=1\nB=2\nA=3\n", 3, "A", "twice, in line 1"),
    ],
)
def test_odd_lines(text: str, line: int, name: str, what: str) -> None:
    found = odd_line(text)
    assert (found or (0, "", ""))[:2] == (line, name)
    assert what in (found or (0, "", ""))[2]
    assert "abc" not in str(found) and "def" not in str(found)


def test_what_is_deployed_has_no_odd_line() -> None:
    values = {"A": "", "B": "x y", "C": "it's", "D": 'say "so"', "E": "'quoted'", "F": "# no comment"}
    assert odd_line(render(values, {"A"})) is None
    assert odd_line("# Secret: A\n\n; old\nA=1\n") is None
