"""Every command of the product's monitoring guide, typed on a deployed host as its user would type it.

docs/guide.md puts each beside its counterparts; the last test sees that no command of the page is untested.
"""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from operations_support import CHECKOUT, USER, Play, follow, on_host

testinfra_hosts = ["operations-one"]
API = "http://localhost:8000"
SESSION = "agent:mc-demo-1:main"
AsUser = Callable[[str], Any]
Run = Callable[[str], Any]


@pytest.fixture
def token(environment: dict[str, str]) -> str:
    return environment["LOCAL_AUTH_TOKEN"]


@pytest.fixture
def singular() -> Iterator[None]:
    """The backend speaks the guide's dialect for a while (a setting of the reference application)."""
    file = f"/home/{USER}/mission-control/current/backend/.env"
    host = "operations-one"
    on_host(
        host,
        f"cp -p {file} /root/dialect && echo REFERENCE_GATEWAY_DIALECT=singular >> {file}"
        " && mission-control restart backend",
    )
    yield
    on_host(host, f"cp -p /root/dialect {file} && mission-control restart backend")


def get(as_user: AsUser, path: str, token: str) -> Any:
    """A GET of the guide's: the token is in a variable of the shell."""
    done = as_user(f'TOKEN={token}; curl -s "{API}{path}" -H "Authorization: Bearer $TOKEN"')
    assert done.rc == 0, done.stderr
    return json.loads(done.stdout)


def history(as_user: AsUser, path: str, token: str) -> list[Any]:
    """A session's messages.

    OpenClaw loads what it needs for the first such question when it is asked. On a busy machine that takes
    longer than the product waits for it.
    """
    deadline = time.monotonic() + 90
    while "history" not in (answer := get(as_user, path, token)):
        assert time.monotonic() < deadline, answer
        time.sleep(1)
    found: list[Any] = answer["history"]
    return found


@pytest.mark.parametrize("path", ["/health", "/healthz", "/readyz"])
def test_health_endpoints(as_user: AsUser, path: str) -> None:
    assert json.loads(as_user(f"curl -s {API}{path}").stdout) == {"ok": True}


def test_cors(as_user: AsUser, environment: dict[str, str]) -> None:
    origin = environment["CORS_ORIGINS"].split(",")[0]
    command = (
        f"curl -s -I -X OPTIONS {API}/api/v1/organizations/me/member"
        f' -H "Origin: {origin}" -H "Access-Control-Request-Method: GET"'
    )
    headers = as_user(command).stdout.lower()
    assert f"access-control-allow-origin: {origin}" in headers
    foreign = as_user(command.replace(origin, "http://elsewhere.invalid")).stdout.lower()
    assert "access-control-allow-origin" not in foreign


def test_membership(as_user: AsUser, token: str) -> None:
    assert get(as_user, "/api/v1/organizations/me/member", token)["role"] == "owner"


def test_agents(as_user: AsUser, token: str) -> None:
    page = get(as_user, "/api/v1/agents", token)
    assert page["total"] > 5 and {"name", "status"} <= set(page["items"][0])


@pytest.mark.parametrize("range", ["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"])
def test_metrics(as_user: AsUser, token: str, range: str) -> None:
    found = get(as_user, f"/api/v1/metrics/dashboard?range={range}&range_key={range}", token)
    assert {"active_agents", "tasks_in_progress", "error_rate_pct", "median_cycle_time_hours_7d"} <= set(
        found["kpis"]
    )
    assert found["throughput"]["primary"]["range"] == range


def test_metrics_as_the_guide_writes_it(as_user: AsUser, token: str) -> None:
    assert get(as_user, "/api/v1/metrics/dashboard?range=24h", token)["range"] == "24h"


def test_gateway_status(as_user: AsUser, token: str, singular: None) -> None:
    assert "connected" in get(as_user, "/api/v1/gateway/status", token)


def test_sessions_detail_and_history(as_user: AsUser, token: str, singular: None) -> None:
    keys = [session["key"] for session in get(as_user, "/api/v1/gateway/sessions", token)["sessions"]]
    assert SESSION in keys
    detail = get(as_user, f"/api/v1/gateway/sessions/{SESSION}", token)
    assert detail["session"]["key"] == SESSION
    assert len(history(as_user, f"/api/v1/gateway/sessions/{SESSION}/history", token)) >= 2


def test_gateway_in_the_running_products_dialect(as_user: AsUser, token: str) -> None:
    board = next(
        board for board in get(as_user, "/api/v1/boards", token)["items"] if board.get("gateway_id")
    )["id"]
    assert "connected" in get(as_user, f"/api/v1/gateways/status?board_id={board}", token)
    sessions = get(as_user, f"/api/v1/gateways/sessions?board_id={board}", token)["sessions"]
    assert SESSION in [session["key"] for session in sessions]
    path = f"/api/v1/gateways/sessions/{SESSION.replace(':', '%3A')}"
    assert get(as_user, f"{path}?board_id={board}", token)["session"]["key"] == SESSION
    assert history(as_user, f"{path}/history?board_id={board}", token)


@pytest.mark.parametrize("service", ["backend", "frontend", "worker"])
def test_following_the_journal(host: Any, service: str) -> None:
    unit = f"mission-control-{service}"
    command = f"journalctl --user -u {unit} -f"
    # The worker and the page say nothing by themselves: a restart does.
    trigger = f"systemctl --user -M {USER}@ restart {unit}"
    result = follow(host, ["su", "-", USER, "-c", command], trigger=trigger, wanted=f"Started {unit}.service")
    assert result["state"] == "interrupted", result
    assert result["left"] == ""


