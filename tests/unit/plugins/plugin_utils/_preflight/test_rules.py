# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import assignment
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.frontend_settings import (
    FRONTEND_SETTINGS,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.settings import (
    BACKEND_SETTINGS,
)
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import (
    inventory,
    model,
    rules,
    settings,
)

ROOT = Path(__file__).parents[5]
TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
GOOD = {
    "mission_control_public_url": "http://mc.example.com:3000",
    "mission_control_insecure_http": True,
    "mission_control_token": TOKEN,
}
HOST: dict[str, Any] = {
    "os": {"id": "debian", "version": "13", "name": "Debian GNU/Linux 13 (trixie)", "init": "systemd"},
    "python": [{"version": "3.13", "suitable": True}],
    "user": {"exists": True, "uid": 1000, "system": False},
    "memory": {"total_bytes": 4_000_000_000, "available_bytes": 3_000_000_000, "swap_bytes": 0},
    "disk": {
        "/srv": {
            "checked": "/srv",
            "available_bytes": 9_000_000_000,
            "total_inodes": 9,
            "available_inodes": 5,
        }
    },
    "listeners": [],
    "maintenance": "",
}
ALL = ("postgresql", "redis", "backend", "worker", "frontend")
PORTS = (
    model.Port(8000, "mission_control_backend_port"),
    model.Port(3000, "mission_control_frontend_port"),
)


def context(variables: dict[str, Any] | None = None, **changes: Any) -> model.Context:
    options: dict[str, Any] = {
        "variables": GOOD | {f"mission_control_{name}": value for name, value in (variables or {}).items()},
        "hostname": "h",
        "groups": {"mission_control": ["h"], "all": ["h"], "webservers": ["h"]},
        "components": ALL,
        "host": HOST,
        "ports": PORTS,
        "spaces": (model.Space("/srv", 4_000_000_000, "common_root"),),
        "memory": 1_000_000_000,
    } | changes
    return model.Context(**options)


def host(**changes: Any) -> dict[str, Any]:
    return HOST | changes


def listener(port: int, command: str, uid: int = 0, unit: str | None = None) -> dict[str, Any]:
    return {"port": port, "command": command, "uid": uid, "user": f"u{uid}", "pid": 77, "unit": unit}


def problems(found: model.Context) -> list[model.Problem]:
    return [problem for problem in rules.check(found) if not problem.warning]


def warnings(found: model.Context) -> list[model.Problem]:
    return [problem for problem in rules.check(found) if problem.warning]


def test_a_good_deployment_has_no_problem_and_no_warning() -> None:
    assert rules.check(context()) == []


def test_a_second_installation_on_the_host_is_refused() -> None:
    (problem,) = problems(context(host=host(installed_user="another")))
    assert problem.variable == "mission_control_user" and "another" in problem.message
    assert "uninstall.yml -e mission_control_user=another" in problem.remedy
    assert problems(context(host=host(installed_user="mission-control"))) == []
    assert problems(context(host=host(installed_user=""))) == []
    # A host of databases has none.
    assert problems(context(host=host(installed_user="another"), components=("postgresql",))) == []


def test_nothing_is_demanded_of_a_host_that_runs_no_part() -> None:
    bare = model.Context(hostname="h", groups={"all": ["h"]})
    assert rules.check(bare) == []


# One line for each way to be wrong: variables, what the message says, what the remedy says.
VARIABLES = [
    ({"public_url": ""}, "mission_control_public_url — is not set", "give the address"),
    ({"public_url": "mc.example.com:3000"}, "is not absolute", "https://host"),
    (
        {"insecure_http": False},
        "has no TLS, and the backend at 0.0.0.0",
        "mission_control_insecure_http: true",
    ),
    ({"public_url": "/ui"}, "is not absolute", ""),
    ({"public_url": "ftp://mc"}, "is not absolute", ""),
    ({"public_url": "http://"}, "names no host", ""),
    ({"public_url": "http://mc:3000/"}, "ends with a slash", "scheme and host only"),
    ({"public_url": "http://mc:3000/ui"}, "has the path /ui", ""),
    ({"public_url": "http://mc:x"}, "not a valid address", ""),
    ({"public_url": "http://mc:99999"}, "not a valid address", ""),
    ({"public_url": "http://u:p@mc"}, "a user name or a password", ""),
    ({"public_url": "http://mc?x=1"}, "a query", ""),
    ({"public_url": "http://MC:3000"}, "capital letters", ""),
    ({"public_url": "https://mc:443"}, "default port 443", ""),
    ({"api_url": "/api"}, "mission_control_api_url: /api — is not absolute", "BASE_URL"),
    ({"api_url": "http://localhost:8000"}, "reachable on the host itself only", "as users know it"),
    ({"api_url": "http://[::1]:8000"}, "reachable on the host itself only", ""),
    ({"cors_origins": ["http://mc.example.com:3000", "http://x/"]}, "http://x/ — ends with a slash", ""),
    ({"cors_origins": ["http://mc.example.com:3000", "http://x/y"]}, "http://x/y — has the path /y", ""),
    ({"cors_origins": ["*"]}, "is not a valid origin", "list each"),
    (
        {"backend_bind": "db.example"},
        "mission_control_backend_bind: db.example — is not a valid",
        ":: for all",
    ),
    ({"frontend_bind": "0.0.0.0:3000"}, "mission_control_frontend_bind: 0.0.0.0:3000 — is not", "IPv6"),
    (
        {"cors_origins": "http://x, http://y"},
        "lacks http://mc.example.com:3000",
        "add mission_control_public_url",
    ),
    (
        {"gateway_ca_path": "ca.pem"},
        "mission_control_gateway_ca_path: ca.pem — is not an absolute",
        "backends",
    ),
    ({"auth_mode": "none"}, "mission_control_auth_mode: none — is not known", "local or clerk"),
    (
        {"auth_mode": "clerk", "clerk_publishable_key": "x"},
        "mission_control_clerk_secret_key — is not set",
        "dashboard",
    ),
    (
        {"auth_mode": "clerk", "clerk_secret_key": "x"},
        "mission_control_clerk_publishable_key — is not set",
        "",
    ),
    ({"token": ""}, "mission_control_token — is not set", "openssl rand -hex 32"),
    ({"token": "abcdefgh12345"}, "has 13 characters", "openssl rand -hex 32"),
    ({"token": "replace-me"}, "is a placeholder", ""),
    ({"token": "Replace-With-Strong-Random-Token"}, "is a placeholder", ""),
    ({"token": "your-token-" * 6}, "is a placeholder", ""),
    ({"token": "a" * 64}, "repeats the same few characters", ""),
    ({"token": TOKEN[:60] + "\\ x"}, "blanks, quotes", ""),
    ({"token": TOKEN + "ü"}, "other characters", ""),
    ({"backend_environment": {"LOG_LEVL": "INFO"}}, "LOG_LEVL — is not a setting", "did you mean LOG_LEVEL?"),
    (
        {"backend_environment": {"log_level": "INFO"}},
        "log_level — is not a setting",
        "did you mean LOG_LEVEL?",
    ),
    ({"backend_environment": {"MY_OWN": "1"}}, "is not a setting", "mission_control_additional_environment"),
    ({"backend_environment": {"NEXT_PUBLIC_API_URL": "x"}}, "is not a setting", "built into the frontend"),
    ({"backend_environment": {"LOG_LEVEL": "LOUD"}}, "LOG_LEVEL: LOUD — has to be one of TRACE", ""),
    ({"backend_environment": {"LOG_LEVEL": "info"}}, "written in capitals", ""),
    ({"backend_environment": {"LOG_USE_UTC": "maybe"}}, "has to be true or false", ""),
    ({"backend_environment": {"RQ_DISPATCH_MAX_RETRIES": -1}}, "whole number", ""),
    ({"backend_environment": {"CLERK_LEEWAY": "ten"}}, "has to be a number", ""),
    ({"backend_environment": {"GATEWAY_MIN_VERSION": "latest"}}, "has to be a version", ""),
    ({"backend_environment": {"BASE_URL": "/api"}}, "BASE_URL: /api — is not absolute", ""),
    ({"backend_environment": {"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}}, "proxy is not a valid address", ""),
    ({"backend_environment": {"CORS_ORIGINS": ["http://x/"]}}, "http://x/ ends with a slash", ""),
    ({"backend_environment": {"LOCAL_AUTH_TOKEN": "shorty"}}, "LOCAL_AUTH_TOKEN — has 6 characters", ""),
    ({"backend_environment": {"RQ_REDIS_URL": "http://x"}}, "starts with http:", ""),
    ({"backend_environment": {"ENVIRONMENT": "dev"}}, "migrate its database whenever", "another name"),
    ({"backend_environment": {"DB_AUTO_MIGRATE": True}}, "several processes migrate", "leave it off"),
    ({"backend_environment": ["LOG_LEVEL=INFO"]}, "is not a mapping", "NAME: value"),
    ({"additional_environment": {"LOG_LEVEL": "INFO"}}, "is a setting of the product", "backend_environment"),
    ({"secret_settings": {"TENANT_PIN": "4711"}}, "is not a list of names", "[TENANT_PIN]"),
    ({"secret_settings": "TENANT_PIN"}, "mission_control_secret_settings — is not a list", "list the names"),
    ({"database_url": "postgresql+psycopg://u:a%40b@h/d"}, "holds a %", "letters, digits"),
    ({"database_url": "mysql://u:p@h/d"}, "starts with mysql:", ""),
    ({"database_url": "postgresql://u:p@h"}, "names no database", ""),
    ({"database_url": "postgresql://u:p@h:port/d"}, "not a valid address", ""),
    (
        {"database_name": "Mission Control"},
        "mission_control_database_name: Mission Control — is not a plain PostgreSQL name",
        "",
    ),
    *(
        (
            {"database_name": name},
            f"mission_control_database_name: {name} — is a database in which",
            "pg_dump",
        )
        for name in ("postgres", "template0", "template1")
    ),
    ({"database_user": "mc;drop"}, "is not a plain PostgreSQL name", ""),
    ({"database_user": "postgres"}, "is the superuser", "leave it out"),
    ({"database_password": "a%b"}, "mission_control_database_password — holds a %", "one is generated"),
    ({"database_password": "a@b"}, "characters that a URL changes", ""),
    ({"redis_url": "localhost:6379"}, "has to be redis://", "redis://:password@host"),
    ({"redis_url": "redis:///0"}, "names no host", ""),
    ({"redis_url": "redis://h:6379/abc"}, "names database abc", ""),
    ({"redis_url": "redis://h:99999/0"}, "not a valid address", ""),
    ({"user": "root"}, "mission_control_user: root — is the superuser", "ordinary user"),
    ({"user": "Mission Control"}, "is not a valid user name", ""),
    ({"user": "-jane"}, "is not a valid user name", ""),
    ({"user": "jane:doe"}, "is not a valid user name", ""),
    ({"backup": "perhaps"}, "mission_control_backup: perhaps — is neither true nor false", "true or false"),
    ({"backup_repository": "backups"}, "neither an absolute path nor an address", "from / on"),
    ({"backup_repository": "/srv/../etc"}, "neither an absolute path", ""),
    ({"backup_repository": "ftp://store/x"}, "starts with ftp:, a place that restic does not know", "sftp:"),
    ({"backup_repository": "b2:"}, "names nothing after b2:", "b2:..."),
    ({"backup_repository": "rest:store/x"}, "wants a URL after rest:", "rest:https://"),
    (
        {
            "backup_repository": "rest:https://u:p4ss@store/x",
            "backup_credentials": {"RESTIC_REST_PASSWORD": "p4ss"},
        },
        "mission_control_backup_repository: rest:https://store/x — holds a login, and",
        "in one of both",
    ),
    *(
        (
            {"backup_repository": repository, "backup_known_hosts": "x"},
            "mission_control_backup_repository — holds a password",
            "mission_control_backup_credentials",
        )
        for repository in ("rest:u:p4ss@store/x", "s3:https://u:p4ss@store/x", "sftp://u:p4ss@store/x")
    ),
    ({"backup_repository": "s3:https://s3.example.com/b"}, "needs the keys of S3", "AWS_ACCESS_KEY_ID"),
    ({"backup_repository": "sftp:u@store:/x"}, "a server whose key is not known", "ssh-keyscan"),
    ({"backup_environment": "a,b"}, "mission_control_backup_environment: a,b — holds other", "another name"),
    ({"backup_password": "shorty"}, "mission_control_backup_password — is shorter", "openssl rand"),
    ({"backup": False, "restore": "latest"}, "wants a restore point, and there are no backups", "to true"),
    ({"backup_wal": "perhaps"}, "mission_control_backup_wal — is neither true nor false", "true or false"),
    (
        {"backup_wal": True, "backup_repository": "rest:https://store/x"},
        "does not go with rest:",
        "S3 by https",
    ),
    (
        {"backup_wal": True, "database_url": "postgresql://u:p@db.example.com/x"},
        "a PostgreSQL server of this deployment's own",
        "leave it out",
    ),
    ({"backup_keep": {"yearly": 1}}, "is not a dictionary of numbers", "daily: 7"),
    ({"backup_keep": {"daily": 0, "weekly": 0, "monthly": 0}}, "keeps nothing", "some days"),
    ({"backup_credentials": ["a"]}, "is not a dictionary of environment variables", "AWS_ACCESS_KEY_ID"),
]


@pytest.mark.parametrize(("variables", "says", "remedy"), VARIABLES)
def test_bad_variables(variables: dict[str, Any], says: str, remedy: str) -> None:
    found = problems(context(variables))
    assert len(found) == 1, [str(problem) for problem in found]
    assert says in str(found[0])
    assert remedy in found[0].remedy


@pytest.mark.parametrize(
    "variables",
    [
        {"public_url": "https://mc.example.com"},
        {"public_url": "http://72.62.201.147:3000"},
        {"public_url": "http://[2001:db8::1]:3000"},
        {"public_url": "http://localhost:3000", "api_url": "http://localhost:8000"},
        {"api_url": "https://mc.example.com/base"},
        {"cors_origins": ["http://mc.example.com:3000", "https://other.example.com"]},
        {"cors_origins": "http://mc.example.com:3000,https://other.example.com"},
        {"auth_mode": "clerk", "clerk_secret_key": "sk_x", "clerk_publishable_key": "pk_x", "token": ""},
        {
            "backend_environment": {
                "LOG_LEVEL": "TRACE",
                "SECURITY_HEADER_X_FRAME_OPTIONS": "",
                "CLERK_LEEWAY": 5,
            }
        },
        {"additional_environment": {"TZ": "UTC"}},
        {"database_url": "postgresql://u:p_-~.9@db:5432/d?sslmode=require"},
        {"database_url": "postgresql+psycopg://u:p@/d?host=/run/postgresql"},
        {"redis_url": "rediss://:a%20b@h:6380/1"},
        {"backend_bind": "::", "frontend_bind": "[2001:db8::1]"},
        {"backend_bind": "*", "frontend_bind": "localhost"},
        {"database_password": "Abc_-9"},
        {"user": "ubuntu"},
        # As many organizations name people; useradd of Debian 13 makes them, and they get a manager.
        {"user": "jane.doe"},
        {"user": "Jane_Doe"},
    ],
)
def test_good_variables(variables: dict[str, Any]) -> None:
    assert rules.check(context(variables)) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"token": "short-Secret"},
        {"database_password": "secret%Secret"},
        {"database_url": "mysql://u:Secret@h/d"},
        {"redis_url": "http://u:Secret@h/0"},
        {"backend_environment": {"LOCAL_AUTH_TOKEN": "Secret"}},
        {"backend_environment": {"DATABASE_URL": "mysql://u:Secret@h"}},
        {"backend_environment": {"LOG_LEVEL": "Secret"}, "secret_settings": ["LOG_LEVEL"]},
        {"backend_environment": {"LOG_LEVEL": "ghp_SecretSecretSecretSecret"}},
        {"secret_settings": {"TENANT_PIN": "Secret"}},
    ],
)
def test_no_secret_is_shown(variables: dict[str, Any]) -> None:
    found = rules.check(context(variables))
    assert found
    assert all("Secret" not in str(problem.as_dict()) for problem in found)


def test_what_cannot_be_resolved_is_told_once() -> None:
    found = problems(
        context(
            {"token": ""},
            undefined={"mission_control_token": "'vault_mission_control_token' is undefined"},
        )
    )
    assert [problem.variable for problem in found] == ["mission_control_token"]
    assert "vault_mission_control_token" in found[0].message
    assert "vault" in found[0].remedy


@pytest.mark.parametrize(
    ("groups", "says", "remedy"),
    [
        (
            {"mission_control": ["h"], "mission_control_backnd": ["h"]},
            "group mission_control_backnd",
            "did you mean mission_control_backend?",
        ),
        ({"mission_control": ["h"], "mission_control_zzz": []}, "group mission_control_zzz", "known are"),
        ({"mission_controls": ["h"]}, "group mission_controls", "did you mean mission_control?"),
        (
            {"mission_control": ["other"], "mission_control_backend": ["h"]},
            "lacks h, which is in mission_control_backend",
            "a child of mission_control",
        ),
        # The play is never on the host that it leaves out.
        (
            {"mission_control": ["h"], "mission_control_frontend": ["other", "another", "h"]},
            "lacks another, other, which are in mission_control_frontend",
            "make mission_control_frontend a child of mission_control",
        ),
    ],
)
def test_groups(groups: dict[str, list[str]], says: str, remedy: str) -> None:
    found = problems(context(groups=groups))
    assert len(found) == 1
    assert says in str(found[0])
    assert remedy in found[0].remedy


def test_groups_of_another_name() -> None:
    groups = {"staging": ["h"], "staging_backend": ["other"], "staging_backnd": ["h"], "staging_area": ["h"]}
    own = assignment.own_groups(
        groups | {"mission_control": ["p"], "mission_control_worker": ["p"]}, "staging"
    )
    said = [str(problem) for problem in problems(context(groups=own, group="staging"))]
    assert len(said) == 2
    assert "group staging_backnd" in said[0] and "did you mean staging_backend?" in said[0]
    assert "group staging — lacks other, which is in staging_backend" in said[1], said


def test_other_groups_are_nobodys_business() -> None:
    assert rules.check(context(groups={"mission_control": ["h"], "control": ["h"], "mission": ["h"]})) == []


def test_a_host_that_runs_nothing_is_only_a_warning() -> None:
    found = rules.check(context(components=()))
    assert [(problem.warning, problem.rule) for problem in found] == [(True, "inventory_groups")]


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (["mission_control_publc_url"], "mission_control_public_url"),
        (["mission_control_tokn"], "mission_control_token"),
        (["mission_control_database_pasword"], "mission_control_database_password"),
    ],
)
def test_misspelt_variables(names: list[str], meant: str) -> None:
    (found,) = problems(context(names=names))
    assert found.variable == names[0]
    assert found.remedy == f"did you mean {meant}?"


