"""A rotation of the database's password, and sessions that the old one has let in: on a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/unit/support"))
from postgresql_server import Server, throw_away_server  # noqa: E402

OLD, NEW = "the-password-of-before", "the-password-of-now"
BACK = f"ALTER ROLE mission_control PASSWORD '{OLD}'"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with throw_away_server("rotation", port) as server:
        server.sql("CREATE ROLE mission_control LOGIN; CREATE ROLE other LOGIN")
        # As operators have it who want to see what is changed.
        for name, value in (("log_statement", "ddl"), ("log_min_duration_statement", "0")):
            server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        server.sql("SELECT pg_reload_conf()")
        server.sql("CREATE DATABASE mission_control OWNER mission_control")
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    running.sql(f"ALTER ROLE mission_control PASSWORD '{OLD}'")
    yield running
    running.sql("ALTER ROLE mission_control RESET ALL")
    running.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mission_control'")


def login(server: Server, password: str) -> Any:
    return psycopg2.connect(
        host="127.0.0.1",
        port=server.port,
        user="mission_control",
        password=password,
        dbname="mission_control",
    )


def lets_in(server: Server, password: str) -> bool:
    try:
        login(server, password).close()
    except psycopg2.OperationalError:
        return False
    return True


def logged(server: Server) -> str:
    """The server's log."""
    return (server.directory / "log").read_text()


def rotate(server: Server, tmp_path: Path, *between: str) -> subprocess.CompletedProcess[str]:
    """The entry points of a rotation, one after the other; in between, commands of a shell."""

    def entry(name: str) -> dict[str, Any]:
        return {
            "ansible.builtin.include_role": {
                "name": "openclaw.mission_control.postgresql",
                "tasks_from": name,
            }
        }

    wait = [{"ansible.builtin.command": {"argv": ["sh", "-c", command]}} for command in between]
    plays = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [entry("rotate"), entry("change_password"), *wait, entry("rotated")],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(plays))
    given = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
        "postgresql_port": server.port,
        "postgresql_socket_directory": str(server.directory),
        "postgresql_password": NEW,
        "postgresql_old_password": OLD,
    }
    return subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )


def rotate_and(
    work: Callable[[], object], server: Server, tmp_path: Path
) -> subprocess.CompletedProcess[str]:
    """The same, with this done between the change and the end; without it the rotation fails."""
    changed, worked, over = tmp_path / "changed", tmp_path / "worked", threading.Event()

    def meanwhile() -> None:
        while not over.wait(0.05):
            if changed.exists():
                work()
                worked.touch()
                return

    thread = threading.Thread(target=meanwhile)
    thread.start()
    try:
        return rotate(
            server, tmp_path, f"touch {changed}; timeout 60 sh -c 'until [ -e {worked} ]; do sleep 0.1; done'"
        )
    finally:
        over.set()
        thread.join()


def test_no_session_of_before_takes_the_old_password_back(server: Server, tmp_path: Path) -> None:
    session, superuser = login(server, OLD), server.sql("SELECT count(*) FROM pg_stat_activity")
    done = rotate(server, tmp_path)
    assert done.returncode == 0 and superuser, done.stdout
    with pytest.raises(psycopg2.Error), session.cursor() as cursor:
        cursor.execute(BACK)
        session.commit()
    assert (lets_in(server, OLD), lets_in(server, NEW)) == (False, True)
    assert NEW not in logged(server) and "FROM pg_authid" in logged(server)


def test_what_a_session_changed_in_between_does_not_stay_and_its_traces_are_told(
    server: Server, tmp_path: Path
) -> None:
    session = login(server, OLD)
    session.autocommit = True

    def meddle() -> None:
        with session.cursor() as cursor:
            cursor.execute(BACK)
            cursor.execute("ALTER ROLE mission_control SET search_path = theirs")
        login(server, OLD)

    done = rotate_and(meddle, server, tmp_path)
    assert done.returncode == 0 and (tmp_path / "changed").exists(), done.stdout
    assert (lets_in(server, OLD), lets_in(server, NEW)) == (False, True)
    left = server.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mission_control'")
    assert left == "0"
    assert "has settings of its own (search_path)" in " ".join(done.stdout.split())


@pytest.mark.parametrize("first", ["", "BEGIN; SELECT count(*) FROM pg_roles; COMMIT"])
def test_a_session_that_takes_it_back_in_a_loop_does_not_hinder_the_rotation(
    server: Server, tmp_path: Path, first: str
) -> None:
    """Ended, it comes in again at once, as long as the old password is good for that."""
    over, taken = threading.Event(), 0

    def take_back() -> None:
        nonlocal taken
        while not over.is_set():
            try:
                session = login(server, OLD)
                session.autocommit = True
                with session.cursor() as cursor:
                    while not over.wait(0.002):
                        cursor.execute(BACK)
                        taken += 1
                        cursor.execute(first or "SELECT 1")
            except psycopg2.Error:
                over.wait(0.002)

    threads = [threading.Thread(target=take_back) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        done = rotate(server, tmp_path)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert taken > 10 and done.returncode == 0, done.stdout
    assert (lets_in(server, OLD), lets_in(server, NEW)) == (False, True)
    assert NEW not in logged(server)


def test_a_transaction_that_holds_the_role_does_not_hinder_the_rotation(
    server: Server, tmp_path: Path
) -> None:
    session = login(server, OLD)
    with session.cursor() as cursor:
        cursor.execute(BACK)
        done = rotate(server, tmp_path)
    assert done.returncode == 0, done.stdout
    assert (lets_in(server, OLD), lets_in(server, NEW)) == (False, True)
    assert NEW not in logged(server)


def test_sessions_that_the_new_password_let_in_stay(server: Server, tmp_path: Path) -> None:
    pool: list[Any] = []
    done = rotate_and(lambda: pool.append(login(server, NEW)), server, tmp_path)
    assert done.returncode == 0, done.stdout
    with pool[0].cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
    pool[0].close()
    assert "has settings of its own" not in done.stdout
