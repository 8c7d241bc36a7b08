"""Who stands in a service's place is told nothing, and who stops what root waits for gains nothing."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hostile_support import ROOT, TO_PASS, USER, as_user, gateway_user, on_host, play, tried

SERVER = """
import socket, socketserver, struct, sys
where, port, heard = sys.argv[1:4]
def keep(data):
    with open(heard, "ab") as file:
        file.write(data + b"\\n")
class Http(socketserver.BaseRequestHandler):
    def handle(self):
        keep(self.request.recv(65536))
        self.request.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}")
# Asks for the password in clear, with and without TLS.
class Database(socketserver.BaseRequestHandler):
    def handle(self):
        length = struct.unpack("!I", self.request.recv(4))[0]
        text = self.request.recv(length - 4)
        if text[:4] == struct.pack("!I", 80877103):
            self.request.sendall(b"N")
            length = struct.unpack("!I", self.request.recv(4))[0]
            self.request.recv(length - 4)
        self.request.sendall(b"R" + struct.pack("!II", 8, 3))
        keep(self.request.recv(1000))
class Relay(socketserver.BaseRequestHandler):
    def handle(self):
        import threading
        there = socket.create_connection(("127.0.0.1", 5432))
        def carry(one, other):
            while data := one.recv(65536):
                keep(data)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        other = threading.Thread(target=carry, args=(there, self.request), daemon=True)
        other.start()
        carry(self.request, there)
        other.join(5)
socketserver.ThreadingTCPServer.allow_reuse_address = True
handler = {"http": Http, "database": Database, "relay": Relay}[where]
socketserver.ThreadingTCPServer(("127.0.0.1", int(port)), handler).serve_forever()
"""
HEARD = "/var/tmp/heard-by-a-squatter"  # noqa: S108 (of the host that is attacked)


def setting(name: str) -> str:
    line = on_host(f"grep '^{name}=' {ROOT}/current/backend/.env")
    return line.partition("=")[2].strip("'\"")


@contextlib.contextmanager
def squatting(kind: str, port: int) -> Iterator[None]:
    """An agent of the gateway's in the place of a service."""
    on_host("cat > /tmp/squatter.py; chmod a+r /tmp/squatter.py", SERVER)
    on_host(
        f"rm -f {HEARD}; systemd-run --quiet --collect --unit=squatter --uid={gateway_user()}"
        f" python3 /tmp/squatter.py {kind} {port} {HEARD}"
    )
    try:
        on_host(f"timeout 30 sh -c 'until ss -Htln \"sport = :{port}\" | grep -q .; do sleep 0.1; done'")
        yield
    finally:
        on_host(f"systemctl stop squatter; rm -f {HEARD} /tmp/squatter.py")


def heard() -> str:
    return tried(f"cat -v {HEARD}").stdout


def test_the_token_is_not_told_to_who_stands_in_the_backends_place() -> None:
    token = setting("LOCAL_AUTH_TOKEN")
    on_host("mission-control stop backend")
    as_user("systemctl --user stop mission-control-backend.socket mission-control-backend.service")
    try:
        with squatting("http", 8000):
            done = tried("timeout 120 mission-control verify health membership agents host")
            assert done.returncode == 1, done
            assert (
                "8000" in done.stdout
                and f"{gateway_user()} listens there, which is for {USER}" in done.stdout
            )
            # It was asked, and not told.
            assert "GET /healthz" in heard() and token not in heard() and "uthorization" not in heard()
    finally:
        on_host("mission-control start --timeout 120")


@pytest.fixture
def no_database() -> Iterator[None]:
    on_host("systemctl stop 'postgresql@*.service'")
    yield
    on_host("systemctl restart postgresql; mission-control start --timeout 120")


# The application's own driver, at the address that it was given.
LOGIN = f"""cd {ROOT}/current/backend && .venv/bin/python - <<'END'
import os, psycopg
line = [line for line in open(".env") if line.startswith("DATABASE_URL=")][0]
url = line.partition("=")[2].strip().strip(chr(34) + chr(39))
psycopg.connect(url.replace("+psycopg", ""), connect_timeout=10)
END"""


