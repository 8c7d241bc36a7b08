"""query.yml: the guide's question and what is refused."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from operations_support import USER, Play, on_host

testinfra_hosts = ["operations-one"]


def agents() -> list[list[str]]:
    """The agents as PostgreSQL's own superuser sees them."""
    sql = "SELECT name || chr(9) || status FROM agents ORDER BY name"
    text = on_host("operations-one", f'cd /; runuser -u postgres -- psql -qAt mission_control -c "{sql}"')
    return [line.split("\t") for line in text.splitlines()]


def test_the_guides_question(play: Play) -> None:
    done = play("query.yml", "-e", "sql='SELECT name, status FROM agents ORDER BY name'")
    assert done.returncode == 0, done.output
    rows = done.table("name")
    assert len(agents()) > 5
    assert rows == [*agents(), [f"({len(agents())} rows)"]]


def test_as_json_into_a_private_file(play: Play, tmp_path: Path) -> None:
    path = tmp_path / "agents.json"
    done = play(
        "query.yml", "-e", f"sql='SELECT name, status FROM agents ORDER BY name' format=json output={path}"
    )
    assert done.returncode == 0, done.output
    assert [[row["name"], row["status"]] for row in json.loads(path.read_text())] == agents()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_row_limit(play: Play) -> None:
    rows = play("query.yml", "-e", "sql='SELECT name FROM agents ORDER BY name' limit=2").table("name")
    assert rows == [[agents()[0][0]], [agents()[1][0]], ["(2 rows, more were left out: raise limit)"]]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM agents", "DELETE is not a question; it was not run. Ask one question that only reads"),
        (
            "DELETE FROM agents RETURNING name",
            "The query would write (cannot execute DELETE in a read-only transaction)",
        ),
        ("WITH gone AS (DELETE FROM agents RETURNING 1) SELECT 1 FROM gone", "The query would write"),
        ("SELECT 1; SELECT 2", "The query holds several statements; none was run."),
        ("COMMIT; DELETE FROM agents", "The query holds several statements; none was run."),
        ("SELECT nothing FROM agents", "The database does not know this"),
        ("SELECT pg_sleep(60)", "The query took longer than 1 s and was ended by the server."),
    ],
)
def test_what_is_refused(play: Play, sql: str, message: str) -> None:
    before = agents()
    done = play("query.yml", "-e", f"sql='{sql}' seconds=1")
    assert done.returncode != 0
    assert done.message.startswith(message), done.message
    assert agents() == before


def test_no_question(play: Play) -> None:
    done = play("query.yml")
    assert done.returncode != 0 and done.message.startswith("sql: no question was given.")


def test_no_secret_is_shown(play: Play, secrets: dict[str, str], host: Any) -> None:
    tokens = on_host(
        "operations-one",
        'cd /; runuser -u postgres -- psql -qAt mission_control -c "SELECT token FROM gateways"',
    )
    gateway_tokens = [line for line in tokens.splitlines() if line]
    assert gateway_tokens
    done = play("query.yml", "-e", "sql='SELECT * FROM gateways'", verbose=True)
    assert done.returncode == 0 and "********" in done.output
    for value in (*secrets.values(), *gateway_tokens):
        assert value not in done.output
    wrong = play("query.yml", "-e", "sql='SELECT nothing'", verbose=True)
    assert all(value not in wrong.output for value in secrets.values())


def test_with_the_database_down(play: Play, secrets: dict[str, str]) -> None:
    on_host("operations-one", "systemctl stop postgresql")
    try:
        done = play("query.yml", "-e", "sql='SELECT 1'", verbose=True)
    finally:
        on_host("operations-one", "systemctl start postgresql")
    assert done.returncode != 0
    text = " ".join(done.output.split())
    assert "PostgreSQL does not answer" in text and "systemctl start postgresql" in text
    assert secrets["password"] not in done.output


def test_the_password_is_in_no_process_list(host: Any, secrets: dict[str, str]) -> None:
    # While a slow question runs: no argument of any process, no environment of another user's, shows it.
    command = (
        "(sleep 2; ps axww -o args > /tmp/ps.txt) & "
        f"su - {USER} -c 'mission-control db -c \"SELECT pg_sleep(4)\"' >/dev/null; wait; cat /tmp/ps.txt"
    )
    listed = host.run(command).stdout
    assert re.search(r"psql.*pg_sleep", listed)
    assert secrets["password"] not in listed
