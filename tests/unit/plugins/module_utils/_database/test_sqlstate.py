"""Why a real PostgreSQL lets nobody in, by code instead of by words."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._database import login
from ansible_collections.openclaw.mission_control.plugins.module_utils._database.sqlstate import (
    LET_IN,
    sqlstate,
)
from postgresql_server import Server, throw_away_server

PASSWORD = "a password, with = and ü"
QUOTED = "a%20password%2C%20with%20%3D%20and%20%C3%BC"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with throw_away_server("sqlstate", free_port()) as started:
        started.sql(f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}'")
        started.sql("CREATE ROLE crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0")
        started.sql("CREATE ROLE hashed LOGIN")
        started.sql("SET password_encryption = 'md5'; ALTER ROLE hashed PASSWORD 'hashed'")
        started.sql("CREATE DATABASE app OWNER app")
        yield started


@pytest.mark.parametrize(
    ("login_of", "database", "code"),
    [
        (f"app:{QUOTED}", "app", LET_IN),
        ("app:wrong", "app", "28P01"),
        ("nobody:wrong", "app", "28P01"),
        (f"app:{QUOTED}", "missing", "3D000"),
        ("crowded:crowded", "app", "53300"),
    ],
)
def test_the_code_of_a_login(server: Server, login_of: str, database: str, code: str) -> None:
    assert sqlstate(f"postgresql://{login_of}@127.0.0.1:{server.port}/{database}") == code
    # By its socket, and where TLS is wanted of a server that has none.
    by_socket = f"postgresql://{login_of}@/{database}?host={server.directory}&port={server.port}"
    assert sqlstate(by_socket) == code
    assert sqlstate(f"postgresql://{login_of}@127.0.0.1:{server.port}/{database}?sslmode=require") == ""


def test_a_host_that_pg_hba_does_not_name(server: Server) -> None:
    assert sqlstate(f"postgresql://app:wrong@[::1]:{server.port}/app") == ""
    hba = server.directory / "data/pg_hba.conf"
    before = hba.read_text()
    hba.write_text("local all postgres trust\n")
    try:
        server.sql("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 10
        while (code := sqlstate(f"postgresql://app:x@127.0.0.1:{server.port}/app")) != "28000":
            assert time.monotonic() < deadline, code
    finally:
        hba.write_text(before)
        server.sql("SELECT pg_reload_conf()")


@pytest.mark.parametrize(
    ("words", "login_of", "database", "kind"),
    [
        (
            "SCHWERWIEGEND: Passwort-Authentifizierung für Benutzer »app« fehlgeschlagen",
            "app:wrong",
            "app",
            "database_login",
        ),
        (
            "FATAL: la base de données « missing » n'existe pas",
            f"app:{QUOTED}",
            "missing",
            "database_missing",
        ),
        (
            "ВАЖНО: слишком много подключений для роли",
            "crowded:crowded",
            "app",
            "database_connections",
        ),
        ("SCHWERWIEGEND: etwas anderes", f"app:{QUOTED}", "app", "database_failed"),
    ],
)
def test_words_in_another_language_are_judged_by_code(
    server: Server, words: str, login_of: str, database: str, kind: str
) -> None:
    url = f"postgresql://{login_of}@127.0.0.1:{server.port}/{database}"
    found = login.refusal(words, url, "here")
    assert (found.kind, found.summary) == (kind, words)
    assert found.cause and found.remedy and "wrong" not in str(found.evidence)


def test_each_code_leads_to_a_row_of_the_table() -> None:
    for words in login.STATES.values():
        assert login.recognize(
            words, login.LOGIN, dict.fromkeys(("host", "port", "user", "name", "where", "line"), "x")
        )


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"NR\0\0\0\x08\0\0\0\x03",
        b"NR\0\0\0\x0c\0\0\0\x05salt",
        b"NE\x7f\xff\xff\xff",
        b"NR\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
        b"NR\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0R\0\0\0\x20\0\0\0\x0br=x,s=AAAA,i=99999999999",
    ],
)
def test_what_is_no_postgresql_gives_no_code_and_is_told_no_password(answer: bytes) -> None:
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.sendall(answer)
            connection.settimeout(1)
            try:
                while part := connection.recv(4096):
                    heard.append(part)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        started = time.monotonic()
        url = f"postgresql://app:the-password@127.0.0.1:{listener.getsockname()[1]}/app"
        assert sqlstate(url, 0.5) == ""
        # An hour would hang a check; what a busy machine adds is less than that.
        assert time.monotonic() - started < 60
        thread.join()
    assert b"the-password" not in b"".join(heard)
