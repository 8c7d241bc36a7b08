"""The attacks that once got a secret, a terminal or a way out of a unit, each as it was proved."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator

import pytest
from hostile_support import (
    FULL,
    HOME,
    ROOT,
    USER,
    as_user,
    faults_of,
    gateway_user,
    on_host,
    play,
    sql,
    tried,
)

SHARED = f"{ROOT}/shared"
FORMATS = ("json", "junit", "prometheus", "nagios", "tap", "markdown", "html")


# --- H4 ---

LISTENER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[2], "a") as file:
            file.write(f"{self.path} {self.headers}\\n")
        self.send_response(200); self.end_headers(); self.wfile.write(b"[]")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
"""

# Asks for the password in clear, and keeps what comes.
DATABASE = """
import socket, struct, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    try:
        length = struct.unpack("!I", connection.recv(4))[0]
        text = connection.recv(length - 4)
        if text[:4] == struct.pack("!I", 80877103):
            connection.sendall(b"N")
            length = struct.unpack("!I", connection.recv(4))[0]
            text = connection.recv(length - 4)
        connection.sendall(b"R" + struct.pack("!II", 8, 3))
        with open(sys.argv[2], "ab") as file:
            file.write(connection.recv(1000) + b"\\n")
    finally:
        connection.close()
"""


@pytest.fixture
def settings() -> Iterator[str]:
    """The application's settings, which the test may replace."""
    path = f"{ROOT}/current/backend/.env"
    as_user(f"cp -p {path} {HOME}/env")
    yield path
    as_user(f"rm -rf {path}; mv {HOME}/env {path}")


def serve(program: str, port: int, path: str) -> None:
    as_user(f"cat > {HOME}/listen.py", program)
    as_user(f"systemd-run --user --quiet --collect --unit=listen python3 {HOME}/listen.py {port} {path}")
    on_host(f"timeout 20 sh -c 'until ss -Htln \"sport = :{port}\" | grep -q .; do sleep 0.1; done'")


def stop_serving() -> None:
    as_user(f"systemctl --user stop listen; rm -f {HOME}/listen.py")


@pytest.mark.parametrize(
    "command", ["verify health membership agents", "restart worker --timeout 20", "db -Atc 'select 1'"]
)
def test_h4_no_token_of_root_is_sent_to_the_user(settings: str, marker: str, command: str) -> None:
    heard = f"{HOME}/heard"
    on_host(
        "cat > /root/other.env; chmod 0600 /root/other.env",
        f"LOCAL_AUTH_TOKEN={marker}\nBASE_URL=http://127.0.0.1:8009\nDATABASE_URL=postgresql://u:{marker}@127.0.0.1:8009/x\n",
    )
    serve(LISTENER, 8009, heard)
    try:
        as_user(f"rm {settings}; ln -s /root/other.env {settings}")
        done = tried(f"timeout 120 mission-control {command}")
        assert marker not in tried(f"cat {heard}").stdout
        assert marker not in done.stdout + done.stderr
    finally:
        stop_serving()
        as_user(f"rm -f {heard}")


@pytest.mark.parametrize("command", ["verify database", "db -w -Atc 'select 1'"])
def test_h4_no_password_of_root_is_sent_to_a_server_of_the_users(
    settings: str, marker: str, command: str
) -> None:
    heard = f"{HOME}/heard"
    on_host("cat > /root/.pgpass; chmod 0600 /root/.pgpass", f"db.internal:5999:*:*:{marker}\n")
    serve(DATABASE, 5999, heard)
    try:
        url = "postgresql+psycopg://u@db.internal:5999/x?hostaddr=127.0.0.1&sslmode=disable"
        as_user(f"sed -i 's|^DATABASE_URL=.*|DATABASE_URL={url.replace('&', chr(92) + '&')}|' {settings}")
        tried(f"timeout 120 mission-control {command}")
        assert marker not in tried(f"cat -v {heard}").stdout
    finally:
        stop_serving()
        on_host(f"rm -f {heard} /root/.pgpass")


# --- H5 ---


