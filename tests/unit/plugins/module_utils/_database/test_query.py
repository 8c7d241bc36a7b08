"""Questions to a real PostgreSQL, started here where its programs are installed."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import query
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import MASK
from postgresql_server import throw_away_server

PASSWORD = "pass-Word-0815"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a throw-away server with a table of agents and a role that owns it."""
    with throw_away_server("query") as started:
        started.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        started.sql("CREATE DATABASE mission_control OWNER app")
        tables = (
            "CREATE TABLE agents (id uuid DEFAULT gen_random_uuid(), name text, status text,"
            " seen timestamptz, cost numeric, tags text[], extra jsonb, raw bytea);"
            "INSERT INTO agents (name, status, seen, cost, tags, extra, raw) VALUES"
            " ('Ada', 'online', '2026-01-02 03:04:05Z', 1.5, '{a,b}', '{\"k\": [1]}', 'x'),"
            " ('Bob', 'offline', NULL, 2, '{}', 'null', NULL); ALTER TABLE agents OWNER TO app;"
            "CREATE TABLE gateways (name text, token text);"
            f"INSERT INTO gateways VALUES ('g', 'gw-{PASSWORD}');"
            "ALTER TABLE gateways OWNER TO app; CREATE SEQUENCE numbers; ALTER SEQUENCE numbers OWNER TO app"
        )
        started.sql(tables, "mission_control")
        yield started.address("app", PASSWORD)


def count(server: str) -> int:
    return int(query.ask(server, "SELECT count(*) FROM agents").rows[0][0])


def test_the_guides_question(server: str) -> None:
    answer = query.ask(server, "SELECT name, status FROM agents")
    assert answer.columns == ["name", "status"]
    assert answer.types == ["text", "text"]
    assert answer.records() == [{"name": "Ada", "status": "online"}, {"name": "Bob", "status": "offline"}]
    assert not answer.truncated


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_form_of_the_address_works(server: str, scheme: str) -> None:
    assert query.ask(server.replace("postgresql", scheme, 1), "SELECT 1 AS one;").rows == [[1]]


def test_values_can_be_carried_by_json(server: str) -> None:
    answer = query.ask(server, "SELECT id, seen, cost, tags, extra, raw FROM agents ORDER BY name")
    first, second = answer.rows
    assert uuid.UUID(first[0])
    assert first[1].startswith("2026-01-02T03:04:05")
    assert first[2:] == [1.5, ["a", "b"], {"k": [1]}, "eA=="]
    assert second[2:4] == [2, []] and second[5] is None
    assert answer.types == ["uuid", "timestamp with time zone", "numeric", "text[]", "jsonb", "bytea"]


@pytest.mark.parametrize(
    "question",
    [
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "VALUES (1)",
        "TABLE (SELECT 1) AS t",
        "-- a comment; with a semicolon\nSELECT 1 /* and; another */ ;",
        "SELECT ';' || 'DELETE FROM agents' AS x",
        "EXPLAIN SELECT 1",
        "SHOW server_version",
        "SELECT '100 %' AS x",
    ],
)
def test_questions_of_every_kind(server: str, question: str) -> None:
    if question.startswith("TABLE"):
        question = "TABLE agents"
    assert query.ask(server, question).rows


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("DELETE FROM agents", "not_a_question"),
        ("DELETE FROM agents RETURNING name", "read_only"),
        ("UPDATE agents SET name = 'x'", "not_a_question"),
        ("INSERT INTO agents (name) VALUES ('x') RETURNING name", "read_only"),
        ("WITH gone AS (DELETE FROM agents RETURNING name) SELECT * FROM gone", "read_only"),
        ("SELECT * FROM agents FOR UPDATE", "read_only"),
        ("SELECT nextval('numbers')", "read_only"),
        ("DROP TABLE agents", "not_a_question"),
        ("TRUNCATE agents", "not_a_question"),
        ("CREATE TABLE x AS SELECT 1", "not_a_question"),
        ("SELECT name INTO copied FROM agents", "not_a_question"),
        ("COPY agents TO STDOUT", "not_a_question"),
        ("SET transaction_read_only = off", "not_a_question"),
        ("COMMIT", "not_a_question"),
        ("DO $$ BEGIN DELETE FROM agents; END $$", "not_a_question"),
        ("SELECT set_config('transaction_read_only', 'off', false)", "failed"),
        ("SELECT 1; SELECT 2", "several_statements"),
        ("SELECT 1; DELETE FROM agents", "several_statements"),
        ("COMMIT; DELETE FROM agents", "several_statements"),
        ("SELECT * FROM nothing", "unknown_name"),
        ("SELECT nothing FROM agents", "unknown_name"),
        ("SELEKT 1", "syntax"),
        ("SELECT rolpassword FROM pg_authid", "not_permitted"),
        ("SELECT 1/0", "failed"),
        ("", "empty"),
        ("  ; -- nothing", "empty"),
        ("SELECT 'a\0b'", "syntax"),
    ],
)
def test_what_does_not_only_read_is_refused_and_changes_nothing(
    server: str, question: str, kind: str
) -> None:
    with pytest.raises(query.QueryError) as caught:
        query.ask(server, question)
    assert caught.value.kind == kind, str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert count(server) == 2


