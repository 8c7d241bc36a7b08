"""The graph of migrations, read without running any of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import migrations
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.migration_order import (
    ancestors,
    lacking,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.migrations import (
    Graph,
    Revision,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import comparison, schema
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)

MIGRATION = '''"""{message}

Revision ID: {identifier}
"""

from __future__ import annotations

from alembic import op

# revision identifiers, used by Alembic.
revision{annotation} = "{identifier}"
down_revision{annotation} = {parent}
branch_labels = None
depends_on = None


def upgrade() -> None:
    raise SystemExit("read, not run")
'''


def graph(**parents: tuple[str, ...]) -> Graph:
    return Graph(Revision(name, above, f"message of {name}", f"{name}.py") for name, above in parents.items())


def write(directory: Path, identifier: str, parent: str, annotation: str = "") -> None:
    text = MIGRATION.format(
        message=f"Add {identifier}.", identifier=identifier, parent=parent, annotation=annotation
    )
    (directory / f"2026_{identifier}.py").write_text(text)


def test_plain_annotated_and_merging_migrations_are_read(tmp_path: Path) -> None:
    write(tmp_path, "a1", "None")
    write(tmp_path, "b1", '"a1"', ": str")
    write(tmp_path, "b2", '"a1"', ": Union[str, None]")
    write(tmp_path, "c1", '("b1", "b2")')
    (tmp_path / "__init__.py").write_text("")
    found = migrations.read_graph(tmp_path)
    assert found.heads == ("c1",)
    assert found.revisions["c1"].parents == ("b1", "b2")
    assert found.revisions["b1"].message == "Add b1."
    assert [item.identifier for item in lacking(found, [])] == ["a1", "b1", "b2", "c1"]


def test_an_unreadable_migration_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("revision = (\n")
    with pytest.raises(DeploymentError, match=r"broken\.py"):
        migrations.read_graph(tmp_path)


def test_pending_is_what_the_database_lacks_in_order() -> None:
    chain = graph(a=(), b=("a",), c=("b",), d=("c",))
    assert [item.identifier for item in lacking(chain, ["b"])] == ["c", "d"]
    assert lacking(chain, ["d"]) == []
    # A database at two branches needs the merge only.
    fork = graph(a=(), b=("a",), c=("a",), m=("b", "c"))
    assert [item.identifier for item in lacking(fork, ["b", "c"])] == ["m"]
    assert [item.identifier for item in lacking(fork, ["b"])] == ["c", "m"]


def test_ancestors_stop_at_what_is_unknown() -> None:
    chain = graph(a=(), b=("a",))
    assert ancestors(chain, ["b", "zzz"]) == {"a", "b"}


def test_a_missing_link_is_told() -> None:
    with pytest.raises(DeploymentError, match="not there: b"):
        lacking(graph(a=(), b=("lost",)), [])


@pytest.mark.parametrize(
    ("revisions", "told"),
    [(graph(), "no migrations"), (graph(a=(), b=("a",), c=("a",)), "2 heads: b, c")],
)
def test_there_must_be_one_head(revisions: Graph, told: str) -> None:
    with pytest.raises(DeploymentError, match=told):
        schema.single_head(revisions)


def test_a_database_ahead_of_the_release_is_refused() -> None:
    chain = graph(a=(), b=("a",))
    comparison.check_known(chain, ["a"])
    comparison.check_known(chain, [])
    with pytest.raises(DeploymentError, match="at zzz, which this release does not know") as error:
        comparison.check_known(chain, ["zzz"])
    assert error.value.kind == "newer_schema"


def revisions(*pairs: tuple[str, str]) -> migrations.Graph:
    return migrations.Graph(
        migrations.Revision(name, (parent,) if parent else (), f"Add {name}.", f"{name}.py")
        for name, parent in pairs
    )


def test_a_release_seen_from_the_database() -> None:
    older = revisions(("a", ""), ("b", "a"))
    newer = revisions(("a", ""), ("b", "a"), ("c", "b"), ("d", "c"))
    assert comparison.compare(older, ["b"]) == "same"
    assert comparison.compare(older, ["a"]) == "behind"
    assert comparison.compare(older, []) == "behind"
    assert comparison.compare(older, ["c"]) == "ahead"
    assert [item.identifier for item in comparison.beyond(older, newer, ["c"])] == ["c"]
    assert [item.identifier for item in comparison.beyond(older, newer, ["d"])] == ["c", "d"]
    assert comparison.beyond(older, older, ["x"]) == []
