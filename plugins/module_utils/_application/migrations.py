# SPDX-License-Identifier: GPL-3.0-or-later
"""The revisions of a release's database schema, read from its files without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._host import reading
from .._host.deployment_errors import DeploymentError

_EXTENSION = re.compile(
    r"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?[\\\"']*([A-Za-z_][\w-]*)", re.IGNORECASE
)


def directory_of(backend: Path) -> Path:
    """Where the product keeps its migrations below its backend."""
    return backend / "migrations" / "versions"


@dataclass(frozen=True)
class Revision:
    identifier: str
    parents: tuple[str, ...]
    message: str
    file: str
    # Those of PostgreSQL that it creates.
    extensions: tuple[str, ...] = ()


class Graph:
    """alembic's revisions and which follows which."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self.revisions = {revision.identifier: revision for revision in revisions}

    @property
    def heads(self) -> tuple[str, ...]:
        parents = {parent for revision in self.revisions.values() for parent in revision.parents}
        return tuple(sorted(set(self.revisions) - parents))


def read_graph(versions: Path) -> Graph:
    """The graph of a directory of migrations, without running any of it."""
    revisions = []
    for path in sorted(versions.glob("*.py")):
        try:
            text = reading.read_regular(path)
            module = ast.parse(text)
        except (SyntaxError, ValueError, OSError) as error:
            raise DeploymentError(
                f"The migration {path.name} cannot be read: {error}.", kind="broken_migrations"
            ) from None
        values = _assignments(module)
        identifier = values.get("revision")
        if isinstance(identifier, str):
            record = (ast.get_docstring(module) or "").strip().splitlines()
            message = record[0] if record else path.stem
            extensions = tuple(dict.fromkeys(_EXTENSION.findall(text)))
            parents = _parents(values.get("down_revision"))
            revisions.append(Revision(identifier, parents, message, path.name, extensions))
    return Graph(revisions)


def _assignments(module: ast.Module) -> dict[str, Any]:
    values = {}
    for node in module.body:
        target = None
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
            try:
                values[target.id] = ast.literal_eval(node.value) if node.value is not None else None  # type: ignore[attr-defined]
            except ValueError:
                continue
    return values


def _parents(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
