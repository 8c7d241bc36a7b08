"""Whether the application can write: tried on a real PostgreSQL and a real Redis, with faults of both."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import (
    database_search_path,
    database_writes,
    redis_writes,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import queue
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError
from checks_support import make_context, options_of
from postgresql_server import Server, application_server

psycopg2 = pytest.importorskip("psycopg2")

TABLES = """
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('d');
CREATE TABLE tasks (id int);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with application_server("writes", TABLES) as found:
        yield found


@pytest.fixture
def write(server: Server) -> Callable[..., Any]:
    def ask(environment: dict[str, str] | None = None) -> Any:
        url = server.address("mc", "mc")
        connection = psycopg2.connect(
            url, options=database_writes.session_options(url, environment or {}, 5000)
        )
        with contextlib.closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                return database_writes.try_to_write(cursor)

    return ask


def test_a_healthy_database_is_written_and_nothing_stays(server: Server, write: Callable[..., Any]) -> None:
    before = server.sql("SELECT ctid, xmin FROM alembic_version", "mission_control")
    assert write().state == "pass"
    assert server.sql("SELECT ctid, xmin FROM alembic_version", "mission_control") == before


@pytest.mark.parametrize(
    ("fault", "cure", "remedy"),
    [
        (
            "ALTER DATABASE mission_control SET {}",
            "ALTER DATABASE mission_control RESET {}",
            "ALTER DATABASE",
        ),
        ("ALTER ROLE mc SET {}", "ALTER ROLE mc RESET {}", 'ALTER ROLE "mc" RESET'),
        (
            "ALTER ROLE mc IN DATABASE mission_control SET {}",
            "ALTER ROLE mc IN DATABASE mission_control RESET {}",
            'ALTER ROLE "mc" IN DATABASE "mission_control" RESET',
        ),
    ],
)
def test_read_only_sessions_are_told_with_what_takes_it_back(
    server: Server, write: Callable[..., Any], fault: str, cure: str, remedy: str
) -> None:
    name = "default_transaction_read_only"
    server.sql(fault.format(f"{name} = on"))
    try:
        verdict = write()
        assert (verdict.state, verdict.kind) == ("fail", "database_read_only")
        assert remedy in verdict.remedy and "restart backend worker" in verdict.remedy
        # To the letter.
        statement = verdict.remedy.partition("psql -c '")[2].partition("'")[0]
        server.sql(statement)
        assert write().state == "pass"
    finally:
        server.sql(cure.format(name))


def test_read_only_by_the_servers_own_setting(server: Server, write: Callable[..., Any]) -> None:
    server.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    server.sql("SELECT pg_reload_conf()")
    try:
        verdict = write()
        assert verdict.kind == "database_read_only" and "ALTER SYSTEM RESET" in verdict.remedy
    finally:
        server.sql("ALTER SYSTEM RESET default_transaction_read_only")
        server.sql("SELECT pg_reload_conf()")


def test_read_only_by_the_applications_own_options(write: Callable[..., Any]) -> None:
    verdict = write({"PGOPTIONS": "-c default_transaction_read_only=on"})
    assert verdict.kind == "database_read_only" and "mission_control_database_url" in verdict.remedy


def test_a_right_that_was_taken_away(server: Server, write: Callable[..., Any]) -> None:
    server.sql("REVOKE INSERT ON tasks FROM mc", "mission_control")
    server.sql("CREATE TABLE somebody_elses (id int)", "mission_control")
    try:
        verdict = write()
        assert (verdict.state, verdict.kind) == ("fail", "database_rights")
        assert verdict.summary.endswith("tables: tasks")
    finally:
        server.sql("GRANT ALL ON tasks TO mc", "mission_control")
    assert write().state == "pass"


def test_rows_that_are_hidden_by_row_level_security(server: Server, write: Callable[..., Any]) -> None:
    server.sql("ALTER TABLE tasks ENABLE ROW LEVEL SECURITY", "mission_control")
    assert write().state == "pass"  # an owner sees them
    server.sql("ALTER TABLE tasks FORCE ROW LEVEL SECURITY", "mission_control")
    verdict = write()
    assert (verdict.state, verdict.kind) == ("fail", "database_rows_hidden")
    assert "-d mission_control -c" in verdict.remedy
    # To the letter.
    server.sql(verdict.remedy.partition(" -c '")[2].partition("'")[0], "mission_control")
    assert write().state == "pass"


@pytest.mark.parametrize(
    "fault", ["ALTER ROLE mc SET {}", "ALTER DATABASE mission_control SET {}", "ALTER SYSTEM SET {}"]
)
def test_tables_in_a_schema_that_is_not_looked_into(server: Server, fault: str) -> None:
    def look() -> Any:
        with contextlib.closing(psycopg2.connect(server.address("mc", "mc"))) as connection:
            return database_search_path.judge_search_path(connection.cursor())

    assert look() is None
    server.sql(fault.format("search_path = archive"))
    server.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    verdict = look()
    assert verdict is not None and verdict.kind == "database_search_path"
    assert "schema public" in verdict.summary
    for statement in re.findall(r"-c '([^']*)'", verdict.remedy):
        server.sql(statement)
    time.sleep(0.3)
    assert look() is None


