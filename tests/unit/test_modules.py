"""A module is thin: its documentation, the options, one call of the package that does the work."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

MODULES = sorted((Path(__file__).parents[2] / "plugins/modules").glob("*.py"))
# Lines after the documentation and the imports. Most of them are the options.
MOST = 90
# What the work of a module may not be made of: it belongs below, where it is tested without Ansible.
DOCUMENTATION = {"DOCUMENTATION", "EXAMPLES", "RETURN"}


def code_of(path: Path) -> int:
    """Lines of a module after its documentation and its imports."""
    text = path.read_text(encoding="utf-8")
    last = 0
    for node in ast.parse(text).body:
        documents = isinstance(node, ast.Assign) and any(
            isinstance(name, ast.Name) and name.id in DOCUMENTATION for name in node.targets
        )
        if documents or isinstance(node, (ast.Import, ast.ImportFrom)):
            last = node.end_lineno or 0
    return len(text.splitlines()) - last


def test_there_are_modules() -> None:
    assert len(MODULES) > 40


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_thin(path: Path) -> None:
    assert code_of(path) <= MOST, "move the work into a package of module_utils; the module only calls it"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_holds_no_logic(path: Path) -> None:
    """`main`, and at most the work that it hands on; no class."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert [node.name for node in body if isinstance(node, ast.ClassDef)] == []
    assert {node.name for node in body if isinstance(node, ast.FunctionDef)} <= {"main"}


# What a field of RETURN may have (antsibull-docs' schema, which refuses all else and then builds no page).
FIELDS = {"choices", "contains", "description", "elements", "returned", "sample", "type", "version_added"}


def unknown(fields: dict[str, Any], place: str = "") -> Iterator[str]:
    """A comma in an unquoted text between braces begins another key."""
    for name, field in fields.items():
        yield from (f"{place}{name}: {key}" for key in set(field) - FIELDS)
        yield from unknown(field.get("contains", {}), f"{place}{name}.")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_module_returns_can_be_shown(path: Path) -> None:
    texts = {
        name.id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for name in node.targets
        if isinstance(name, ast.Name)
    }
    assert list(unknown(yaml.safe_load(texts["RETURN"]) or {})) == []
