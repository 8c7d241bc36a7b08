"""A finding of each kind at each place where it is made: what the table of causes is tried on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanation import (
    Finding,
    Row,
    place,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.units import (
    BACKEND,
    FRONTEND,
    GATEWAY,
    WORKER,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import CHECKS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    FAIL,
    WARN,
    Verdict,
)

from .kinds import EVERY, HOST, HTTP, Kind

UNITS = (BACKEND, FRONTEND, WORKER)
# Where answers over HTTP are judged.
ASKED = (
    "health./healthz",
    "cors.http://host.preflight",
    "membership.role",
    "membership.request without token",
    "agents",
    "gateway.board one",
    "sessions.board one",
    "session.key",
    "metrics.24h",
    "frontend./",
    "frontend.assets",
    "frontend.api",
    "frontend.cors",
    "configuration.headers",
    "configuration.api_url",
)
# What a check calls the part that the code does not name where it makes the finding.
PARTS: Mapping[str, str] = {
    "not_ok": "health./healthz",
    "not_html": "frontend./",
    "certificate_expires": "frontend.certificate",
    "no_worker": "queue.workers",
    "worker_hung": "queue.workers",
    "queue_deep": "queue.depth",
    "queue_old": "queue.oldest",
    "task_fails": "queue.oldest",
    "overdue": "queue.scheduled",
    "redis_users": "queue.users",
    "redis_passwords": "queue.users",
    "agents_count": "agents.status",
    "agents_offline": "agents.status",
    "spinning": "cpu",
    "stopping": "active",
    "database_slow": "database.agents",
    "lock_held": "database.locks",
    "database_read_only": "database.writes",
    "database_rights": "database.writes",
    "database_rows_hidden": "database.writes",
    **dict.fromkeys(
        (
            "redis_full",
            "redis_replica",
            "redis_disk",
            "redis_replicas_missing",
            "redis_starting",
            "redis_refuses",
        ),
        "queue.writes",
    ),
    "database_statement": "database.agents",
    "gateway_version": "configuration.gateway_version",
    "backup_failed": "backup.run",
    "drill_failed": "backup.drill",
    "wal_backup_failed": "backup.server files",
    "check_failed": "backup.check",
}
PORTS: Sequence[Mapping[str, Any]] = (
    {"port": 8000, "unit": BACKEND},
    {"port": 3000, "unit": FRONTEND},
    {"port": 5432},
    {"port": 6379},
)
OF_THE_USER = ("no_linger", "manager_down", "manager_hangs", "manager_cut_off")


def _paths(item: Kind, check: str) -> Iterator[str]:
    """Where a check makes a finding of that kind."""
    known = PARTS.get(item.kind, "")
    if "." in known:
        yield from [known] if known.startswith(f"{check}.") else []
    elif check == "service" and item.part not in ("linger", "manager"):
        parts = [item.part or known] if item.part or known else ["active", "restarts"]
        yield from (f"service.{unit}.{part}" for unit in (*UNITS, GATEWAY) for part in parts)
    elif check == "log":
        yield from (f"log.{unit}.{item.part or 'errors'}" for unit in UNITS)
    elif check == "cors" or (check == "frontend" and item.kind.startswith("cors_")):
        yield "frontend.cors" if check == "frontend" else f"cors.http://host.{item.part}"
    elif check == "front_door":
        yield f"front_door.{item.part or 'certificate'}"
    elif check == "configuration" and "frontend" in item.checks:
        yield from ["configuration.api_url"] if item.part == "api_url" else []
    elif item.kind == "release_changed":
        yield from (f"configuration.release {part}" for part in ("backend", "frontend"))
    elif item.kind == "sandbox_outdated":
        yield from (f"host.sandbox {unit}" for unit in UNITS)
    elif item.part == "environment":
        yield from (f"configuration.environment {unit}" for unit in (BACKEND, WORKER))
    elif check == "database":
        yield f"database.{item.part or 'login'}"
    elif check == "queue":
        yield f"queue.{item.part or 'connection'}"
    elif check in ("gateway", "sessions", "session"):
        name = {"gateway": "board one", "sessions": "board one", "session": "key"}[check]
        yield f"{check}.{name}" + (f".{item.part}" if item.part else "")
    elif check == "backup":
        yield f"backup.{item.part or 'repository'}"
    elif check in ("health", "frontend"):
        yield f"{check}.{item.part or '/'}"
    else:
        yield f"{check}.{item.part}" if item.part and item.part != check else check


def _places(item: Kind) -> Iterator[str]:
    if item.kind in OF_THE_USER:
        yield "service.manager"
        return
    for check in item.checks:
        if check == HTTP:
            yield from ASKED
            if item.kind == "maintenance":
                yield "service.maintenance"
        elif check == HOST:
            yield from ("service", "log", "host", "configuration")
        elif check == EVERY:
            yield from CHECKS
        else:
            yield from _paths(item, check)


def specimens(kinds: Iterable[Kind]) -> list[Finding]:
    """All of them. Logs have warnings, too, which other findings may explain."""
    found: dict[tuple[str, str, str, str], Finding] = {}
    for item in kinds:
        for path in _places(item):
            evidence: Sequence[Mapping[str, Any]] = [{}]
            if path.startswith("host.port"):
                evidence = PORTS
            elif path in ("database.login", "queue.connection"):
                evidence = [{"port": 5432 if path.startswith("database") else 6379}]
            for seen in evidence:
                for state in (FAIL, WARN) if path.startswith("log") else (FAIL,):
                    name = f"{path} {seen['port']}" if path.startswith("host.port") else path
                    verdict = Verdict(name, state, kind=item.kind, evidence=dict(seen))
                    found.setdefault((name, item.kind, state, str(seen)), Finding(name, verdict, len(found)))
    return list(found.values())


def consequences(row: Row, findings: Sequence[Finding]) -> Iterator[tuple[Finding, Finding]]:
    """Each cause and effect of a row, of which the cause is looked at before its effect."""
    causes = [(place(item), item) for item in findings if any(match.holds(item) for match in row.causes)]
    for match in row.effects:
        for effect in filter(match.holds, findings):
            latest = place(effect)
            for earliest, cause in causes:
                if effect is not cause and earliest <= latest and match.follows(cause, effect):
                    yield cause, effect


@cache
def _explained(findings: tuple[Finding, ...]) -> dict[str, tuple[set[int], set[int]]]:
    found = {}
    for row in ROWS:
        pairs = list(consequences(row, findings))
        found[row.name] = ({cause.number for cause, _ in pairs}, {effect.number for _, effect in pairs})
    return found


def explained(findings: Sequence[Finding]) -> dict[str, tuple[set[int], set[int]]]:
    """By the name of each row: the numbers of what it takes for causes, and of what it explains."""
    return _explained(tuple(findings))