@pytest.mark.usefixtures("no_database")
def test_no_password_is_told_to_who_stands_in_the_databases_place() -> None:
    password = urlsplit(setting("DATABASE_URL")).password
    assert password
    with squatting("database", 5432):
        done = tried("timeout 120 mission-control verify database host")
        assert (
            done.returncode == 1
            and f"of uid {on_host(f'id -u {gateway_user()}')}, not by postgres" in done.stdout
        )
        assert "does not prove" in done.stdout and "was not sent" in done.stdout, done.stdout
        assert tried("timeout 60 mission-control db -Atc 'select 1'").returncode != 0
        refused = tried(LOGIN, user=USER)
        assert refused.returncode != 0 and "psycopg" in refused.stderr, refused
        assert password not in heard()


def test_who_passes_everything_on_to_the_database_reads_nothing(marker: str) -> None:
    """Not even that it is a query: what it carries is sealed, and bound to the login."""
    url = setting("DATABASE_URL").replace("+psycopg", "").replace(":5432", ":5999")
    assert "channel_binding=require" in url and "require_auth=scram-sha-256" in url
    with squatting("relay", 5999):
        done = tried(f"psql -XAt {url!r} -c \"select '{marker}'\"")
        assert done.stdout.strip() == marker, done
        assert heard() and marker not in heard()


def test_the_queues_password_goes_through_a_socket_only_redis_can_make() -> None:
    url = setting("RQ_REDIS_URL")
    assert url.startswith("unix://") and urlsplit(url).path == "/run/redis/mission-control.sock"
    assert on_host("stat -c '%U %G' /run/redis") == "redis redis"
    for user in (USER, gateway_user(), "nobody"):
        assert tried("touch /run/redis/x", user=user).returncode != 0
    on_host("systemctl stop redis-server")
    try:
        with squatting("http", 6379):
            done = tried("timeout 120 mission-control verify queue host")
            assert done.returncode == 1 and "not by redis" in done.stdout, done.stdout
            assert "mission-control.sock" in done.stdout and not heard()
    finally:
        on_host("systemctl start redis-server; mission-control start --timeout 120")


@contextlib.contextmanager
def stopping(user: str, what: str) -> Iterator[None]:
    """Somebody stops what it can: all programs of that name that run as the user."""
    on_host(
        f"systemd-run --quiet --collect --unit=stopper --uid={user} sh -c"
        f" 'while :; do pkill -STOP -u {user} -x {what}; sleep 0.02; done'"
    )
    try:
        yield
    finally:
        on_host(f"systemctl stop stopper; pkill -CONT -u {user} -x {what} || true")


def ends(command: str) -> Any:
    """Of itself, and not well; what is quicker than who stops it is tried again."""
    for _attempt in range(30):
        done = tried(f"timeout 140 {command}")
        if done.returncode != 0:
            break
    assert done.returncode not in (0, 124), done
    return done


def test_root_does_not_wait_for_a_systemctl_that_is_stopped() -> None:
    with stopping(USER, "systemctl"):
        done = ends("mission-control status backend")
    assert "a signal had stopped it" in done.stderr and "manager" not in done.stderr, done.stderr


@pytest.mark.full
def test_nor_for_a_manager_that_is_stopped() -> None:
    unit = f"user@{on_host(f'id -u {USER}')}.service"
    on_host(f"systemctl kill --kill-whom=main --signal=SIGSTOP {unit}")
    try:
        done = ends("mission-control status backend")
        assert "did not answer" in done.stderr and "SIGCONT" in done.stderr, done.stderr
    finally:
        on_host(f"systemctl kill --kill-whom=main --signal=SIGCONT {unit}")


# As a program of the application's writes to the journal; over 48 kB it is handed over as a file in memory.
FLOOD = """
import fcntl, os, socket, sys
head = b"SYSLOG_IDENTIFIER=mission-control-backend\\nPRIORITY=6\\nMESSAGE="
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
    journal.connect("/run/systemd/journal/socket")
    for number in range(12):
        file = os.memfd_create("entry", os.MFD_ALLOW_SEALING)
        os.write(file, head + b"large-" + b"x" * (20 << 20) + b"\\n")
        fcntl.fcntl(file, 1033, 15)
        socket.send_fds(journal, [b""], [file])
        os.close(file)
    journal.send(head + sys.argv[1].encode() + b"\\n")
"""


