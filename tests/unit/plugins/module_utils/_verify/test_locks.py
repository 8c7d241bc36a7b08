"""Who holds a lock: seen on a real PostgreSQL, as the application's role."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import database_locks
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import find_causes
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict, combine
from checks_support import options_of
from postgresql_server import Server, application_server

psycopg2 = pytest.importorskip("psycopg2")

TABLES = """
CREATE TABLE tasks (id int PRIMARY KEY);
INSERT INTO tasks VALUES (1);
CREATE TABLE boards (id int);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with application_server("locks", TABLES) as found:
        yield found


@pytest.fixture
def session(server: Server) -> Iterator[Callable[..., Any]]:
    """A session with what it has done so far; its transaction stays open."""
    with contextlib.ExitStack() as stack:

        def connect(*statements: str, user: str = "mc") -> Any:
            connection = psycopg2.connect(server.address(user, "mc"), application_name="a program")
            stack.callback(connection.close)
            for statement in statements:
                connection.cursor().execute(statement)
            return connection

        yield connect


def look(session: Callable[..., Any], sleep: Callable[[float], None] = lambda _seconds: None) -> Any:
    connection = session()
    connection.autocommit = True
    return database_locks.holders(connection.cursor(), sleep)


def wait_for(server: Server, waiting: int) -> None:
    for _attempt in range(6000):
        if int(server.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")) == waiting:
            return
    raise AssertionError("nobody waits")


@contextlib.contextmanager
def waiter(server: Server, session: Callable[..., Any], statement: str) -> Iterator[Any]:
    """A session that waits for a lock, until that is taken away."""
    connection = session()
    before = int(server.sql("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    def run() -> None:
        with contextlib.suppress(psycopg2.Error):
            connection.cursor().execute(statement)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(server, before + 1)
        yield connection
    finally:
        connection.cancel()
        thread.join()


def test_nobody_holds_anything_and_no_time_is_lost(session: Callable[..., Any]) -> None:
    session("SELECT * FROM tasks", "UPDATE tasks SET id = 1")
    paused: list[float] = []
    assert look(session, paused.append) == [] and not paused


@pytest.mark.parametrize("user", ["mc", "postgres"])
def test_a_table_that_is_shut_is_told_before_anybody_waits(
    server: Server, session: Callable[..., Any], user: str
) -> None:
    holder = session("LOCK TABLE boards IN ACCESS EXCLUSIVE MODE", user=user)
    (found,) = look(session)
    assert (found.pid, found.role, found.program) == (holder.get_backend_pid(), user, "a program")
    assert (found.waiting, found.tables) == (0, "boards")
    # Others' transactions are not shown to the application's role.
    assert (found.age > 0) == (user == "mc")


def test_who_stands_in_line_is_not_the_holder(server: Server, session: Callable[..., Any]) -> None:
    """A migration that waits holds up everybody after it, but is not the reason."""
    holder = session("SELECT * FROM tasks")
    with (
        waiter(server, session, "LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"),
        waiter(server, session, "SELECT * FROM tasks"),
    ):
        (found,) = look(session)
        assert (found.pid, found.waiting, found.tables) == (holder.get_backend_pid(), 2, "tasks")


def test_a_lock_of_a_moment_is_none(session: Callable[..., Any]) -> None:
    holder = session("LOCK TABLE boards IN ACCESS EXCLUSIVE MODE")
    paused: list[float] = []

    def sleep(seconds: float) -> None:
        paused.append(seconds)
        holder.rollback()

    assert look(session, sleep) == [] and len(paused) == 1


def test_who_waits_for_a_row_is_given_time(
    server: Server, session: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = session("UPDATE tasks SET id = 1")
    with waiter(server, session, "UPDATE tasks SET id = 1"):
        assert look(session) == []
        monkeypatch.setattr(database_locks, "ROW_PATIENCE", 0.0)
        (found,) = look(session)
        assert found.pid == holder.get_backend_pid()


def test_another_database_is_none_of_its_business(server: Server, session: Callable[..., Any]) -> None:
    connection = psycopg2.connect(f"host={server.directory} user=postgres dbname=postgres")
    with contextlib.closing(connection):
        connection.cursor().execute("CREATE TABLE other (id int)")
        assert look(session) == []


def judged(*found: database_locks.Holder, waiting: int = 0, url: str = "postgresql:///x") -> Verdict:
    return database_locks.judge_locks(found, waiting, url, options_of("database"))


HOLDER = database_locks.Holder(42, "postgres", "psql", 3, "boards, tasks", 90.0)


def test_the_remedy_is_a_command_that_ends_it(server: Server, session: Callable[..., Any]) -> None:
    held = session("LOCK TABLE boards IN ACCESS EXCLUSIVE MODE")
    remedy = judged(*look(session)).remedy
    server.sql(remedy.partition("psql -c '")[2].rstrip("'"))
    with pytest.raises(psycopg2.Error):
        held.cursor().execute("SELECT 1")
    assert look(session) == []


def test_what_is_said_of_a_holder() -> None:
    told = judged(HOLDER, HOLDER._replace(pid=43, tables="tasks"), waiting=4)
    assert (told.state, told.kind) == ("fail", "lock_held")
    assert told.summary.startswith("sessions 42 (role postgres, psql) and 43") and "4 wait" in told.summary
    assert "on boards, tasks" in told.summary and "for 90 s" in told.cause
    assert "runuser -u postgres" in told.remedy and "terminate_backend(43)" in told.remedy
    assert "runuser" not in judged(HOLDER, url="postgresql://db.example.com/x").remedy
    # Without one it is a figure with its limit.
    assert (judged(waiting=4).state, judged(waiting=9).state, judged(waiting=99).state) == (
        "pass",
        "warn",
        "fail",
    )
    assert judged(waiting=99).kind == "locks"


def test_it_is_the_only_root_cause() -> None:
    slow = Verdict("agents", "fail", kind="database_slow")
    found = [
        combine("health", [Verdict("readyz", "fail", kind="timeout")]),
        combine("membership", [Verdict("role", "fail", kind="timeout")]),
        combine("database", [Verdict("migrations", "fail", kind="database_slow"), slow, judged(HOLDER)]),
        combine("queue", [Verdict("scheduled", "fail", kind="overdue")]),
        combine("log", [Verdict("mission-control-worker", "fail", kind="log_errors")]),
    ]
    find_causes(found, ROWS)
    roots = {
        path
        for verdict in found
        for path, leaf in verdict.leaves()
        if leaf.state == "fail" and not leaf.consequence_of
    }
    assert roots == {"database.locks"}