def test_a_replica_is_told() -> None:
    verdict = database_writes.judge_state(True, True, "default", "mission_control", "mc", "")
    assert verdict is not None and verdict.kind == "database_replica" and "pg_promote" in verdict.remedy


def test_who_migrates_is_not_waited_for(server: Server, write: Callable[..., Any]) -> None:
    holder = psycopg2.connect(server.address("mc", "mc"))
    with contextlib.closing(holder), holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM alembic_version FOR UPDATE")
        assert write().state == "pass"
        cursor.execute("LOCK TABLE alembic_version")
        assert write().state == "skip"


@pytest.mark.parametrize(
    ("url", "environment", "found"),
    [
        ("postgresql+psycopg://u:p@h/d", {}, ""),
        (
            "postgresql+psycopg://u:p@h/d?options=-c%20search_path%3Dmc",
            {"PGOPTIONS": "-c x=y"},
            "-c search_path=mc ",
        ),
        ("postgresql+psycopg://u:p@h/d", {"PGOPTIONS": "-c x=y"}, "-c x=y "),
    ],
)
def test_a_session_has_the_applications_own_options(
    url: str, environment: dict[str, str], found: str
) -> None:
    assert database_writes.session_options(url, environment, 7) == (
        f"{found}-c statement_timeout=7 -c lock_timeout=7"
    )


# -- Redis ----------------------------------------------------------------------------------------


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    path = tmp_path / "redis.sock"
    child = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(path), "--dir", str(tmp_path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _look in range(200):
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.05)
        yield f"unix://{path}"
    finally:
        child.terminate()
        child.wait()


def told(url: str) -> Any:
    context = make_context()
    return context.guard(
        "queue", lambda: queue.run(context, options_of("queue", redis_url=url, workers_minimum=0))
    )


def say(url: str, *words: str) -> Any:
    connection = Redis(url)
    with contextlib.closing(connection):
        return connection.call(*words)


def test_a_healthy_redis_takes_work_and_nothing_stays(redis_url: str) -> None:
    verdict = told(redis_url)
    assert verdict.state == "pass", verdict
    assert say(redis_url, "DBSIZE") == 0


@pytest.mark.parametrize(
    ("fault", "kind", "cure"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), "redis_full", ("CONFIG", "SET", "maxmemory", "0")),
        (("REPLICAOF", "127.0.0.1", "1"), "redis_replica", ("REPLICAOF", "NO", "ONE")),
        (
            ("CONFIG", "SET", "min-replicas-to-write", "1"),
            "redis_replicas_missing",
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
        ),
    ],
)
def test_refused_writes_are_told_with_what_cures_them(
    redis_url: str, fault: tuple[str, ...], kind: str, cure: tuple[str, ...]
) -> None:
    assert say(redis_url, *fault) == "OK"
    verdict = told(redis_url)
    assert (verdict.state, verdict.kind) == ("fail", kind)
    # One finding: what the worker does meanwhile says nothing.
    assert [part.name for part in verdict.checks if not part.healthy] == ["writes"]
    assert " ".join(cure).lower() in verdict.remedy.lower()
    say(redis_url, *cure)
    assert told(redis_url).state == "pass"


def test_a_redis_that_cannot_save_is_told() -> None:
    error = RedisError("error", "MISCONF Redis is configured to save RDB snapshots, but it's unable to")
    verdict = redis_writes.judge_writes(error, {}, "redis-cli")
    assert (verdict.state, verdict.kind) == ("fail", "redis_disk")


def test_a_replica_that_takes_writes_loses_them() -> None:
    verdict = redis_writes.judge_writes(
        0, {"role": "slave", "master_host": "a", "master_port": "1"}, "redis-cli"
    )
    assert (verdict.state, verdict.kind) == ("fail", "redis_replica")


def test_an_unknown_refusal_blames_nobody() -> None:
    verdict = redis_writes.judge_writes(RedisError("error", "NEUES nicht jetzt"), {}, "redis-cli")
    assert (verdict.state, verdict.kind) == ("fail", "redis_refuses")
    assert "NEUES" in verdict.summary
    # That the user may do only what the application does is no fault.
    assert redis_writes.judge_writes(RedisError("auth", "NOPERM no"), {}, "redis-cli").state == "skip"


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("redis://localhost:6379/0", "redis-cli"),
        ("redis://:secret@127.0.0.1:6380/0", "-p 6380"),
        ("rediss://u:secret@redis.example.net/0", "redis-cli -h redis.example.net --tls"),
        ("unix:///run/redis.sock", "redis-cli -s /run/redis.sock"),
    ],
)
def test_how_redis_cli_is_called(url: str, called: str) -> None:
    found = redis_writes.cli_of(url)
    assert found.endswith(called) and "secret" not in found
    assert ("REDISCLI_AUTH" in found) == ("127.0.0.1" in url)
