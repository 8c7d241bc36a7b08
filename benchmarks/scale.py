#!/usr/bin/env python3
"""Measure time and memory of checks against the number of agents, sessions and journal lines: 1, 2, 4 times.

Boots a sandbox host of its own from the snapshot that `make molecule SCENARIO=default` leaves, and destroys
it at the end. Agents are rows in its PostgreSQL, read through the application; journal lines are real
journal files, written by systemd-journal-remote; sessions come from a stand-in for the gateway
(host/gateway.py says why). What is measured are the modules as Ansible sends them, run on the host without
Ansible around them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox_host import DIRECTORY, Host, sandbox_host

STEPS = (1, 2, 4)
# What the four-fold is.
AGENTS, SESSIONS, LINES = 10_000, 5_000, 1_000_000
MEGABYTES = 150
# How much more CPU time an item may take among four times as many, before it counts as more than linear.
GROWTH = 1.25
APPLICATION = "/home/mission-control/mission-control/current/backend"
PORT = 18998
COMMON = {"user": "mission-control", "root": "~/mission-control", "fail_on": "never", "timeout": 60}


AGENTS_SQL = """INSERT INTO agents (id, created_at, updated_at, board_id, gateway_id, name, status,
    openclaw_session_id, is_board_lead, last_seen_at)
  SELECT gen_random_uuid(), timezone('utc', now()), timezone('utc', now()), boards.id, boards.gateway_id,
    'Scale ' || i, CASE WHEN i % 10 = 0 THEN 'offline' ELSE 'active' END, 'agent:scale-' || i || ':main',
    false, timezone('utc', now())
  FROM boards,
    generate_series((SELECT count(*) FROM agents WHERE name LIKE 'Scale %'), :number - 1) AS i
  WHERE boards.slug = 'sandbox';
ANALYZE agents;"""
GATEWAY_SQL = """UPDATE gateways SET url = 'ws://127.0.0.1:' || :number;
UPDATE boards SET gateway_id = NULL WHERE slug <> 'sandbox';"""


def sql(statements: str, number: int) -> str:
    psql = f"psql -qAt -v ON_ERROR_STOP=1 -v number={number} -d mission_control"
    return f"cd / && runuser -u postgres -- {psql} <<'END'\n{statements}\nEND\n"


def fill_agents(host: Host, number: int) -> None:
    """That many agents of the sandbox's board; the first ones have sessions."""
    host.shell(sql(AGENTS_SQL, number))


def serve_sessions(host: Host, number: int) -> None:
    """Put the stand-in with that many sessions in the gateway's place, for one board alone."""
    command = f"{APPLICATION}/.venv/bin/python {DIRECTORY}/gateway.py {PORT} {number}"
    host.shell(
        "systemctl stop scale-gateway 2>/dev/null || true\n"
        f"systemd-run --quiet --collect --unit scale-gateway {command}\n"
        f"until (: </dev/tcp/127.0.0.1/{PORT}) 2>/dev/null; do sleep 0.1; done\n" + sql(GATEWAY_SQL, PORT)
    )


def fill_journal(host: Host, begin: int, seconds: int) -> None:
    host.shell(
        f"python3 {DIRECTORY}/journal.py {LINES} {begin} {seconds} $(id -u mission-control) |"
        " /usr/lib/systemd/systemd-journal-remote --split-mode=none"
        " --output=/var/log/journal/$(cat /etc/machine-id)/scale.journal -\n"
    )


def read_since(host: Host, label: str, begin: float) -> None:
    """Change an option of a module that is there, which was sent so that it had nothing to read."""
    since = datetime.fromtimestamp(begin, UTC).isoformat()
    change = f's/"since": "[^"]*"/"since": "{since}"/'
    host.shell(f"sed --in-place '{change}' {DIRECTORY}/{label}/*/AnsiballZ_*.py\n")


def measure(host: Host, label: str, rounds: int) -> list[dict[str, Any]]:
    script = f"exec python3 {DIRECTORY}/measure.py {rounds} python3 {DIRECTORY}/{label}/*/AnsiballZ_*.py\n"
    found: list[dict[str, Any]] = json.loads(host.shell(script))
    return found


def report(name: str, items: int, found: list[dict[str, Any]]) -> dict[str, Any]:
    """The best round, as one line."""
    best = min(found, key=lambda one: one["cpu"])
    row = {
        "check": name,
        "items": items,
        "seconds": min(one["seconds"] for one in found),
        "cpu": best["cpu"],
        "megabytes": max(one["megabytes"] for one in found),
        "state": best["state"],
        "summary": "; ".join(best["verdicts"].values()),
    }
    print(
        f"{name:10} {items:>10,} {row['seconds']:8.2f} {row['cpu']:8.2f} {row['megabytes']:8.0f}  "
        f"{row['state']:5} {row['summary'][:90]}",
        flush=True,
    )
    return row


def judge(rows: list[dict[str, Any]]) -> int:
    """Whether time per item grows, and whether memory stays below its bound."""
    missed = 0
    for name in dict.fromkeys(row["check"] for row in rows):
        mine = [row for row in rows if row["check"] == name]
        most = max(row["megabytes"] for row in mine)
        growth = (mine[-1]["cpu"] / mine[-1]["items"]) / (mine[0]["cpu"] / mine[0]["items"])
        met = (most <= MEGABYTES, growth <= GROWTH)
        missed += met.count(False)
        words = ["met" if one else "MISSED" for one in met]
        print(f"{name:10} at most {MEGABYTES} MB: {most:.0f}, {words[0]}", end="; ")
        print(f"CPU time of an item at {STEPS[-1]}x, at most {GROWTH:g} of 1x: {growth:.2f}, {words[1]}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="leave the host as it is")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    rows = []

    def add(name: str, items: int, label: str, rounds: int = options.rounds) -> None:
        rows.append(report(name, items, measure(host, label, rounds)))

    with sandbox_host("scale", keep=options.keep) as host:
        seconds = 3600
        begin = int(time.time()) - 2 * seconds
        print(f"{'check':10} {'items':>10} {'seconds':>8} {'CPU':>8} {'MB':>8}", flush=True)
        host.module("agents_check", COMMON, keep="agents")
        for step in STEPS:
            fill_agents(host, AGENTS * step // STEPS[-1])
            add("agents", AGENTS * step // STEPS[-1], "agents")
        serve_sessions(host, 1)
        host.module("sessions_check", COMMON, keep="sessions")
        for step in STEPS:
            serve_sessions(host, SESSIONS * step // STEPS[-1])
            add("sessions", SESSIONS * step // STEPS[-1], "sessions")
        host.install("systemd-journal-remote")
        fill_journal(host, begin, seconds)
        log = {"since": "1s", "max_lines": 2 * LINES}
        host.module("log_check", COMMON | log, keep="log")
        host.module("verify", COMMON | {"log": log, "suite_deadline": 600}, keep="verify")
        for step in STEPS:
            read_since(host, "log", begin + seconds - seconds * step // STEPS[-1])
            add("log", LINES * step // STEPS[-1], "log")
        # All of it at once, in one process.
        read_since(host, "verify", begin)
        add("verify", 1, "verify", 1)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 1 if judge(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