@pytest.mark.parametrize(
    "name", ["mission_control_token", "mission_control_checkout", "other_public_urll", "groups"]
)
def test_other_names_are_left_alone(name: str) -> None:
    assert rules.check(context(names=[name])) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"os": HOST["os"] | {"version": "12", "name": "Debian GNU/Linux 12"}},
            "Debian GNU/Linux 12 — is too old",
        ),
        ({"os": HOST["os"] | {"id": "ubuntu", "version": "22.04"}}, "is too old"),
        ({"os": HOST["os"] | {"id": "fedora", "version": "41"}}, "is not supported"),
        ({"os": HOST["os"] | {"init": "other"}}, "does not run systemd"),
        ({"python": [{"version": "3.11", "suitable": False}]}, "Python 3.11 — the backend needs Python 3.12"),
        ({"python": []}, "Python none — the backend needs"),
        (
            {
                "interpreter": {
                    "path": "/opt/x/bin/python",
                    "virtual": True,
                    "missing": ["psycopg2", "requests"],
                }
            },
            "ansible_python_interpreter: /opt/x/bin/python — is that of a virtual environment of its own, "
            "which lacks psycopg2 and requests",
        ),
        (
            {"interpreter": {"path": "/opt/python3.13", "virtual": False, "missing": ["psycopg2"]}},
            "/opt/python3.13 — is not the distribution's, which lacks psycopg2",
        ),
        ({"user": {"exists": True, "uid": 0, "system": True}}, "is the superuser"),
        (
            {"memory": HOST["memory"] | {"total_bytes": 500_000_000}},
            "has 476.8 MiB of memory, and 953.7 MiB are needed",
        ),
        (
            {"disk": {"/srv": HOST["disk"]["/srv"] | {"available_bytes": 1_500_000_000}}},
            "common_root: /srv — has 1.4 GiB free below /srv, and 3.7 GiB are needed",
        ),
        ({"disk": {"/srv": HOST["disk"]["/srv"] | {"available_inodes": 0}}}, "no inode left"),
        (
            {"maintenance": "in maintenance since yesterday: new disks"},
            "is in maintenance since yesterday: new disks; wait for its end, or end it",
        ),
        (
            {"listeners": [listener(8000, "nginx")]},
            "mission_control_backend_port: 8000 — is held by nginx (PID 77, user u0)",
        ),
        (
            {"listeners": [listener(3000, "node", uid=1001)]},
            "mission_control_frontend_port: 3000 — is held by node",
        ),
        ({"listeners": [listener(3000, "node", uid=1000, unit="session-3.scope")]}, "of session-3.scope"),
        # Another user's deployment is not ours.
        (
            {"listeners": [listener(8000, "python", uid=1001, unit="mission-control-backend.service")]},
            "is held by python",
        ),
        (
            {"listeners": [{**listener(8000, "", uid=1001), "pid": None, "unknown": True}]},
            "is held by a process (PID unknown",
        ),
        ({"listeners": [listener(5432, "docker-proxy")]}, "port 5432 is of docker-proxy"),
        ({"listeners": [listener(6379, "dragonfly")]}, "port 6379 is of dragonfly"),
    ],
)
def test_bad_hosts(changes: dict[str, Any], says: str) -> None:
    found = problems(context(host=host(**changes)))
    assert len(found) == 1, [str(problem) for problem in found]
    assert says in str(found[0])
    assert found[0].remedy


