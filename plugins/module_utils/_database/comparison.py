# SPDX-License-Identifier: GPL-3.0-or-later
"""The revisions that a database is at, compared with those of a release."""

from __future__ import annotations

from collections.abc import Iterable

from .._application.migration_order import ancestors, lacking
from .._application.migrations import Graph, Revision
from .._host.deployment_errors import DeploymentError


def compare(graph: Graph, current: Iterable[str]) -> str:
    """The database seen from a release: same, behind (migrations are missing) or ahead (unknown to it)."""
    found = set(current)
    if found - set(graph.revisions):
        return "ahead"
    return "behind" if lacking(graph, found) else "same"


def beyond(graph: Graph, newer: Graph, current: Iterable[str]) -> list[Revision]:
    """The migrations that the database has and the release does not know, in the order of application."""
    applied = ancestors(newer, current) - set(graph.revisions)
    return [
        item
        for item in lacking(newer, set(newer.revisions) & set(graph.revisions))
        if item.identifier in applied
    ]


def check_known(graph: Graph, current: Iterable[str]) -> None:
    """A database that is ahead of the release must not be touched."""
    unknown = sorted(set(current) - set(graph.revisions))
    if unknown:
        raise DeploymentError(
            f"The database is at {', '.join(unknown)}, which this release does not know.",
            kind="newer_schema",
            remedy="A newer release has migrated it: deploy that one, or restore a backup from before.",
        )
