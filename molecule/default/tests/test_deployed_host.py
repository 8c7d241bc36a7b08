"""The deployed host seen from outside Ansible: its user, units, files, journal and database."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

USER = "mission-control"
HOME = f"/home/{USER}"
ROOT = f"{HOME}/mission-control"
SERVICES = ("mission-control-backend", "mission-control-worker", "mission-control-frontend")
testinfra_hosts = ["mission_control"]

# With the password that root keeps, which the shell of the host reads.
REDIS_CLI = "REDISCLI_AUTH=$(cat /var/lib/mission-control/redis-password) redis-cli"


@pytest.fixture(scope="module")
def as_user(host: Any) -> Any:
    """Runs a command as the application's user, as somebody logged in there would."""
    uid = host.user(USER).uid

    def run(command: str) -> Any:
        return host.run(f"runuser -u {USER} -- env XDG_RUNTIME_DIR=/run/user/{uid} HOME={HOME} {command}")

    return run


def journal(as_user: Any, unit: str) -> str:
    return str(as_user(f"journalctl --user --no-pager -n 60 -u {unit}").stdout)


def test_user_is_a_regular_one_and_lingers(host: Any) -> None:
    user = host.user(USER)
    assert user.uid >= 1000
    assert user.home == HOME
    assert host.file(f"/var/lib/systemd/linger/{USER}").exists


@pytest.mark.parametrize("unit", SERVICES)
def test_unit_is_enabled_active_and_not_restarting(as_user: Any, unit: str) -> None:
    shown = as_user(
        f"systemctl --user show {unit} -p LoadState,ActiveState,UnitFileState,NRestarts,NeedDaemonReload"
    )
    properties = dict(line.split("=", 1) for line in shown.stdout.splitlines())
    assert properties == {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "NRestarts": "0",
        "NeedDaemonReload": "no",
    }, journal(as_user, unit)


@pytest.mark.parametrize("unit", SERVICES)
def test_journal_of_the_unit_is_the_users_to_read(as_user: Any, unit: str) -> None:
    assert len(journal(as_user, unit).splitlines()) > 1


@pytest.mark.parametrize(("port", "page"), [(8000, "/healthz"), (3000, "/")])
def test_port_answers(host: Any, port: int, page: str) -> None:
    assert host.socket(f"tcp://0.0.0.0:{port}").is_listening
    assert (
        host.check_output(
            f"/usr/bin/python3 -c \"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{port}{page}').status)\""
        )
        == "200"
    )


@pytest.mark.parametrize("port", [5432, 6379])
def test_data_services_listen_on_loopback_only(host: Any, port: int) -> None:
    addresses = {
        line.split()[3].rsplit(":", 1)[0]
        for line in host.check_output(f"ss -Hltn sport = :{port}").splitlines()
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "[::1]"}


def test_layout_of_the_releases(host: Any) -> None:
    current = host.file(f"{ROOT}/current")
    assert current.is_symlink
    release = host.file(f"{ROOT}/current/release.json")
    document = json.loads(host.check_output(f"cat {ROOT}/current/release.json"))
    assert release.exists
    assert re.fullmatch(r"[0-9a-f]{6,12}-[0-9a-f]{8}", document["id"])
    for part in ("backend", "frontend", "scripts"):
        assert host.file(f"{ROOT}/{part}").is_symlink
        assert host.file(f"{ROOT}/{part}").is_directory or host.file(f"{ROOT}/{part}/").exists


def test_what_is_installed_is_named(host: Any) -> None:
    """CycloneDX lists by uv and npm: of the release, and of the gateway's version."""
    lists = {part: f"{ROOT}/current/{part}.cdx.json" for part in ("backend", "frontend")}
    lists["gateway"] = "/home/openclaw/openclaw-gateway/current/packages.cdx.json"
    found = {part: json.loads(host.check_output(f"cat {path}")) for part, path in lists.items()}
    names = {part: {component["name"] for component in told["components"]} for part, told in found.items()}
    assert {told["bomFormat"] for told in found.values()} == {"CycloneDX"}
    assert "fastapi" in names["backend"] and "next" in names["frontend"] and "openclaw" in names["gateway"]
    packages = json.loads(host.check_output(f"cat {ROOT}/current/release.json"))["packages"]
    assert packages == {part: len(found[part]["components"]) for part in packages}
    shown = host.check_output("mission-control releases")
    assert f"backend {packages['backend']}, frontend {packages['frontend']}" in shown