def test_an_authority_that_is_not_there() -> None:
    authority = {"gateway_ca_path": "/etc/openclaw/authority.pem"}
    files = {"/etc/openclaw/authority.pem": {"exists": True}}
    assert problems(context(authority, host=host(files=files))) == []
    # Hosts without a backend do not look for it.
    assert problems(context(authority)) == []
    files["/etc/openclaw/authority.pem"]["exists"] = False
    (problem,) = problems(context(authority, host=host(files=files)))
    assert "mission_control_gateway_ca_path: /etc/openclaw/authority.pem — is not there on h" in str(problem)


@pytest.mark.parametrize(
    "changes",
    [
        {"listeners": [listener(8000, "python", uid=1000, unit="mission-control-backend.service")]},
        {"listeners": [listener(3000, "systemd", uid=1000, unit="init.scope")]},
        # Ours, with too many files open to find the process: nobody knows that it is another one's.
        {"listeners": [{**listener(3000, "", uid=1000), "pid": None, "unknown": True}]},
        {"listeners": [listener(5432, "postgres"), listener(6379, "redis-server"), listener(22, "sshd")]},
        {"disk": {"/srv": HOST["disk"]["/srv"] | {"total_inodes": 0, "available_inodes": 0}}},
        {"user": {"exists": False, "uid": None, "system": False}},
        {"interpreter": {"path": "/opt/x/bin/python", "virtual": True, "missing": []}},
    ],
)
def test_good_hosts(changes: dict[str, Any]) -> None:
    assert rules.check(context(host=host(**changes))) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"os": HOST["os"] | {"version": "14"}}, "operating_system"),
        ({"os": HOST["os"] | {"version": ""}}, "operating_system"),
        ({"os": HOST["os"] | {"id": "ubuntu", "version": "24.04"}}, "operating_system"),
        ({"os": HOST["os"] | {"id": "ubuntu", "version": "26.04"}}, "operating_system"),
        ({"user": {"exists": True, "uid": 998, "system": True}}, "user"),
        ({"memory": HOST["memory"] | {"total_bytes": 1_500_000_000}}, "memory"),
    ],
)
def test_hosts_that_deserve_a_warning(changes: dict[str, Any], rule: str) -> None:
    found = rules.check(context(host=host(**changes)))
    assert [(problem.warning, problem.rule) for problem in found] == [(True, rule)]


