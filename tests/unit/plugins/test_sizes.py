"""No file of plugins/ is too long to be read at a sitting, no function too long to be seen at once."""

from __future__ import annotations

from source_tree import FILES, function_lengths

FILE_LINES = 450
FUNCTION_LINES = 60
# Those that are longer, with their present length: none may grow, and none may come to them.
LONG_FILES: dict[str, int] = {
    "module_utils._verify.reports.html": 502,
}
LONG_FUNCTIONS: dict[str, int] = {
    "module_utils._command.server.handler": 67,
    "module_utils._host.logged_commands.__call__": 78,
    "module_utils._verify.checks.database._judge": 96,
}


def test_files() -> None:
    """Written by docs/write_docs.py or documentation of a module: these have the length that they need."""
    found = {
        name: path.read_text(encoding="utf-8").count("\n")
        for name, path in FILES.items()
        if not name.startswith("doc_fragments.")
    }
    long = {name: lines for name, lines in found.items() if lines > FILE_LINES}
    assert {name: lines for name, lines in long.items() if lines > LONG_FILES.get(name, 0)} == {}
    assert sorted(set(LONG_FILES) - set(long)) == [], "these are short enough now: take them out"


def test_functions() -> None:
    long: dict[str, int] = {}
    for name, lines in function_lengths():
        if lines > FUNCTION_LINES:
            long[name] = max(lines, long.get(name, 0))
    assert {name: lines for name, lines in long.items() if lines > LONG_FUNCTIONS.get(name, 0)} == {}
    assert sorted(set(LONG_FUNCTIONS) - set(long)) == [], "these are short enough now: take them out"
