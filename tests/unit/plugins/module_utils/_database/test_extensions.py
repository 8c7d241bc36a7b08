"""Extensions that migrations create: read from their files, judged by what a real server says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import migrations
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import extensions
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.extensions import (
    QUERY,
    Extension,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from postgresql_server import Server, throw_away_server

psycopg2 = pytest.importorskip("psycopg2")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with throw_away_server("extensions") as started:
        started.sql("CREATE ROLE app LOGIN PASSWORD 'app'")
        started.sql("CREATE DATABASE mission_control OWNER app")
        started.sql("CREATE EXTENSION citext", "mission_control")
        yield started


def there(server: Server) -> dict[str, Extension]:
    """As the application's role finds it."""
    connection = psycopg2.connect(server.address("app", "app"))
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            return {name: Extension(created, creatable) for name, created, creatable in cursor.fetchall()}
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ('op.execute("CREATE EXTENSION vector")', ("vector",)),
        ("op.execute('create extension if not exists \"uuid-ossp\"')", ("uuid-ossp",)),
        ('op.execute("CREATE EXTENSION IF NOT EXISTS \\"pg_trgm\\" WITH SCHEMA public")', ("pg_trgm",)),
        ('op.execute("""\n  CREATE EXTENSION\n  IF NOT EXISTS citext;\n""")', ("citext",)),
        ('op.execute("DROP EXTENSION vector")', ()),
        ("pass", ()),
    ],
)
def test_extensions_are_read_from_migrations(tmp_path: Path, statement: str, found: tuple[str, ...]) -> None:
    text = f'"""Add it."""\nrevision = "a"\ndown_revision = None\ndef upgrade():\n    {statement}\n'
    (tmp_path / "a.py").write_text(text)
    graph = migrations.read_graph(tmp_path)
    assert graph.revisions["a"].extensions == found
    assert extensions.needed(graph.revisions.values()) == dict.fromkeys(found, "a")


def test_a_role_may_create_what_is_trusted(server: Server) -> None:
    found = there(server)
    assert found["citext"].created and found["plpgsql"].created
    assert found["hstore"] == Extension(created=False, creatable=True)
    assert found["dblink"] == Extension(created=False, creatable=False)
    extensions.refuse_missing({"citext": "a", "hstore": "b"}, found, "mission_control")


@pytest.mark.parametrize(
    ("name", "kind", "remedy"),
    [
        ("vector_of_nowhere", "no_extension", "mission_control_database_extensions"),
        ("dblink", "extension_right", "psql -d mission_control -c 'CREATE EXTENSION \"dblink\"'"),
    ],
)
def test_what_a_migration_would_fail_at_is_told(server: Server, name: str, kind: str, remedy: str) -> None:
    with pytest.raises(DeploymentError, match=f"Migration abc creates the extension {name}") as caught:
        extensions.refuse_missing({name: "abc"}, there(server), "mission_control")
    assert caught.value.kind == kind and remedy in caught.value.remedy


def test_the_remedy_cures(server: Server) -> None:
    """A superuser has created it: the application needs no right any more."""
    server.sql('CREATE EXTENSION "dblink"', "mission_control")
    try:
        extensions.refuse_missing({"dblink": "abc"}, there(server), "mission_control")
    finally:
        server.sql("DROP EXTENSION dblink", "mission_control")