def test_an_external_service_leaves_the_port_alone() -> None:
    changed = host(listeners=[listener(5432, "docker-proxy")])
    assert rules.check(context({"database_url": "postgresql://u:p@127.0.0.1/d"}, host=changed)) == []


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((0, 3000), "mission_control_backend_port: 0 — is not a valid port"),
        (("eight", 3000), "eight — is not a valid port"),
        ((70000, 3000), "70000 — is not a valid port"),
        ((80, 3000), "80 — is a port that an ordinary user may not open"),
        ((3000, 3000), "mission_control_frontend_port: 3000 — is that of mission_control_backend_port too"),
    ],
)
def test_ports(numbers: tuple[Any, Any], says: str) -> None:
    ports = [model.Port(number, port.variable) for number, port in zip(numbers, PORTS, strict=True)]
    (found,) = problems(context(ports=ports))
    assert says in str(found)


@pytest.mark.parametrize(
    ("holder", "ours"),
    [
        (listener(18789, "node", uid=1001, unit="openclaw-gateway.service") | {"user": "openclaw"}, True),
        (listener(18789, "node", uid=1000, unit="openclaw-gateway.service"), True),
        # Somebody else's gateway, one that was started by hand, and something that is no gateway at all.
        (listener(18789, "node", uid=1002, unit="openclaw-gateway.service") | {"user": "kim"}, False),
        (listener(18789, "node", uid=1000, unit="session-3.scope"), False),
        (listener(18789, "caddy"), False),
        (listener(8443, "caddy"), True),
    ],
)
def test_the_gateways_port_is_looked_at_too(holder: dict[str, Any], ours: bool) -> None:
    gateway = model.Gateway(version="2026.4.2", user="openclaw", url="ws://127.0.0.1:18789")
    ports = (*PORTS, model.Port(18789, "gateway_port"))
    found = problems(context(gateway=gateway, ports=ports, host=host(listeners=[holder])))
    told = [] if ours else [f"gateway_port: 18789 — is held by {holder['command']} (PID 77, user"]
    assert [str(problem)[: len(text)] for problem, text in zip(found, told, strict=True)] == told


