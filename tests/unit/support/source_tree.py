"""What the sources of plugins/ say of themselves: their imports, their closure, their length."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
COLLECTION = "ansible_collections.openclaw.mission_control"


@dataclass(frozen=True)
class Import:
    """One import. `name` is a module of our own, relative to plugins/, or else one of somebody else's."""

    importer: str
    name: str
    line: int
    function: str
    own: bool
    relative: bool

    def __str__(self) -> str:
        inside = f" in {self.function}" if self.function else ""
        return f"{self.importer}:{self.line}{inside} imports {self.name}"


def _name(path: Path) -> str:
    parts = path.relative_to(PLUGINS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Every module and package by its name relative to plugins/: module_utils._host, module_utils._host.files.
FILES = {_name(path): path for path in sorted(PLUGINS.rglob("*.py"))}


@functools.cache
def tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def _imports_of(node: ast.AST, function: str = "") -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, function
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _imports_of(child, inner)


def _target(importer: str, node: ast.ImportFrom) -> tuple[str, bool]:
    """What is imported from, relative to plugins/ where it is our own."""
    if node.level:
        package = FILES[importer].name == "__init__.py"
        base = importer.split(".")
        base = base[: len(base) - node.level + package]
        return ".".join([*base, *([node.module] if node.module else [])]), True
    module = node.module or ""
    own = f"{COLLECTION}.plugins"
    if module == own or module.startswith(f"{own}."):
        return module.removeprefix(own).removeprefix("."), True
    return module, False


@functools.cache
def imports(importer: str) -> tuple[Import, ...]:
    """All imports of a module, wherever they stand: in functions and below TYPE_CHECKING, too."""
    found = []
    for node, function in _imports_of(tree(importer)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            own = [name.startswith(COLLECTION) for name in names]
            found += [
                Import(importer, name, node.lineno, function, mine, False)
                for name, mine in zip(names, own, strict=True)
            ]
            continue
        target, mine = _target(importer, node)
        targets = [target]
        if mine and (target not in FILES or FILES[target].name == "__init__.py"):
            modules = [f"{target}.{alias.name}".strip(".") for alias in node.names]
            targets = [name if name in FILES else target for name in modules]
        found += [
            Import(importer, name, node.lineno, function, mine, bool(node.level))
            for name in dict.fromkeys(targets)
        ]
    return tuple(found)


@functools.cache
def closure(name: str) -> frozenset[str]:
    """A module, all that it imports of our own, and every package above: what Ansible sends to the host."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in seen or module not in FILES:
            continue
        seen.add(module)
        parts = module.split(".")
        waiting += [".".join(parts[:length]) for length in range(1, len(parts))]
        waiting += [found.name for found in imports(module) if found.own]
    return frozenset(seen)


def payload(name: str) -> float:
    """Thousands of bytes of source in the closure of a module."""
    return sum(FILES[module].stat().st_size for module in closure(name)) / 1000


def function_lengths() -> Iterator[tuple[str, int]]:
    """Every function of plugins/ with its lines, from `def` to its end, decorators apart."""
    for name in FILES:
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name}.{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1
