# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The revisions of a release's database schema, read from its files without running them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._host.errors import DeploymentError


def directory_of(backend: Path) -> Path:
    """Where the product keeps its migrations below its backend."""
    return backend / "migrations" / "versions"


@dataclass(frozen=True)
class Revision:
    identifier: str
    parents: tuple[str, ...]
    message: str
    file: str


class Graph:
    """alembic's revisions and which follows which."""

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self.revisions = {revision.identifier: revision for revision in revisions}

    @property
    def heads(self) -> tuple[str, ...]:
        parents = {parent for revision in self.revisions.values() for parent in revision.parents}
        return tuple(sorted(set(self.revisions) - parents))

    def ancestors(self, identifiers: Iterable[str]) -> set[str]:
        """The revisions named and all that they build on."""
        found: set[str] = set()
        waiting = list(identifiers)
        while waiting:
            identifier = waiting.pop()
            if identifier in found or identifier not in self.revisions:
                continue
            found.add(identifier)
            waiting.extend(self.revisions[identifier].parents)
        return found

    def pending(self, current: Iterable[str]) -> list[Revision]:
        """What is missing in a database that is at `current`, in the order of application."""
        missing = set(self.revisions) - self.ancestors(current)
        ordered: list[Revision] = []
        done: set[str] = set(self.revisions) - missing
        while missing:
            ready = sorted(name for name in missing if set(self.revisions[name].parents) <= done)
            if not ready:
                raise DeploymentError(
                    f"The migrations build on revisions that are not there: {', '.join(sorted(missing))}.",
                    kind="broken_migrations",
                )
            ordered.extend(self.revisions[name] for name in ready)
            done.update(ready)
            missing.difference_update(ready)
        return ordered


def read_graph(versions: Path) -> Graph:
    """The graph of a directory of migrations, without running any of it."""
    revisions = []
    for path in sorted(versions.glob("*.py")):
        try:
            module = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            raise DeploymentError(
                f"The migration {path.name} cannot be read: {error}.", kind="broken_migrations"
            ) from None
        values = _assignments(module)
        identifier = values.get("revision")
        if isinstance(identifier, str):
            record = (ast.get_docstring(module) or "").strip().splitlines()
            message = record[0] if record else path.stem
            revisions.append(Revision(identifier, _parents(values.get("down_revision")), message, path.name))
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