def test_row_limit(server: str) -> None:
    answer = query.ask(server, "SELECT * FROM generate_series(1, 1000000)", limit=5)
    assert [row[0] for row in answer.rows] == [1, 2, 3, 4, 5]
    assert answer.truncated
    assert not query.ask(server, "SELECT * FROM generate_series(1, 5)", limit=5).truncated


def test_the_server_ends_what_takes_too_long(server: str) -> None:
    with pytest.raises(query.QueryError, match=r"longer than 0.2 s") as caught:
        query.ask(server, "SELECT pg_sleep(30)", statement_timeout=0.2)
    assert caught.value.kind == "timeout"


def test_parameters(server: str) -> None:
    rows = query.ask(server, "SELECT name FROM agents WHERE status = %s", parameters=["online"]).rows
    assert rows == [["Ada"]]
    named = {"name": "Bob'; DELETE FROM agents; --"}
    assert query.ask(server, "SELECT name FROM agents WHERE name = %(name)s", parameters=named).rows == []
    assert count(server) == 2
    with pytest.raises(query.QueryError, match="do not fit"):
        query.ask(server, "SELECT %s, %s", parameters=[1])


def test_the_password_is_in_no_answer_and_no_error(server: str) -> None:
    wrong = server.replace(PASSWORD, "another-Secret-1")
    with pytest.raises(query.QueryError) as caught:
        query.ask(wrong, "SELECT 1")
    assert caught.value.kind == "database_login"
    assert "another-Secret-1" not in str(caught.value)
    answer = query.ask(server, f"SELECT 'x{PASSWORD}y' AS x")
    assert answer.rows == [[f"x{MASK}y"]]


def test_secret_columns_are_masked(server: str) -> None:
    answer = query.ask(server, "SELECT name, token FROM gateways")
    assert query.masked(answer).rows == [["g", MASK]]


def test_same_names_stay_apart(server: str) -> None:
    assert query.ask(server, "SELECT 1 AS a, 2 AS a").records() == [{"a": 1, "a_2": 2}]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("mysql://a:b-secret@h/d", "bad_url"),
        ("", "bad_url"),
        ("postgresql://a:b-secret@127.0.0.1:1/d", "database_down"),
        ("postgresql://a:b-secret@nowhere.invalid/d", "database_dns"),
        ("postgresql://a:b-secret@[::1/d", "bad_url"),
    ],
)
def test_addresses_that_do_not_work(url: str, kind: str) -> None:
    with pytest.raises(query.QueryError) as caught:
        query.ask(url, "SELECT 1", connect_timeout=2)
    assert caught.value.kind == kind, str(caught.value)
    assert "b-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (decimal.Decimal("3.00"), 3),
        (decimal.Decimal("3.25"), 3.25),
        (decimal.Decimal("NaN"), "NaN"),
        (float("inf"), "inf"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (memoryview(b"x"), "eA=="),
        ((1, (2,)), [1, [2]]),
        ({1: decimal.Decimal(2)}, {"1": 2}),
        (datetime.timedelta(seconds=5), "0:00:05"),
        (True, True),
        (None, None),
    ],
)
def test_plain(value: Any, expected: Any) -> None:
    assert query.plain(value) == expected


@pytest.mark.parametrize(
    ("question", "word"),
    [("-- x\n delete from a", "DELETE"), ("/* a */(select 1)", "SELECT"), ("", ""), (";", "")],
)
def test_first_word(question: str, word: str) -> None:
    assert query.first_word(question) == word


def test_a_refusal_without_details_is_still_explained() -> None:
    error = SimpleNamespace(pgcode=None, diag=None, __str__=lambda: "")
    assert "no code" in str(query.explain(error, "SELECT 1", 1.0))
