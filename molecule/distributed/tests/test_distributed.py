"""Four hosts that were just deployed, in the order of the tests."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import secrets
import shlex
import string
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from asking_users import Users, status_at
from conftest import Repository
from distributed_support import (
    APPLICATION,
    CHECKOUT,
    DATA,
    FRONT,
    INVENTORY,
    ONE,
    PLAIN,
    ROOT,
    SUDO_PASSWORD,
    TWO,
    USER,
    address,
    current,
    on_host,
    outcomes,
    play,
    python,
    settings,
)

testinfra_hosts = [DATA]
UNITS = {
    DATA: set(),
    ONE: {"backend", "worker"},
    TWO: {"backend", "worker"},
    FRONT: {"frontend"},
}
CONNECT = """
import sys, psycopg2
url = sys.stdin.read().strip()
try:
    found = psycopg2.connect(url.replace("+psycopg", ""), connect_timeout=5).cursor()
    found.execute("select current_user")
    print(found.fetchone()[0])
except psycopg2.OperationalError as error:
    print(" ".join(str(error).split()))
"""
QUEUE = """
import socket, ssl, sys
host, port, password, authority = sys.stdin.read().split()
try:
    connection = socket.create_connection((host, int(port)), 5)
    if authority != "-":
        context = ssl.create_default_context(cafile=authority)
        connection = context.wrap_socket(connection, server_hostname=sys.argv[1] if sys.argv[1:] else host)
except OSError as error:
    print(error)
    raise SystemExit
lines = (["AUTH " + password] if password != "-" else []) + ["PING"]
for line in lines:
    connection.sendall(line.encode() + b"\\r\\n")
    answer = connection.recv(200).decode().strip()
