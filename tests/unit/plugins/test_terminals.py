"""Commands that root is told to type: none gives a user's program root's own terminal.

Who has it as the controlling terminal can put letters into what root types (TIOCSTI).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

COLLECTION = Path(__file__).resolve().parents[3]
PAGES = sorted([*(COLLECTION / "docs").rglob("*.md"), *(COLLECTION / "roles").rglob("*.md")])
FILES = sorted(
    path
    for room in ("roles", "playbooks")
    for path in (COLLECTION / room).rglob("*")
    if path.suffix in (".yml", ".j2", ".py", ".sh", ".cjs")
)
# Another user by another way, or without a terminal of its own. PostgreSQL's user runs root's psql.
BAD = re.compile(
    r"\brunuser\b(?= +-)(?! --pty -)(?! -u postgres -- psql\b)"
    r"|\bsudo +-\w*[uUi]\w* +[\w{~$]|\bsu +(-l?|--login) +[\w{$]"
)


def texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts of a program, with braces for what is filled in."""
    for item in ast.walk(node):
        if isinstance(item, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in item.values]
            yield item.lineno, "".join(parts)
        elif isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.lineno, item.value


@pytest.mark.parametrize(
    ("command", "bad"),
    [
        ("runuser -u {} -- sh -c 'x'", True),
        ("runuser -l mc -c x", True),
        ("runuser -u postgres -- /home/mc/x", True),
        ("sudo -iu mc x", True),
        ("sudo -u mc x", True),
        ("su - mc -c x", True),
        ("runuser --pty -u {} -- rm -- x", False),
        ("runuser -u postgres -- psql -c x", False),
        ("sudo mission-control repair", False),
        ("by sudo or su from root only", False),
    ],
)
def test_what_is_looked_for(command: str, bad: bool) -> None:
    assert bool(BAD.search(command)) is bad


def test_no_remedy_gives_away_roots_terminal() -> None:
    found = []
    for path in sorted((COLLECTION / "plugins").rglob("*.py")):
        for line, text in texts(ast.parse(path.read_text())):
            if BAD.search(text):
                found.append(f"{path.relative_to(COLLECTION)}:{line}: {text[:200]}")
    assert found == [], "runuser --pty"


def test_no_page_and_no_role_does() -> None:
    found = [(path, line) for path in (*PAGES, *FILES) for line in path.read_text().splitlines()]
    assert [(str(path), line) for path, line in found if BAD.search(line)] == []
