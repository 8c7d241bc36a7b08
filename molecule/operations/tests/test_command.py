"""The host command, as root and as the application's user."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from operations_support import USER, follow, ssh_command

testinfra_hosts = ["operations-one", "operations-three"]
SERVICES = ("backend", "worker", "frontend")
Typed = Callable[[str], Any]


@pytest.fixture(params=["root", "user"])
def typed(request: pytest.FixtureRequest, host: Any) -> Typed:
    """Types a command without any of a session's variables, as root or as the application's user."""

    def run(command: str) -> Any:
        bare = f"env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS {command}"
        return host.run(bare) if request.param == "root" else host.run("su - %s -c %s", USER, bare)

    return run


@pytest.fixture
def name(_testinfra_host: Any) -> str:
    found: str = _testinfra_host.backend.host
    return found


def test_status(typed: Typed, host: Any) -> None:
    done = typed("mission-control status")
    assert done.rc == 0, done.stderr
    for service in SERVICES:
        assert f"mission-control-{service}.service" in done.stdout
    assert done.stdout.count("active (running)") >= 3
    one = typed("mission-control status worker")
    assert one.rc == 0 and "mission-control-backend" not in one.stdout


def test_restart_stop_and_start_of_one_service(typed: Typed, host: Any) -> None:
    show = "systemctl --user -M mission-control@ show -P {} mission-control-worker"
    before = host.run(show.format("MainPID")).stdout
    done = typed("mission-control restart worker")
    assert done.rc == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "mission-control-worker.service is running"
    assert host.run(show.format("MainPID")).stdout not in (before, "0\n")
    assert typed("mission-control stop worker").rc == 0
    assert host.run(show.format("ActiveState")).stdout == "inactive\n"
    assert typed("mission-control status worker").rc == 3, "the exit status is systemctl's"
    assert typed("mission-control verify service").rc == 1
    assert typed("mission-control start").rc == 0
    assert host.run(show.format("ActiveState")).stdout == "active\n"


def test_restart_of_everything_leaves_the_gateway_alone(host: Any) -> None:
    show = "systemctl --user -M openclaw@ show -P MainPID openclaw-gateway"
    gateway = host.run(show).stdout
    done = host.run("mission-control restart")
    assert done.rc == 0, done.stderr
    units = re.findall(r"Restarting mission-control-(\w+)", done.stdout)
    assert units == list(SERVICES)
    assert host.run(show).stdout == gateway


def test_a_service_that_fails_ends_with_its_reason(host: Any) -> None:
    file = f"/home/{USER}/mission-control/current/backend/.env"
    host.run(f"cp -p {file} /root/env && sed -i 's/^LOCAL_AUTH_TOKEN=.*/LOCAL_AUTH_TOKEN=short/' {file}")
    try:
        done = host.run("mission-control restart")
    finally:
        host.run(f"cp -p /root/env {file} && mission-control restart")
    assert done.rc == 1
    assert "LOCAL_AUTH_TOKEN" in done.stderr and "mission_control_token" in done.stderr
    assert "Restarting mission-control-worker" not in done.stdout
    assert host.run("mission-control status").rc == 0


def test_logs(typed: Typed, host: Any) -> None:
    host.run("curl -s http://127.0.0.1:8000/healthz?seen-in-the-log; journalctl --sync")
    done = typed("mission-control logs -n 100 backend")
    assert done.rc == 0, done.stderr
    assert "GET /healthz" in done.stdout
    assert len(done.stdout.splitlines()) <= 100
    assert "mission-control-worker" not in done.stdout
    assert len(typed("mission-control logs -n 3").stdout.splitlines()) == 3
    grepped = typed("mission-control logs -g healthz --since yesterday backend").stdout
    assert grepped and all("healthz" in line for line in grepped.splitlines())


@pytest.mark.parametrize("user", ["root", USER])
def test_following_shows_new_lines_and_an_interrupt_ends_it(host: Any, user: str) -> None:
    argv = ["mission-control", "logs", "-f", "backend"]
    if user != "root":
        argv = ["su", "-", user, "-c", " ".join(argv)]
    mark = f"/followed-by-{user}"
    result = follow(
        host, argv, trigger=f"curl -s http://127.0.0.1:8000{mark} >/dev/null", wanted=f"GET {mark}"
    )
    assert result["state"] == "interrupted", result
    assert result["left"] == "", "nothing is left running"


def test_following_over_ssh_in_one_line(host: Any, name: str) -> None:
    # What the guide's page says: ssh -t HOST mission-control logs -f backend
    *ssh, target = ssh_command(name)
    terminal, slave = pty.openpty()
    argv = [*ssh, "-t", target, "mission-control logs -f backend"]
    with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as program:
        os.close(slave)

        def read_until(text: str, seconds: float = 30) -> str:
            seen, deadline = "", time.monotonic() + seconds
            while text not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.5)[0]:
                    seen += os.read(terminal, 65536).decode(errors="replace")
            return seen

        try:
            assert "mission-control-backend" in read_until("mission-control-backend")
            host.run("curl -s http://127.0.0.1:8000/followed-over-ssh")
            assert "/followed-over-ssh" in read_until("/followed-over-ssh")
            os.write(terminal, b"\x03")
            program.wait(timeout=20)
        finally:
            program.kill()
            os.close(terminal)
    assert host.run("sleep 0.5; pgrep -a journalctl").stdout == ""


def test_verify_says_healthy_unhealthy_or_not_checkable(typed: Typed, host: Any) -> None:
    done = typed("mission-control verify --wait 60")
    assert done.rc == 0, done.stdout + done.stderr
    assert ": PASS" in done.stdout or ": WARN" in done.stdout
    host.run("systemctl stop redis-server")
    try:
        unhealthy = typed("mission-control verify queue")
    finally:
        host.run("systemctl start redis-server")
    assert unhealthy.rc == 1
    assert "Redis" in unhealthy.stdout and "remedy" in unhealthy.stdout
    host.run("mv /usr/lib/python3/dist-packages/psycopg2 /root/")
    try:
        unknown = typed("mission-control verify database")
    finally:
        host.run("mv /root/psycopg2 /usr/lib/python3/dist-packages/")
    assert unknown.rc == 2
    assert "python3-psycopg2" in unknown.stdout
    assert typed("mission-control verify nonsense").rc == 2


def test_verify_reports(typed: Typed, secrets: dict[str, str]) -> None:
    done = typed("mission-control verify health service --format json")
    report = json.loads(done.stdout)
    assert report["state"] in ("pass", "warn") and done.rc == 0
    assert [verdict["name"] for verdict in report["views"][0]["verdicts"]] == ["health", "service"]
    nagios = typed("mission-control verify health --format nagios").stdout
    assert re.match(r"(MISSION CONTROL )?\w*.*(OK|WARNING)", nagios), nagios
    assert secrets["token"] not in done.stdout


def test_serve_answers_over_http(host: Any) -> None:
    def ask(status: str, path: str = "/") -> str:
        """The answer, once it has this status: who is asked too early does not listen yet."""
        deadline = time.monotonic() + 30
        while True:
            done = host.run("curl -s -w '%%{http_code}' %s", f"http://127.0.0.1:9180{path}").stdout
            if done.endswith(status) or time.monotonic() > deadline:
                assert done.endswith(status), done
                return str(done)
            time.sleep(0.2)

    host.run_expect([0], "systemd-run --quiet --unit=served mission-control serve --cache 0.1 health queue")
    try:
        assert "PASS" in ask("200")
        pid = host.run("systemctl show -P MainPID served").stdout.strip()
        assert host.run(f"stat -c %U /proc/{pid}").stdout.strip() == USER, "root does not listen"
        host.run("systemctl stop redis-server")
        assert "Redis" in ask("503")
        assert re.search(r'mission_control_check_state\{[^}]*check="queue"\} 4', ask("200", "/metrics"))
    finally:
        host.run("systemctl start redis-server; systemctl stop served")


def test_releases(typed: Typed, host: Any) -> None:
    current = host.file(f"/home/{USER}/mission-control/current").linked_to.rpartition("/")[2]
    done = typed("mission-control releases")
    assert done.rc == 0
    assert re.findall(r"(?m)^(\S+) +current\b", done.stdout) == [current]
    data = json.loads(typed("mission-control releases --json").stdout)
    assert data["current"] == current
    assert current in [release["id"] for release in data["releases"]]


def test_db(typed: Typed, host: Any) -> None:
    count = host.run(
        "cd /; runuser -u postgres -- psql -qAt mission_control -c 'SELECT count(*) FROM agents'"
    ).stdout
    assert int(count) > 5
    assert typed("mission-control db -Atc 'SELECT count(*) FROM agents'").stdout == count
    refused = typed("mission-control db -c 'DELETE FROM agents'")
    assert refused.rc == 1, "the exit status is psql's"
    assert "read-only transaction" in refused.stderr
    written = typed("mission-control db --write -c 'CREATE TEMPORARY TABLE x (y int)'")
    assert written.rc == 0, written.stderr
    assert typed("mission-control db -Atc 'SELECT count(*) FROM agents'").stdout == count


def test_files(host: Any) -> None:
    command = host.file("/usr/local/bin/mission-control")
    assert (command.user, command.mode) == ("root", 0o755)
    settings = host.file("/etc/mission-control/command.json")
    assert (settings.user, settings.group, settings.mode) == ("root", USER, 0o640)


def test_configuration_holds_no_secret(host: Any, secrets: dict[str, str]) -> None:
    text = host.file("/etc/mission-control/command.json").content_string
    archive = host.run(
        'python3 -c \'import sys;sys.stdout.write(open("/usr/local/bin/mission-control","rb").read().hex())\''
    )
    for value in secrets.values():
        assert value not in text
        assert value.encode().hex() not in archive.stdout


def test_others_are_told_who_may(host: Any) -> None:
    done = host.run("su -s /bin/sh nobody -c 'mission-control status'")
    assert done.rc == 2
    assert (
        done.stderr
        == "mission-control: Only root and mission-control may do this. Try: sudo mission-control ...\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("restart bakend", "There is no service 'bakend'"),
        ("logs -n many", "'many' is not a number of lines"),
        ("logs --since soonish", "Failed to parse timestamp: soonish"),
        ("", "the following arguments are required: COMMAND"),
        ("verify --format x", "invalid choice: 'x'"),
    ],
)
def test_bad_input(host: Any, arguments: str, message: str) -> None:
    done = host.run(f"mission-control {arguments}")
    assert done.rc != 0
    assert message in done.stderr and "Traceback" not in done.stderr


def test_help(typed: Typed) -> None:
    assert all(
        word in typed("mission-control --help").stdout
        for word in ("status", "restart", "logs", "verify", "db")
    )
    for word in ("status", "restart", "start", "stop", "logs", "verify", "serve", "releases", "db"):
        done = typed(f"mission-control {word} --help")
        assert done.rc == 0 and f"usage: mission-control {word}" in done.stdout


COMPLETE = """
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("su", ["su", "-", sys.argv[1]])
def read(until, seconds=15):
    seen, end = "", time.monotonic() + seconds
    while until not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen
read("$ " if sys.argv[1] != "root" else "# ")
os.write(terminal, (sys.argv[2] + "\\t\\t").encode())
print(read(sys.argv[3]))
os.kill(pid, 9)
"""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("mission-control rele", "mission-control releases"),
        ("mission-control restart wo", "mission-control restart worker"),
        ("mission-control verify he", "mission-control verify health"),
        ("mission-control logs --fo", "mission-control logs --follow"),
        ("mission-control st", "status"),
    ],
)
def test_completes_on_tab_in_a_login_shell(host: Any, line: str, shown: str) -> None:
    host.run("cat > /tmp/complete.py <<'END'\n" + COMPLETE + "\nEND")
    done = host.run("python3 /tmp/complete.py %s %s %s", USER, line, shown)
    assert shown in done.stdout, done.stdout