def test_all_problems_come_at_once_and_none_twice() -> None:
    found = problems(context({"public_url": "", "token": "", "user": "root"}, host=host(python=[])))
    assert [problem.rule for problem in found] == ["public_url", "authentication", "user", "python"]


def adoptable(state: str = "found", **changes: Any) -> dict[str, Any]:
    found = {
        "state": state,
        "tree": "/home/u1000/mission-control",
        "settings": {},
        "listens": {},
        "processes": [],
    }
    return host(adoption=found | changes)


def test_an_installation_that_was_set_up_by_hand_is_taken_over_unless_told_otherwise() -> None:
    assert problems(context(host=adoptable())) == []
    (problem,) = problems(context({"adopt": False}, host=adoptable()))
    assert str(problem).startswith("mission_control_adopt — is off") and "/home/u1000/" in str(problem)
    assert problems(context({"adopt": False}, host=adoptable("done"))) == []


def test_addresses_that_differ_have_to_stand_in_the_inventory() -> None:
    found = adoptable(
        settings={"BASE_URL": "http://10.0.0.5:8000/"},
        listens={
            "backend": {"host": "10.0.0.5", "port": "8001"},
            "frontend": {"host": "0.0.0.0", "port": "3000"},
        },
    )
    told = [str(problem) for problem in problems(context(host=found))]
    assert [text.partition(" ")[0] for text in told] == [
        "mission_control_api_url",
        "mission_control_backend_port",
        "mission_control_backend_bind",
    ]
    assert "set mission_control_api_url: http://10.0.0.5:8000 to keep that" in told[0]
    named = {"api_url": "http://mc.example.com:8000", "backend_port": 8001, "backend_bind": "0.0.0.0"}
    assert problems(context(named, host=found)) == []
    same = adoptable(settings={"BASE_URL": "http://mc.example.com:8000"})
    assert problems(context(host=same)) == []