@pytest.mark.parametrize(
    "change",
    [
        "chown mission-control {}",
        'sed -i \'s/"user": "mission-control"/"user": "root"/\' {}',
        "chmod 0666 {}",
    ],
)
def test_h5_root_obeys_no_configuration_that_somebody_else_can_change(change: str) -> None:
    path = "/etc/mission-control/command.json"
    assert tried(f"echo x >> {path}", user=USER).returncode != 0
    on_host(f"cp -p {path} /root/command.json; {change.format(path)}")
    try:
        for command in ("status", "db -Atc 'select 1'", "releases"):
            done = tried(f"mission-control {command}")
            assert done.returncode == 2, (command, done.stdout, done.stderr)
            assert len(done.stderr.strip().splitlines()) == 1 and path in done.stderr
    finally:
        on_host(f"rm -f {path}; cp -p /root/command.json {path}")


# --- M1 ---

WILD = "\x1b]0;PWNED\x07\x1b[2J\x9b31m\u202e"


def test_m1_what_the_user_logs_moves_no_terminal(marker: str) -> None:
    line = json.dumps(
        {
            "level": "ERROR",
            "message": f"{marker}{WILD}",
            f"f{WILD}": "x",
            "logger": WILD,
            "timestamp": "2026-01-01T00:00:00Z",
        },
        ensure_ascii=False,
    )
    plain = f"ERROR {marker}{WILD}"
    for text in (line, plain):
        as_user("systemd-cat -t mission-control-backend -p err", text)
    on_host("journalctl --sync")
    for command in (
        "logs -n 100 backend",
        "logs -n 100 -o json backend",
        "logs -n 100 -o cat backend",
        "verify log",
        "status",
        *(f"verify log --format {name}" for name in FORMATS),
    ):
        done = tried(f"mission-control {command}")
        assert not faults_of(done.stdout + done.stderr, "no marker"), command
    assert marker in tried("mission-control logs -n 100 -o cat backend").stdout
    for playbook in (("logs.yml",), ("logs.yml", "-e", "format=json"), *((("verify.yml",),) if FULL else ())):
        done_there = play(*playbook)
        assert not faults_of(done_there.output, "no marker"), playbook


def test_m1_a_notice_of_maintenance_moves_no_terminal() -> None:
    record = f"{SHARED}/maintenance.json"
    notice = {"version": 1, "reason": WILD, "by": WILD, "since": "2026-01-01T00:00:00+00:00", "until": WILD}
    as_user(f"cat > {record}", json.dumps(notice, ensure_ascii=False))
    try:
        for command in ("status", "restart worker --timeout 20", "start worker", "verify service"):
            done = tried(f"mission-control {command}")
            assert not faults_of(done.stdout + done.stderr, "no marker"), command
        played = play("status.yml")
        assert not faults_of(played.output, "no marker")
    finally:
        as_user(f"rm -f {record}")


def test_m1_what_a_service_says_as_it_fails_moves_no_terminal(marker: str) -> None:
    drop_in = f"{HOME}/.config/systemd/user/mission-control-worker.service.d"
    as_user(f"cat > {HOME}/wild; mkdir -p {drop_in}", f"ERROR {marker}{WILD}\n")
    failing = f"[Service]\nExecStartPre=/bin/sh -c 'cat {HOME}/wild >&2; exit 1'\n"
    as_user(f"cat > {drop_in}/x.conf; systemctl --user daemon-reload", failing)
    try:
        done = tried("mission-control restart worker --timeout 20")
        assert done.returncode != 0 and marker in done.stdout + done.stderr, done
        played = play("restart.yml", "-e", "service=worker")
        assert played.returncode != 0 and marker in played.output, played.output
        for output in (done.stdout + done.stderr, played.output):
            assert not faults_of(output, "no marker")
    finally:
        as_user(f"rm -f {drop_in}/x.conf {HOME}/wild; systemctl --user daemon-reload")
        on_host("mission-control start --timeout 120")


