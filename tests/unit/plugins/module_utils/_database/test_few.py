"""What stands in the place of a table: on a real server."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import query
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.few import few_rows
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import privileges
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.memory_bound import in_memory
from postgresql_server import Server, application_server

psycopg2 = pytest.importorskip("psycopg2")

ENDLESS = """
CREATE VIEW alembic_version AS
  SELECT repeat('x', 50000000) AS version_num, NULL::text AS nothing FROM generate_series(1, 100000000);
CREATE FUNCTION "left"(text, integer) RETURNS text LANGUAGE sql AS $$ SELECT 'theirs' $$;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with application_server("few", ENDLESS) as found:
        yield found


@pytest.fixture
def cursor(server: Server) -> Iterator[Any]:
    with contextlib.closing(psycopg2.connect(server.address("mc", "mc"))) as connection:
        yield connection.cursor()


def test_the_server_cuts_rows_and_texts(cursor: Any) -> None:
    cursor.execute("SET search_path = public, pg_catalog")
    found = few_rows(cursor, ["version_num", "nothing"], "FROM alembic_version", rows=3, letters=10)
    assert found == [("x" * 10, "")] * 3


def test_parameters_and_order(cursor: Any) -> None:
    source = "FROM (VALUES (2, true), (1, false), (3, true)) AS t (a, b) WHERE a < %s ORDER BY 1"
    assert few_rows(cursor, ["a", "b"], source, [3]) == [("1", "false"), ("2", "true")]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_question_ends_with_its_memory_and_not_with_the_hosts(server: Server) -> None:
    def ask(_account: Any) -> dict[str, str]:
        try:
            query.ask(
                server.address("mc", "mc"), "SELECT * FROM alembic_version", limit=30, statement_timeout=60
            )
        except query.QueryError as error:
            return {"kind": error.kind}
        return {"kind": "answered"}

    name = pwd.getpwnam("nobody").pw_name
    assert privileges.as_user(name, in_memory(ask, 400 << 20), deadline=120, enclosed=False) == {
        "kind": "too_large"
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_any_other_work_does_so_too() -> None:
    with pytest.raises(HostError) as found:
        privileges.as_user(
            "nobody", in_memory(lambda _account: len(b"x" * (600 << 20)), 400 << 20), enclosed=False
        )
    assert found.value.kind == "too_large" and "400 MB" in found.value.message
    assert privileges.as_user("nobody", in_memory(lambda _account: 1), enclosed=False) == 1