def test_processes_that_are_taken_over_do_not_hold_a_port() -> None:
    stray = listener(8000, "python", 1000, "session-1.scope")
    (problem,) = problems(context(host=host(listeners=[stray])))
    assert "is held by python" in str(problem)
    found = adoptable(processes=[{"part": "backend", "pids": [70, 77]}])
    assert problems(context(host=found | {"listeners": [stray]})) == []
    unit = listener(8000, "uv", 1000, "openclaw-mission-control-backend.service")
    assert problems(context(host=host(listeners=[unit]))) == []
    (problem,) = problems(context(host=host(listeners=[unit | {"uid": 1001, "user": "ubuntu"}])))
    assert "set mission_control_user to ubuntu" in str(problem)


def test_a_group_for_a_door_is_refused_where_nothing_asks_for_one() -> None:
    groups = {"mission_control": ["h"], "mission_control_proxy": ["h"]}
    found = [str(problem) for problem in rules.check(model.Context(hostname="h", groups=groups))]
    assert [line for line in found if line.startswith("group mission_control_proxy — has no effect")]
    assert [line for line in found if line.endswith("take the group out of the inventory")]


def test_every_rule_is_met_by_a_test() -> None:
    met = {problem.rule for variables, *_rest in VARIABLES for problem in rules.check(context(variables))}
    elsewhere = {
        "adoption",
        "other_installation",
        "undefined_variables",
        # action/test_preflight.py
        "changing_variables",
        "source",
        "inventory_groups",
        "variable_names",
        "operating_system",
        "python",
        "interpreter",
        "port_numbers",
        "ports_free",
        "service_ports",
        "maintenance",
        "disk_space",
        "noexec",
        "journal_storage",
        "user_ageing",
        "memory",
        "bundle",
        # test_front_door.py
        "whose_door",
        "door_access",
        "door_apart",
        "door_ports",
        "acme",
        "certificate",
        # test_gateway_door.py
        "gateway_door",
        # test_firewall.py
        "firewall",
        # test_transport.py
        "encryption",
        "plain_addresses",
        # test_gateway.py
        "gateway_settings",
        "gateway_user",
        "gateway_version",
        "gateway_listening",
        "gateway_access",
        "gateway_registrations",
        "gateway_boards",
    }
    assert {rule.__name__ for rule in rules.RULES} == met | elsewhere


