"""How the tests back up, restore and compare."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from releases_support import CHECKOUT, Played, on_host, play, sql, ssh_command

REPOSITORY = "/var/backups/mission-control"
KEPT = "/var/lib/mission-control/backup"
GATEWAY = "/home/openclaw/.openclaw"
# What the snapshot's own deployment had.
GATEWAY_SETTINGS: dict[str, Any] = {
    "mission_control_gateways": [{"name": "sandbox"}],
    "mission_control_boards": [],
    "release_gate_deadline": 90,
}
TABLES = (
    "SELECT string_agg(format('SELECT %L, md5(coalesce(string_agg(t::text, E''\\n'' ORDER BY t::text), "
    "'''')), count(*) FROM %I t', tablename, tablename), ' UNION ALL ' ORDER BY tablename) "
    "FROM pg_tables WHERE schemaname = 'public'"
)


def deploy(*arguments: str) -> Played:
    done = play("deploy.yml", *arguments, source=CHECKOUT / ".cache/reference_application")
    assert done.returncode == 0, done.output
    return done


def rows() -> dict[str, str]:
    """Of each table a digest of all its rows, and their number."""
    found = sql(sql(TABLES)).splitlines()
    return {line.split("|")[0]: line for line in found}


def points() -> list[dict[str, Any]]:
    found: dict[str, Any] = json.loads(on_host("mission-control backups --json"))
    return list(found["points"])


def state() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(on_host(f"cat {KEPT}/state.json"))
    return found


def back_up() -> str:
    """By the unit that the timer starts; returns the name of the restore point."""
    on_host("systemctl start mission-control-backup.service")
    return str(points()[0]["name"])


def tried(command: str) -> subprocess.CompletedProcess[str]:
    """A command on the host that may fail."""
    return subprocess.run([*ssh_command(), command], capture_output=True, text=True, check=False)


def verdict() -> dict[str, Any]:
    """What the check backup says."""
    told = tried("mission-control verify backup --format json")
    (view,) = json.loads(told.stdout)["views"]
    (found,) = view["verdicts"]
    return dict(found)


def kinds(found: dict[str, Any]) -> set[str]:
    if found["checks"]:
        return set().union(*(kinds(part) for part in found["checks"]))
    return {found["kind"]} if found["state"] in ("warn", "fail", "error") else set()


def password() -> str:
    return (CHECKOUT / ".cache/secrets/backup").read_text().strip()


def pack() -> str:
    """The largest file of data in the repository."""
    return on_host(f"find {REPOSITORY}/data -type f -printf '%s %p\\n' | sort -n | tail -1 | cut -d' ' -f2")


def flip(path: str) -> None:
    """Change one byte in its middle; doing it twice is as if nothing had been done."""
    program = (
        f"p={path!r}; f=open(p,'r+b'); n=__import__('os').path.getsize(p)//2; "
        "f.seek(n); b=f.read(1)[0]; f.seek(n); f.write(bytes([b^1]))"
    )
    on_host(f'python3 -c "{program}"')