def test_entries_of_20_mb_make_nothing_slow_or_large() -> None:
    word = f"after-{secrets.token_hex(8)}"
    as_user("cat > ~/flood.py", FLOOD)
    as_user(f"python3 ~/flood.py {word}; rm ~/flood.py")
    on_host("journalctl --sync")
    for command in (
        "verify log",
        "logs -n 20 backend",
        "logs -n 20 -o json backend",
        "logs -n 20 -o cat backend",
    ):
        done = tried(f"timeout 300 mission-control {command}")
        assert done.returncode in (0, 1) and len(done.stdout) < 8 << 20, (
            command,
            len(done.stdout),
            done.stderr,
        )
        assert command == "verify log" or word in done.stdout, command


# --- the gateway's unit ---


def test_an_agent_cannot_write_what_would_take_its_sandbox_off() -> None:
    """In the namespaces of the gateway's own process, as its user."""
    user = gateway_user()
    pid = on_host(f"systemctl --user -M {user}@ show -P MainPID openclaw-gateway")
    home = on_host(f"getent passwd {user} | cut -d: -f6")
    uid = on_host(f"id -u {user}")
    inside = f"nsenter -t {pid} -m -U --preserve-credentials -S {uid} -G {uid} sh -c"
    drop_in = f"{home}/.config/systemd/user/openclaw-gateway.service.d"
    for attempt in (
        f"mkdir -p {drop_in}",
        f"echo x >> {home}/.config/systemd/user/openclaw-gateway.service",
        f"mv {home}/.config {home}/.config.away",
        f"mv {home}/.config/systemd {home}/.config/away",
        f"mv {home}/.local/share {home}/.local/away",
        f"touch {home}/.config/environment.d/x.conf",
        f"touch {home}/.local/share/systemd/x",
        f"touch {home}/.local/share/dbus-1/x",
        f"mkdir -p /run/user/{uid}/systemd/user/openclaw-gateway.service.d",
        f"touch {home}/.ssh/authorized_keys",
        f"mv {home}/.ssh {home}/away",
        f"touch {home}/openclaw-gateway/gateway.env",
        f"ln -sfn /tmp {home}/openclaw-gateway/current",
        f"mv {home}/openclaw-gateway {home}/away",
        f"mount -o remount,rw,bind {home}/.config/systemd",
        f"umount {home}/.config/systemd",
        f"unshare --user --map-root-user --mount umount {home}/.config/systemd",
        f"unshare --user --map-root-user --mount mount -o remount,rw,bind {home}/.config/systemd",
    ):
        done = tried(f'{inside} "{attempt}"')
        assert done.returncode != 0, (attempt, done)
    # What it needs it has, and nothing was made.
    assert tried(f"test -s {home}/.ssh/authorized_keys").returncode != 0
    on_host(f'{inside} "touch {home}/.config/x && rm {home}/.config/x && touch {home}/x && rm {home}/x"')
    assert tried(f"test -e {drop_in}").returncode != 0


def test_a_sandbox_that_is_taken_off_is_named() -> None:
    user = gateway_user()
    drop_in = "~/.config/systemd/user/openclaw-gateway.service.d"
    text = "[Service]\nNoNewPrivileges=no\nPrivateUsers=no\nInaccessiblePaths=\n"
    on_host(f"mkdir -p {drop_in}; cat > {drop_in}/x.conf; systemctl --user daemon-reload", text, user=user)
    try:
        done = tried("timeout 120 mission-control verify host")
        assert done.returncode == 1, done.stdout
        for name in ("NoNewPrivileges", "PrivateUsers", "InaccessiblePaths"):
            assert name in done.stdout
        assert "no longer asked for" in done.stdout
    finally:
        on_host(f"rm -r {drop_in}; systemctl --user daemon-reload", user=user)
    assert "no longer asked for" not in tried("timeout 120 mission-control verify host").stdout


@pytest.mark.full
def test_garbage_in_the_gateways_configuration_is_put_aside_and_told() -> None:
    user = gateway_user()
    path = "~/.openclaw/openclaw.json"
    on_host(f"cp -p {path} ~/kept.json; printf 'garbage {{{{{{' > {path}", user=user)
    try:
        played = play("deploy.yml", settings=TO_PASS)
        assert played.returncode == 0, played.output
        assert "openclaw.json.unreadable" in played.output
        assert on_host(f"cat {path}.unreadable", user=user) == "garbage {{{"
        assert "gateway" in on_host(f"cat {path}", user=user)
    finally:
        on_host(f"mv ~/kept.json {path}; rm -f {path}.unreadable", user=user)
        on_host("mission-control restart gateway --timeout 120")