def test_the_settings_are_those_that_the_backend_role_writes() -> None:
    defaults = yaml.safe_load((ROOT / "roles/backend/defaults/main.yml").read_text())
    assert set(defaults["backend_settings"]) == set(BACKEND_SETTINGS)
    frontend = yaml.safe_load((ROOT / "roles/frontend/defaults/main.yml").read_text())
    assert set(frontend["frontend_settings"]) == set(FRONTEND_SETTINGS)


def test_every_default_is_a_good_value() -> None:
    needed = {"DATABASE_URL", "AUTH_MODE", "LOCAL_AUTH_TOKEN"}
    for name, setting in BACKEND_SETTINGS.items():
        assert bool(settings.setting_fault(name, setting, setting.default)) is (name in needed), name


def test_every_public_variable_of_the_roles_is_known() -> None:
    used = set()
    for path in (ROOT / "roles").glob("*/defaults/main.yml"):
        used |= set(re.findall(r"\bmission_control_[a-z_]+", path.read_text()))
    groups = {f"mission_control_{component}" for component in model.COMPONENTS}
    assert used - groups - inventory.PUBLIC_VARIABLES == set()


# --- the bundle ----------------------------------------------------------------------------------

SETTINGS = {"NEXT_PUBLIC_API_URL": "http://mc:8000", "NEXT_PUBLIC_AUTH_MODE": "local"}
WISHES: dict[str, Any] = {
    "source_revision": "v1",
    "backend_uv_version": "0.13.9",
    "frontend_settings": SETTINGS,
    "frontend_environment": {},
    "frontend_fonts": "local",
    "frontend_node_version": "24.19.0",
    "gateway_version": "2026.4.2",
    "gateway_node_version": "24.19.0",
    "gateway_plugins": ["slack"],
}
MANIFEST: dict[str, Any] = {
    "system": {
        "id": "debian",
        "version": "13",
        "name": "Debian GNU/Linux 13 (trixie)",
        "architecture": "x86_64",
        "python": "3.13",
    },
    "source": {"kind": "git", "asked": "v1", "revision": "a" * 40},
    "uv": "0.13.9",
    "backend": {"key": "e1"},
    "frontends": [{"environment": SETTINGS, "fonts": "local", "node": "24.19.0"}],
    "gateways": [{"version": "2026.4.2", "node": "24.19.0", "plugins": ["slack"]}],
    "parts": {"packages.tar": {"kind": "packages", "size": 100}, "x": {"kind": "source", "size": 10}},
}
DIRECTORY = "/var/lib/bundle"


def bundled(manifest: dict[str, Any] | None = None, **changes: Any) -> model.Context:
    """A host that is deployed from a bundle; changes are those of the wishes, or of the context."""
    role_variables = WISHES | {name: changes.pop(name) for name in list(changes) if name in WISHES}
    system = HOST["os"] | {"architecture": "x86_64"}
    found = host(files={}, os=system) | changes.pop("host", {})
    told = model.Bundle("/m/x.tar", DIRECTORY, MANIFEST | (manifest or {}), role_variables=role_variables)
    return context(host=found, **({"components": (*ALL, "gateway"), "bundle": told} | changes))


def told_of_bundle(found: model.Context) -> list[str]:
    return [str(problem) for problem in problems(found) if problem.rule == "bundle"]


def test_a_bundle_that_fits_is_no_problem() -> None:
    assert problems(bundled()) == []
    assert problems(bundled(source_revision="a" * 40)) == []
    # A role alone knows nothing of the other roles' variables.
    assert problems(bundled(bundle=model.Bundle("/m/x.tar", DIRECTORY, MANIFEST))) == []


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        (
            {"os": {"version": "24.04", "id": "ubuntu", "name": "Ubuntu 24.04"}},
            "Ubuntu 24.04, x86_64, Python 3.13",
        ),
        ({"os": {"architecture": "aarch64"}}, "Debian GNU/Linux 13 (trixie), aarch64, Python 3.13"),
        (
            {"python": [{"version": "3.14", "suitable": True}, {"version": "3.13", "suitable": True}]},
            "Python 3.14",
        ),
    ],
)
def test_a_bundle_for_another_system_is_told_in_one_message(changed: dict[str, Any], shown: str) -> None:
    if "os" in changed:
        changed = {"os": HOST["os"] | {"architecture": "x86_64"} | changed["os"]}
    (told,) = told_of_bundle(bundled(host=changed))
    made_for = "was made for Debian GNU/Linux 13 (trixie), x86_64, Python 3.13, and h is "
    assert told.startswith(f"mission_control_bundle: /m/x.tar — {made_for}")
    assert shown in told and told.endswith("playbooks/bundle.yml -e bundle_host=NAME")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source_revision": "v2"}, "holds the revision v1, and mission_control_revision is v2"),
        ({"backend_uv_version": "0.14.0"}, "holds uv 0.13.9, and backend_uv_version is 0.14.0"),
        (
            {"frontend_settings": SETTINGS | {"NEXT_PUBLIC_API_URL": "http://other:8000"}},
            "built with other settings: NEXT_PUBLIC_API_URL is http://mc:8000, here http://other:8000;",
        ),
        ({"frontend_environment": {"NEXT_PUBLIC_X": "1"}}, "NEXT_PUBLIC_X is nothing, here 1;"),
        ({"frontend_node_version": "25.0.0"}, "frontend_node_version is 24.19.0, here 25.0.0;"),
        ({"frontend_fonts": "download"}, "frontend_fonts is local, here download;"),
        (
            {"gateway_version": "2026.9.6"},
            "holds OpenClaw 2026.4.2 with Node 24.19.0 and the plugins slack, and this host runs",
        ),
        (
            {"gateway_plugins": []},
            "and this host runs OpenClaw 2026.4.2 with Node 24.19.0 and the plugins none",
        ),
    ],
)
def test_what_a_bundle_holds_has_to_be_what_the_inventory_asks_for(
    changes: dict[str, Any], told: str
) -> None:
    (found,) = told_of_bundle(bundled(**changes))
    assert told in found and found.endswith("make it anew with this inventory (playbooks/bundle.yml)")


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({"source": None}, "holds no application, which this host runs"),
        ({"frontends": []}, "holds no frontend, which this host runs"),
        ({"gateways": []}, "holds no gateway, and this host runs OpenClaw 2026.4.2"),
    ],
)
def test_a_bundle_for_other_parts_is_told(manifest: dict[str, Any], told: str) -> None:
    (found,) = told_of_bundle(bundled(manifest))
    assert told in found