def test_m1_nor_does_the_name_behind_a_link() -> None:
    link = f"{ROOT}/current"
    kept = on_host(f"readlink {link}")
    as_user(f'ln -sfn "$(cat)" {link}', f"releases/x{WILD}")
    try:
        for command in ("status", "releases", "releases --json", "verify service"):
            done = tried(f"mission-control {command}")
            assert not faults_of(done.stdout + done.stderr, "no marker"), command
        for playbook in (("releases.yml",), ("history.yml",), ("deploy.yml", "--check")) if FULL else ():
            played = play(*playbook)
            assert not faults_of(played.output, "no marker"), playbook
    finally:
        as_user(f"ln -sfn {kept} {link}")


# --- M7, L9, L10 ---


PREDICTABLE = re.compile(r"(?m)^(?:node-compile-cache|v8-compile-cache|uv-|npm-|openclaw|rq).*")


def test_m7_nothing_with_a_predictable_name_in_a_directory_of_everybodys() -> None:
    users = f"\\( -user {USER} -o -user {gateway_user()} \\)"
    found = on_host(f"find /tmp /var/tmp /dev/shm -mindepth 1 -maxdepth 1 {users} -printf '%f\\n'")
    assert not PREDICTABLE.findall(found), found


def test_l9_the_database_lets_no_other_role_connect() -> None:
    sql("CREATE ROLE neighbour LOGIN PASSWORD 'x'")
    try:
        done = tried("PGPASSWORD=x psql -XAtc 'select 1' -h 127.0.0.1 -U neighbour mission_control")
        assert done.returncode != 0 and "permission denied" in done.stderr, done
    finally:
        sql("DROP ROLE neighbour")


def test_l10_the_token_is_not_in_the_journal() -> None:
    token = on_host(f"sed -n 's/^LOCAL_AUTH_TOKEN=\"\\?\\([^\"]*\\).*/\\1/p' {ROOT}/current/backend/.env")
    assert len(token) > 30
    lines = 'token=$(cat); journalctl -q --no-pager -o export | grep -caF -e "$token" || true'
    assert on_host(lines, token) == "0"


# --- A view in the place of a table ---


def test_what_stands_in_a_tables_place_takes_neither_the_hosts_memory_nor_other_verdicts() -> None:
    view = "SELECT repeat('x', 100000000) AS version_num FROM generate_series(1, 1000000)"
    own, database = "SET ROLE mission_control;", "mission_control"
    sql(
        f"{own} ALTER TABLE alembic_version RENAME TO kept_version; CREATE VIEW alembic_version AS {view}",
        database,
    )
    try:
        began = time.monotonic()
        done = tried("ulimit -v 4000000; mission-control verify database health --format json")
        assert time.monotonic() - began < 60 and not faults_of(done.stdout + done.stderr, "no marker")
        verdicts = {found["name"]: found for found in json.loads(done.stdout)["views"][0]["verdicts"]}
        assert (verdicts["database"]["state"], verdicts["health"]["state"]) == ("fail", "pass")
        done = tried("mission-control db -Atc 'SELECT 1'")
        assert done.stdout.strip() == "1", done.stderr
    finally:
        sql(f"{own} DROP VIEW alembic_version; ALTER TABLE kept_version RENAME TO alembic_version", database)


# --- The superuser's session ---


@pytest.mark.skipif(not FULL, reason="a rotation takes minutes")
def test_the_superuser_runs_no_function_that_the_application_made() -> None:
    """As in a cluster that was upgraded from 14 or older, where everybody may create in schema public."""
    sql("GRANT CREATE, USAGE ON SCHEMA public TO mission_control")
    sql(
        "SET ROLE mission_control; CREATE TABLE public.prey (note text); GRANT ALL ON public.prey TO PUBLIC;"
        "CREATE FUNCTION public.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO public.prey VALUES (current_user); RETURN QUERY SELECT pg_catalog.unnest($1); END $$"
    )
    try:
        # What it asks then unnests settings of the role.
        sql("ALTER ROLE mission_control SET application_name = 'x'")
        done = play("rotate.yml", "-e", "secret=database")
        assert done.returncode == 0, done.output
        assert sql("SELECT DISTINCT note FROM public.prey") == ""
    finally:
        sql("DROP FUNCTION public.unnest(text[]); DROP TABLE public.prey")
        sql("REVOKE ALL ON SCHEMA public FROM mission_control; ALTER ROLE mission_control RESET ALL")