def test_recent_logs(as_user: AsUser) -> None:
    done = as_user("journalctl --user -u mission-control-backend -n 100 --no-pager")
    assert done.rc == 0 and 1 < len(done.stdout.splitlines()) <= 101


@pytest.mark.parametrize("service", ["backend", "frontend", "worker"])
def test_service_status(as_user: AsUser, service: str) -> None:
    done = as_user(f"systemctl --user status mission-control-{service}")
    assert done.rc == 0 and "active (running)" in done.stdout


def test_restart_of_one_service_and_of_all(host: Any, as_user: AsUser) -> None:
    show = f"systemctl --user -M {USER}@ show -P MainPID mission-control-{{}}"
    names = ("backend", "frontend", "worker")
    before = {name: host.run(show.format(name)).stdout for name in names}
    assert as_user("systemctl --user restart mission-control-backend").rc == 0
    assert host.run(show.format("backend")).stdout != before["backend"]
    assert host.run(show.format("worker")).stdout == before["worker"]
    command = "systemctl --user restart " + " ".join(f"mission-control-{name}" for name in names)
    assert as_user(command).rc == 0
    assert all(host.run(show.format(name)).stdout not in (before[name], "0\n") for name in names)
    assert host.run(f"curl -sf {API}/readyz").rc == 0, "a restart returns when requests are answered"


# The guide's lines, with the deployed address taken from the 0600 file instead of postgres:postgres.
PSYCOPG = """cd ~/mission-control/backend
export DATABASE_URL="$(sed -n 's/^DATABASE_URL=//p' .env | tr -d '\\042\\047' | sed 's/+psycopg:/:/')"
.venv/bin/python3 -c "
import os, psycopg
conn = psycopg.connect(os.environ['DATABASE_URL'])
cur = conn.cursor()
cur.execute('SELECT name, status FROM agents')
for row in cur.fetchall(): print(row)
"
"""


def test_psycopg_lines(as_user: AsUser, secrets: dict[str, str]) -> None:
    done = as_user(PSYCOPG)
    assert done.rc == 0, done.stderr
    rows = [ast.literal_eval(line) for line in done.stdout.splitlines()]
    assert len(rows) > 5 and all(len(row) == 2 for row in rows)
    assert secrets["password"] not in done.stdout + done.stderr
    assert PSYCOPG.strip() in (CHECKOUT / "docs/guide.md").read_text()


# -- the counterparts ------------------------------------------------------------------------------

CHECK_MODULES = {
    "health_check": "health",
    "membership_check": "membership",
    "agents_check": "agents",
    "metrics_check": "metrics",
    "gateway_check": "gateway",
    "sessions_check": "sessions",
    "session_check": "session",
}


@pytest.mark.parametrize(
    "check",
    [
        "health",
        "membership",
        "agents",
        "gateway",
        "sessions",
        "session",
        "metrics",
        "service",
        "log",
        "database",
    ],
)
def test_the_host_commands_counterparts(host: Any, check: str) -> None:
    done = host.run(f"mission-control verify {check} --wait 60")
    assert done.rc == 0, done.stdout
    assert re.search(rf"^  (pass|warn|flaky) +{check}\b", done.stdout, re.MULTILINE), done.stdout


def test_the_playbooks_counterparts(play: Play) -> None:
    checks = "health,membership,agents,gateway,sessions,session,metrics,service,log,database"
    done = play(
        "verify.yml",
        "--limit",
        "operations-one",
        "--tags",
        checks,
        "-e",
        "verify_controller=false verify_deadline=180",
    )
    assert done.returncode == 0, done.output
    for check in checks.split(","):
        assert re.search(rf"^  (pass|warn|flaky) +{check}\b", done.output, re.MULTILINE), check


def test_modules_of_the_page_exist(play: Play) -> None:
    text = (CHECKOUT / "docs/guide.md").read_text()
    for name in set(
        re.findall(r"`(\w+_check|services_info|services|service_logs|database_query|verify)`", text)
    ):
        assert (CHECKOUT / "plugins/modules" / f"{name}.py").exists(), name
    for name in set(re.findall(r"`(\w+\.yml)", text)):
        assert (CHECKOUT / "playbooks" / name).exists(), name


GUIDE_COMMANDS = (
    "curl http://localhost:8000/health",
    "curl http://localhost:8000/healthz",
    "curl http://localhost:8000/readyz",
    "curl -I -X OPTIONS http://localhost:8000/api/v1/organizations/me/member",
    "curl http://localhost:8000/api/v1/organizations/me/member",
    "curl http://localhost:8000/api/v1/agents",
    "curl http://localhost:8000/api/v1/gateway/status",
    "curl http://localhost:8000/api/v1/gateway/sessions",
    'curl "http://localhost:8000/api/v1/gateway/sessions/$SESSION_ID"',
    'curl "http://localhost:8000/api/v1/gateway/sessions/$SESSION_ID/history"',
    'curl "http://localhost:8000/api/v1/metrics/dashboard?range=24h"',
    "journalctl --user -u mission-control-backend -f",
    "journalctl --user -u mission-control-frontend -f",
    "journalctl --user -u mission-control-worker -f",
    "systemctl --user status mission-control-backend",
    "systemctl --user status mission-control-frontend",
    "systemctl --user status mission-control-worker",
    "systemctl --user restart mission-control-backend",
    "systemctl --user restart mission-control-backend mission-control-frontend mission-control-worker",
)


def test_the_page_has_every_command_of_the_guide() -> None:
    text = (CHECKOUT / "docs/guide.md").read_text()
    assert [command for command in GUIDE_COMMANDS if f"`{command}`" not in text] == []
    own = set(re.findall(r"`((?:curl|journalctl --user|systemctl --user) [^`…]+)`", text))
    assert own - set(GUIDE_COMMANDS) == set(), "a command of the page that no test types"