def test_a_bundle_for_other_parts_is_fine_where_they_do_not_run() -> None:
    lacking = {"source": None, "frontends": [], "gateways": []}
    assert told_of_bundle(bundled(lacking, components=("postgresql", "redis"))) == []


def test_of_several_frontends_the_nearest_is_compared() -> None:
    other = {"environment": {"NEXT_PUBLIC_API_URL": "http://far:1"}, "fonts": "local", "node": "1"}
    near = {"environment": SETTINGS, "fonts": "download", "node": "24.19.0"}
    (found,) = told_of_bundle(bundled({"frontends": [other, near]}))
    assert "settings: frontend_fonts is download, here local;" in found
    assert told_of_bundle(bundled({"frontends": [other, *MANIFEST["frontends"]]})) == []


def test_a_bundle_that_cannot_be_read_is_the_only_thing_told() -> None:
    told = model.Bundle("/m/x.tar", DIRECTORY, fault="does not exist on the controller")
    (found,) = told_of_bundle(bundled(bundle=told))
    assert found.startswith("mission_control_bundle: /m/x.tar — does not exist on the controller;")


def test_room_for_a_bundle_is_looked_at_once() -> None:
    space = {"disk": {DIRECTORY: {"available_bytes": 209, "total_inodes": 0, "available_inodes": 0}}}
    (found,) = told_of_bundle(bundled(host=space))
    assert "needs 210 B below /var/lib/bundle, and 209 B are free" in found
    there = space | {"files": {f"{DIRECTORY}/installed.json": {"exists": True}}}
    assert told_of_bundle(bundled(host=there)) == []


AGEING = {"known": True, "ages": True, "expired": "", "must_change": False, "password": "", "account": ""}
ONES_OWN = {"exists": True, "name": "jane", "uid": 1000, "system": False, "comment": "Jane"}


@pytest.mark.parametrize(
    ("ageing", "told", "remedy"),
    [
        ({"expired": "password", "password": "2020-04-01"}, "password that expired (2020-04-01)", "chage"),
        ({"expired": "password", "must_change": True}, "password that expired (the next login)", "--lastday"),
        ({"expired": "account", "account": "2020-04-01"}, "an account that expired (2020-04-01)", "usermod"),
    ],
)
def test_a_user_that_may_not_be_entered_is_refused(ageing: dict[str, Any], told: str, remedy: str) -> None:
    (problem,) = problems(context(host=host(user=ONES_OWN | {"ageing": AGEING | ageing})))
    assert told in str(problem) and remedy in problem.remedy and "jane" in problem.remedy


def test_a_user_that_ages_is_a_warning_and_ours_is_mended() -> None:
    ageing = AGEING | {"password": "2099-01-01"}
    (warning,) = warnings(context(host=host(user=ONES_OWN | {"ageing": ageing})))
    assert "password that expires (2099-01-01)" in str(warning)
    ours = ONES_OWN | {"comment": "OpenClaw Mission Control"}
    for found in (ageing, AGEING | {"expired": "password", "password": "2020-04-01"}):
        assert [*problems(context(host=host(user=ours | {"ageing": found})))] == []
    ended = AGEING | {"expired": "account", "account": "2020-04-01"}
    assert problems(context(host=host(user=ours | {"ageing": ended}))), "somebody has set that end"


def test_a_place_without_programs_is_refused() -> None:
    (problem,) = problems(context(host=host(disk={"/srv": HOST["disk"]["/srv"] | {"noexec": True}})))
    assert "/srv lies on a file system (/srv) that is mounted noexec" in str(problem)


def test_a_journal_that_is_not_kept_is_a_warning() -> None:
    journal = {"persistent": True, "storage": "volatile", "storage_file": "/etc/x/90-admin.conf"}
    (warning,) = warnings(context(host=host(journal=journal)))
    assert "Storage=volatile in /etc/x/90-admin.conf" in str(warning)
    assert warnings(context(host=host(journal=journal | {"storage": "persistent"}))) == []