print(answer)
"""


AUTHORITY = "/etc/mission-control/authority.crt"
CHECKED = f"?sslmode=verify-full&sslrootcert={AUTHORITY}"
# Belongs to no authority of ours, and is there on every host.
FOREIGN = "/etc/ssl/certs/ca-certificates.crt"


def database(name: str, url: str) -> str:
    """The role as which the database lets a host in, or why it does not."""
    return python(name, CONNECT, text=url)


def queue(name: str, password: str, *server: str, port: int = 6380, authority: str = AUTHORITY) -> str:
    """What the queue says to a host, or why it is not reached; `server` is the name that it has to prove."""
    return python(name, QUEUE, *server, text=f"{address(DATA)} {port} {password} {authority}")


def password_of(url: str) -> str:
    """The password in an address."""
    return url.split("@")[0].rpartition(":")[2]


def test_nobody_logs_in_as_root() -> None:
    argv = ["ansible", "mission_control", "-i", str(INVENTORY), "-o", "-a", "id -un"]
    environment = {**os.environ, **PLAIN}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    assert re.findall(r"\(stdout\) (.*)", done.stdout) == ["operator"] * 4, done.stdout


@pytest.mark.parametrize("name", UNITS)
def test_each_host_runs_its_part_and_nothing_else(name: str) -> None:
    exists = on_host(name, f"getent passwd {USER} || true")
    assert exists
    shown = on_host(
        name, f"systemctl --user -M {USER}@ list-units --plain --no-legend 'mission-control-*.service'"
    )
    running = {line.split()[0] for line in shown.splitlines() if " running " in line}
    assert running == {f"mission-control-{unit}.service" for unit in UNITS[name]}


def test_the_database_lets_in_exactly_the_hosts_that_use_it() -> None:
    url = settings(ONE)["DATABASE_URL"]
    assert url.partition("@")[2] == f"{address(DATA)}:5432/mission_control{CHECKED}"
    assert settings(TWO)["DATABASE_URL"] == url
    unchecked = url.replace(CHECKED, "?sslmode=require")
    for name in (ONE, TWO):
        assert database(name, url) == "mission_control"
        wrong = re.sub(r":[^:@]+@", ":wrong-password@", url)
        assert "password authentication failed" in database(name, wrong)
    assert "no pg_hba.conf entry" in database(FRONT, unchecked)
    entries = on_host(
        DATA, "grep -hP '^host\\w*\\s+mission_control' /etc/postgresql/*/main/pg_hba.conf"
    ).splitlines()
    assert {line.split()[0] for line in entries} == {"hostssl"}
    assert {line.split()[-1] for line in entries} == {"scram-sha-256"}
    assert {line.split()[3] for line in entries} == {f"{address(name)}/32" for name in (ONE, TWO)}


def test_the_queue_wants_the_password_that_only_its_users_have() -> None:
    url = settings(ONE)["RQ_REDIS_URL"]
    assert settings(TWO)["RQ_REDIS_URL"] == url
    assert url.startswith("rediss://") and f"@{address(DATA)}:6380/0?" in url
    password = password_of(url)
    assert len(password) >= 40
    for name in (ONE, TWO):
        assert queue(name, password) == "+PONG"
        assert queue(name, "-").startswith("-NOAUTH")
    # It needs no authority's certificate to knock at a door.
    on_host(FRONT, "cat > /root/authority.crt", on_host(DATA, f"cat {AUTHORITY}"))
    assert queue(FRONT, "-", authority="/root/authority.crt").startswith("-NOAUTH")
    database_password = password_of(settings(ONE)["DATABASE_URL"])
    # The patterns come on standard input, so that they are not found in the command itself.
    found = on_host(
        FRONT,
        f"grep -rlF -f - /etc {ROOT} /var/lib/mission-control 2>/dev/null || true",
        f"{password}\n{database_password}\n",
    )
    assert found == "", "the frontend's host knows neither password"


def test_nothing_crosses_the_network_in_clear() -> None:
    url = settings(ONE)["DATABASE_URL"]
    assert "no encryption" in database(ONE, url.replace(CHECKED, "?sslmode=disable"))
    password = password_of(settings(ONE)["RQ_REDIS_URL"])
    assert "refused" in queue(ONE, password, port=6379, authority="-")
    # What is up is used by everybody: these are the connections of the application, and their protocol.
    seen = on_host(
        DATA,
        'su postgres -c "psql -Atc \\"SELECT DISTINCT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity'
        " USING (pid) WHERE usename = 'mission_control'\\\"\"",
    )
    assert seen.splitlines() and {line.split("|")[0] for line in seen.splitlines()} == {"t"}


def test_only_the_authoritys_certificate_of_this_server_is_believed() -> None:
    url = settings(ONE)["DATABASE_URL"]
    assert "certificate verify failed" in database(ONE, url.replace(AUTHORITY, FOREIGN))
    # The same server by a name that its certificate does not have.
    other = url.replace(f"@{address(DATA)}:", "@somebody.example:") + f"&hostaddr={address(DATA)}"
    assert "does not match host name" in database(ONE, other)
    password = password_of(settings(ONE)["RQ_REDIS_URL"])
    assert "certificate verify failed" in queue(ONE, password, authority=FOREIGN)
    assert "Hostname mismatch" in queue(ONE, password, "somebody.example")


def test_the_keys_belong_to_those_who_serve() -> None:
    keys = "/etc/mission-control/tls/*.key /var/lib/mission-control/authority/authority.key"
    told = on_host(DATA, f"stat -c '%n %U %G %a' {keys}").splitlines()
    assert sorted(line.rpartition("/")[2] for line in told) == [
        "authority.key root root 600",
        "postgresql.key root postgres 640",
        "redis.key root redis 640",
    ]
    for user in ("nobody", USER):
        for key in keys.split():
            readable = on_host(DATA, f"runuser -u {user} -- cat {key} 2>/dev/null | grep -c KEY || true")
            assert readable == "0", (user, key)
    for name in (ONE, TWO, FRONT):
        found = on_host(
            name, "ls /etc/mission-control/tls /var/lib/mission-control/authority 2>/dev/null || true"
        )
        assert found == "", name


def test_it_is_healthy_from_every_host_and_from_the_controller() -> None:
    done = play("verify.yml", verify_deadline=30)
    assert done.returncode == 0, done.output
    # The database's host has no part of the application to look at, but the host itself.
    assert all(counts["failed"] == 0 for counts in done.counts.values()) and len(done.counts) == 4


def test_secrets_are_rotated_on_all_hosts_and_nobody_is_refused() -> None:
    before, tokens = settings(ONE), [settings(ONE)["LOCAL_AUTH_TOKEN"], secrets.token_hex(32)]

    def told(token: str) -> set[int]:
        return {status_at(address(name), token) for name in (ONE, TWO)}

    with contextlib.ExitStack() as stack:
        users = [
            stack.enter_context(Users(partial(status_at, address(name)), tuple(tokens), number=2))
            for name in (ONE, TWO)
        ]
        done = play("rotate.yml", secret="all", mission_control_token=tokens[1])
    assert done.returncode == 0, done.output
    assert [user.problems for user in users] == [[], []] and min(user.asked for user in users) > 10
    now = settings(ONE)
    assert settings(TWO) == now
    assert (told(tokens[0]), told(tokens[1])) == ({401}, {200})
    for name in (ONE, TWO):
        assert "password authentication failed" in database(name, before["DATABASE_URL"])
        assert database(name, now["DATABASE_URL"]) == "mission_control"
        assert queue(name, password_of(before["RQ_REDIS_URL"])).startswith("-NOAUTH")
        assert queue(name, password_of(now["RQ_REDIS_URL"])) == "+PONG"
    known = {password_of(one[name]) for one in (before, now) for name in ("DATABASE_URL", "RQ_REDIS_URL")}
    assert [word for word in (*tokens, *known) if word in done.output] == []
    verified = play("verify.yml", verify_deadline=30, mission_control_token=tokens[1])
    assert verified.returncode == 0, verified.output
    # Back to the inventory's, as the tests after this one have it.
    done = play("rotate.yml", secret="token")
    assert done.returncode == 0, done.output
    assert (told(tokens[0]), told(tokens[1])) == ({200}, {401})


def test_check_mode_predicts_every_kind_of_change_and_changes_none(repository: Repository) -> None:
    before = current()
    token = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))
    done = play(
        "deploy.yml",
        "--check",
        "--diff",
        mission_control_token=token,
        mission_control_database_name="another",
        mission_control_database_password="a-password-for-another",
        mission_control_backend_port=8100,
        mission_control_api_url=f"http://{address(ONE)}:8100",
        mission_control_public_url="http://mission-control.example.com:3000",
        mission_control_backend_environment={"LOG_LEVEL": "DEBUG"},
        mission_control_gateways=[
            {"name": "elsewhere", "url": "ws://gateway.example.com:18789", "token": token[::-1]}
        ],
        mission_control_boards=[{"name": "Foretold", "gateway": "elsewhere"}],
    )
    assert done.returncode == 0, done.output
    for line in (
        "+BASE_URL=http://" + address(ONE) + ":8100",
        "+CORS_ORIGINS=http://mission-control.example.com:3000",
        "+LOG_LEVEL=DEBUG",
        "+ListenStream=0.0.0.0:8100",
        "restart mission-control-backend.service",
        "restart mission-control-worker.service",
        "restart mission-control-frontend.service",
        '"url": "ws://gateway.example.com:18789"',
        '"name": "Foretold"',
    ):
        assert line in done.output, line
    assert re.search(r"^\+DATABASE_URL=.*\*\*\*\*.*/another", done.output, re.MULTILINE)
    assert re.search(r"^\+apply \w+: ", done.output, re.MULTILINE), "the migrations of an empty database"
    assert re.search(r"^ LOCAL_AUTH_TOKEN|^\+LOCAL_AUTH_TOKEN=\*+", done.output, re.MULTILINE)
    for secret in (token, token[::-1], "a-password-for-another"):
        assert secret not in done.output
    assert current() == before


def test_sudo_with_a_password_that_shows_nowhere() -> None:
    done = play("deploy.yml", "-vvv", ansible_user="secretary", ansible_become_password=SUDO_PASSWORD)
    assert done.returncode == 0, done.output[-3000:]
    assert all(counts["changed"] == 0 for counts in done.counts.values()), done.counts
    assert "secretary" in done.output and SUDO_PASSWORD not in done.output
    for name in UNITS:
        assert "secretary" in on_host(name, "journalctl -q --no-pager -g 'session opened' | tail -50")
        found = on_host(name, "journalctl -q --no-pager | grep -cF -f /dev/stdin || true", SUDO_PASSWORD)
        assert found == "0"
    wrong = play("status.yml", ansible_user="secretary", ansible_become_password="not-the-password")
    assert wrong.returncode != 0 and "not-the-password" not in wrong.output


def open_doors() -> tuple[set[str], bool]:
    """How clients may enter the database, and whether the queue is reached without TLS."""
    entries = on_host(
        DATA, "grep -hoP '^host\\w*(?=\\s+mission_control)' /etc/postgresql/*/main/pg_hba.conf"
    ).split()
    return set(entries), "refused" not in queue(ONE, "-", port=6379, authority="-")


def test_without_tls_only_in_a_network_that_is_said_to_be_private() -> None:
    before = current()
    done = play("deploy.yml", mission_control_tls=False)
    assert done.returncode != 0 and "would cross the network in clear" in done.words
    done = play("deploy.yml", mission_control_tls=False, mission_control_private_network="192.0.2.0/24")
    assert done.returncode != 0 and f"{DATA} is not known to be in it" in done.words
    assert current() == before and open_doors() == ({"hostssl"}, False)
    private = f"{address(DATA)}/16"
    done = play("deploy.yml", mission_control_tls=False, mission_control_private_network=network(private))
    assert done.returncode == 0, done.output[-3000:]
    assert "sslmode" not in settings(ONE)["DATABASE_URL"]
    assert settings(TWO)["RQ_REDIS_URL"].partition("@")[2] == f"{address(DATA)}:6379/0"
    listening = on_host(DATA, "ss -Hltn 'sport = :5432 or sport = :6379' | awk '{print $4}'").split()
    assert {place.rpartition(":")[0] for place in listening} <= {"127.0.0.1", "[::1]", address(DATA)}
    assert all(answers(name) for name in (ONE, TWO))


def test_an_upgrade_to_tls_refuses_nobody_and_goes_on_where_it_was_interrupted(
    repository: Repository,
) -> None:
    plain = current()
    # One host fails at the gate: the releases from before have to serve again, without TLS.
    on_host(TWO, f"touch {repository.breaks}")
    done = play(
        "deploy.yml", mission_control_source=repository.url, mission_control_revision=repository.branch
    )
    on_host(TWO, f"rm {repository.breaks}")
    assert done.returncode != 0 and "serves again" in done.words, done.output[-3000:]
    assert current() == plain and open_doors() == ({"host", "hostssl"}, True)
    assert all(answers(name) for name in (ONE, TWO))
    with asking(ONE) as answered:
        done = play("deploy.yml")
    assert done.returncode == 0, done.output[-3000:]
    assert open_doors() == ({"hostssl"}, False)
    # Each question needs the database; those that wait for the new process count, too.
    assert len(answered) > 10 and set(answered) == {"200"}, answered
    again = play("deploy.yml")
    assert again.returncode == 0 and all(counts["changed"] == 0 for counts in again.counts.values())


def test_a_certificate_is_renewed_in_time_without_a_restart() -> None:
    started = "systemctl show -P ActiveEnterTimestamp postgresql@*-main redis-server"
    before = on_host(DATA, started), served(5432), served(6380)
    # More days than a certificate has: each deployment finds it too old.
    done = play("deploy.yml", authority_renewal_days=900)
    assert done.returncode == 0, done.output[-3000:]
    after = on_host(DATA, started), served(5432), served(6380)
    assert before[0] == after[0] and not set(before[1:]) & set(after[1:])
    assert all(answers(name) for name in (ONE, TWO))


def test_a_release_that_fails_on_one_host_is_taken_back_on_all(repository: Repository) -> None:
    before = current()
    on_host(TWO, f"touch {repository.breaks}")
    done = play(
        "deploy.yml", mission_control_source=repository.url, mission_control_revision=repository.branch
    )
    assert done.returncode != 0
    assert "did not pass" in done.words and "serves again" in done.words, done.output[-3000:]
    assert current() == before
    for name in APPLICATION:
        told = outcomes(name)
        assert told[before[name]] == "verified"
        assert sorted(set(told.values())) == ["failed", "verified"], (name, told)
    for name in (ONE, TWO):
        assert runs_from(name) == {before[name]} and answers(name)


def test_an_upgrade_reaches_all_hosts(repository: Repository) -> None:
    on_host(TWO, f"rm {repository.breaks}")
    before = current()
    done = play(
        "deploy.yml", mission_control_source=repository.url, mission_control_revision=repository.branch
    )
    assert done.returncode == 0, done.output[-3000:]
    after = current()
    assert all(release.startswith(repository.head[:12]) for release in after.values()), after
    assert not set(after.values()) & set(before.values())
    for name in (ONE, TWO):
        assert runs_from(name) == {after[name]} and answers(name)


def test_a_rollback_goes_back_on_all_hosts(repository: Repository) -> None:
    done = play("rollback.yml")
    assert done.returncode == 0, done.output[-3000:]
    went = current()
    assert not any(release.startswith(repository.head[:12]) for release in went.values())
    for name in (ONE, TWO):
        assert runs_from(name) == {went[name]} and answers(name)


def test_a_git_server_gives_what_is_asked_for(repository: Repository, tmp_path: Path) -> None:
    good = {
        repository.tag: repository.tagged,
        repository.tagged: repository.tagged,
        repository.branch: repository.head,
        repository.head: repository.head,
    }
    wrong = ["no-such-branch", "0123456789" * 4]
    report = tmp_path / "report.json"
    done = play(
        "source.yml",
        mission_control_source=repository.url,
        revisions=[*good, *wrong],
        report=str(report),
    )
    assert done.returncode == 0, done.output
    results = {result["item"]: result for result in json.loads(report.read_text())}
    assert {name: results[name].get("revision") for name in good} == good
    # The upgrade has brought the branch; of the tag, only the first question brings anything.
    assert [name for name in results if results[name].get("changed")] == [repository.tag]
    for name in wrong:
        message = results[name]["msg"]
        assert "mission_control_revision" in message and name[:12] in message


def runs_from(name: str) -> set[str]:
    """The releases from which backend and worker run."""
    program = (
        "for unit in backend worker; do "
        f"readlink /proc/$(systemctl --user -M {USER}@ show -P MainPID mission-control-$unit)/cwd; done"
    )
    return {line.split("/releases/")[1].split("/")[0] for line in on_host(name, program).splitlines()}


def answers(name: str) -> bool:
    """Whether the backend of a host answers a user."""
    program = (
        "import json, sys, urllib.request as r; "
        "request = r.Request('http://127.0.0.1:8000/api/v1/organizations/me/member', "
        "headers={'Authorization': 'Bearer ' + sys.stdin.read().strip()}); "
        "print(json.load(r.urlopen(request, timeout=10))['role'], r.urlopen('http://127.0.0.1:8000/health').status)"
    )
    return python(name, program, text=settings(name)["LOCAL_AUTH_TOKEN"]) == "owner 200"


def network(address_and_length: str) -> str:
    """The network that an address is in."""
    return str(ipaddress.ip_network(address_and_length, strict=False))


def served(port: int) -> str:
    """The serial number of the certificate that a server shows."""
    start = "-starttls postgres" if port == 5432 else ""
    return on_host(
        DATA,
        f"openssl s_client -connect {address(DATA)}:{port} {start} </dev/null 2>/dev/null"
        " | openssl x509 -noout -serial",
    )


@contextlib.contextmanager
def asking(name: str) -> Iterator[list[str]]:
    """A user who goes on asking the backend of a host: the status of each answer, or what failed."""
    program = (
        "import sys, time, urllib.request as r; token = sys.stdin.readline().strip()\n"
        "while True:\n"
        "    request = r.Request('http://127.0.0.1:8000/api/v1/organizations/me/member', "
        "headers={'Authorization': 'Bearer ' + token})\n"
        "    try:\n        print(r.urlopen(request, timeout=60).status, flush=True)\n"
        "    except Exception as error:\n        print(repr(error), flush=True)\n"
        "    time.sleep(0.2)\n"
    )
    words = shlex.join(["python3", "-c", program])
    argv = [sys.executable, str(CHECKOUT / "molecule/shared/sandbox.py"), "ssh", name, "--", words]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=output, text=True)
        assert process.stdin is not None
        process.stdin.write(settings(name)["LOCAL_AUTH_TOKEN"] + "\n")
        process.stdin.flush()
        answered: list[str] = []
        try:
            yield answered
        finally:
            process.stdin.close()
            process.terminate()
            process.wait(30)
            output.seek(0)
            answered += output.read().splitlines()
