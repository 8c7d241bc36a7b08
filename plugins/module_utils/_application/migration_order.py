# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revisions of a schema build on which, and what is missing in a database."""

from __future__ import annotations

from collections.abc import Iterable

from .._host.deployment_errors import DeploymentError
from .migrations import Graph, Revision


def ancestors(graph: Graph, identifiers: Iterable[str]) -> set[str]:
    """The revisions named and all that they build on."""
    found: set[str] = set()
    waiting = list(identifiers)
    while waiting:
        identifier = waiting.pop()
        if identifier in found or identifier not in graph.revisions:
            continue
        found.add(identifier)
        waiting.extend(graph.revisions[identifier].parents)
    return found


def lacking(graph: Graph, current: Iterable[str]) -> list[Revision]:
    """What is missing in a database that is at `current`, in the order of application."""
    missing = set(graph.revisions) - ancestors(graph, current)
    ordered: list[Revision] = []
    done: set[str] = set(graph.revisions) - missing
    while missing:
        ready = sorted(name for name in missing if set(graph.revisions[name].parents) <= done)
        if not ready:
            raise DeploymentError(
                f"The migrations build on revisions that are not there: {', '.join(sorted(missing))}.",
                kind="broken_migrations",
            )
        ordered.extend(graph.revisions[name] for name in ready)
        done.update(ready)
        missing.difference_update(ready)
    return ordered
