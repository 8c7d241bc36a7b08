"""Each user of the host tries the secrets and services of the others: vars/apart.yml names who may."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hostile_support import HOME, ROOT, USER, gateway_user, on_host

SCENARIO = Path(__file__).resolve().parents[1]
TABLE: list[dict[str, Any]] = yaml.safe_load((SCENARIO / "vars/apart.yml").read_text())["apart"]
ACTIONS = ("read", "write", "list", "connect", "succeed")


@pytest.fixture(scope="module")
def users() -> dict[str, str]:
    """The name in the table, and the account on the host."""
    on_host("id -u visitor >/dev/null 2>&1 || useradd --create-home --shell /bin/bash visitor")
    return {
        "application": USER,
        "gateway": gateway_user(),
        **{name: name for name in ("postgres", "redis", "nobody", "visitor")},
    }


@pytest.fixture(scope="module")
def could(users: dict[str, str]) -> list[list[str]]:
    """Who could do what."""
    pid = on_host(f"systemctl --user -M {USER}@ show -P MainPID mission-control-backend")
    words = {
        "SETTINGS": f"{ROOT}/current/backend/.env",
        "GATEWAY": on_host(f"getent passwd {users['gateway']} | cut -d: -f6"),
        "UID": on_host(f"id -u {USER}"),
        "PID": pid,
    }
    things = [
        {action: re.sub(r"\b(SETTINGS|GATEWAY|UID|PID)\b", lambda match: words[match[0]], thing[action])}
        for thing in TABLE
        for action in ACTIONS
        if action in thing
    ]
    on_host("cat > /root/attempts.py", (SCENARIO / "files/attempts.py").read_text())
    asked = json.dumps({"users": users, "things": things})
    found: list[list[str]] = json.loads(on_host("python3 /root/attempts.py", asked))
    return found


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[thing["name"] for thing in TABLE])
def test_only_who_may_can(could: list[list[str]], users: dict[str, str], number: int) -> None:
    may = set(TABLE[number]["may"])
    if users["gateway"] == USER and may & {"application", "gateway"}:
        # One user is both.
        may |= {"application", "gateway"}
    assert set(could[number]) == may, TABLE[number]


def test_the_table_has_a_row_for_every_secret_file(could: list[list[str]]) -> None:
    """A file of the application's or of root's that nobody else may read, and that no row names."""
    assert could
    told = [str(thing[action]) for thing in TABLE for action in ACTIONS if action in thing]
    for path in on_host("find /var/lib/mission-control /etc/mission-control -type f").split():
        # What lies deeper is covered by the row of what it lies in, below the two directories themselves.
        places = [one for one in Path(path).parents if one == Path(path).parent or len(one.parts) > 4]
        assert any(place.as_posix() in text for place in places for text in told), path
    left_out = " ".join(f"-not -path '*/{name}/*'" for name in ("releases", "node_modules", ".cache"))
    private = f"find {HOME} -type f -perm 0600 {left_out}"
    for path in on_host(private).split():
        top = Path(path).relative_to(HOME).parts[0]
        assert top in ("mission-control", "openclaw-gateway", ".openclaw", ".config", ".psqlrc", ".local"), (
            path
        )