def test_environment_file_is_the_users_alone(host: Any) -> None:
    environment = host.file(f"{ROOT}/current/backend/.env")
    assert (environment.mode, environment.user) == (0o600, USER)
    names = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", environment.content_string, re.MULTILINE))
    assert {
        "AUTH_MODE",
        "LOCAL_AUTH_TOKEN",
        "BASE_URL",
        "DATABASE_URL",
        "CORS_ORIGINS",
        "RQ_REDIS_URL",
    } <= names


def test_device_identity_is_state_outside_of_releases(host: Any) -> None:
    identity = host.file(f"{ROOT}/shared/identity/device.json")
    assert (identity.mode, identity.user) == (0o600, USER)


def test_the_guides_database_question_is_answered(host: Any, as_user: Any) -> None:
    script = (
        "import os, psycopg; from dotenv import dotenv_values; "
        f"url = dotenv_values('{ROOT}/backend/.env')['DATABASE_URL'].replace('+psycopg', ''); "
        "print(psycopg.connect(url).execute('SELECT count(*) FROM agents').fetchone()[0])"
    )
    answer = as_user(f'{ROOT}/backend/.venv/bin/python3 -c "{script}"')
    assert answer.rc == 0, answer.stderr
    assert answer.stdout.strip().isdigit()


def query(host: Any, statement: str, database: str = "postgres") -> str:
    return str(host.check_output(f'runuser -u postgres -- psql -AtX -d {database} -c "{statement}"'))


def test_login_role_has_the_least_privilege(host: Any) -> None:
    rights = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
    assert query(host, f"SELECT {rights} FROM pg_roles WHERE rolname = 'mission_control'") == "f|f|f|f|f"


def test_password_is_stored_as_scram(host: Any) -> None:
    stored = query(host, "SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname = 'mission_control'")
    assert stored == "SCRAM-SHA-256"


def test_redis_neither_evicts_nor_forgets(host: Any) -> None:
    shown = host.check_output(f"{REDIS_CLI} CONFIG GET maxmemory-policy").split()
    assert shown[1] == "noeviction"
    assert host.check_output(f"{REDIS_CLI} CONFIG GET appendonly").split()[1] == "yes"


def test_other_users_of_the_host_do_not_get_into_redis(host: Any) -> None:
    refused = host.run("runuser -u nobody -- redis-cli LRANGE default 0 -1")
    assert "NOAUTH" in refused.stdout + refused.stderr
    assert "NOAUTH" not in host.check_output(f"{REDIS_CLI} LRANGE default 0 -1")


def test_other_roles_may_not_connect_to_the_database(host: Any) -> None:
    open_to_all = (
        "SELECT count(*) FROM pg_database, aclexplode(datacl) WHERE datname = 'mission_control' "
        "AND grantee = 0 AND privilege_type = 'CONNECT'"
    )
    assert query(host, open_to_all) == "0"
    assert query(host, "SELECT datacl IS NOT NULL FROM pg_database WHERE datname = 'mission_control'") == "t"


def test_worker_waits_for_work(host: Any) -> None:
    deadline = time.monotonic() + 20
    # Between two blocking reads it does its other work for a moment.
    while not re.search(r"flags=b", clients := host.check_output(f"{REDIS_CLI} CLIENT LIST")):
        assert time.monotonic() < deadline, clients


def test_secrets_are_in_no_command_line(host: Any) -> None:
    environment = host.file(f"{ROOT}/current/backend/.env").content_string
    token = re.search(r"^LOCAL_AUTH_TOKEN=\"?([^\"\n]+)", environment, re.MULTILINE)
    password = re.search(r"^DATABASE_URL=.*?://[^:]+:([^@]+)@", environment, re.MULTILINE)
    assert token
    assert password
    processes = host.check_output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert token[1] not in processes
    assert password[1] not in processes


def test_nothing_of_the_builds_is_in_a_directory_of_everybodys(host: Any) -> None:
    """By a name that others can guess, and could have taken first."""
    found = host.run("find /tmp /var/tmp /dev/shm -mindepth 1 -maxdepth 1 -printf '%u %f\n'").stdout
    # OpenClaw makes /tmp/openclaw when asked for its version. It looks whose it is, or takes another one.
    names = r"^\S+ (?:node-compile-cache|v8-compile-cache|uv-|npm-|openclaw-|rq).*"
    assert not re.findall(names, found, re.MULTILINE), found
