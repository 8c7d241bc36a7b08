# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which finding explains which: one root cause and its consequences instead of equal alarms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .verdict import ERROR, FAIL, SKIP, WARN, Verdict

NOT_REACHED = frozenset(
    {"refused", "timeout", "reset", "connect_timeout", "incomplete", "unreachable", "dns"}
)
AUTHENTICATED = ("membership.role", "agents", "gateway", "sessions", "session", "metrics")
API = (
    "health",
    "cors",
    *AUTHENTICATED,
    "membership",
    "frontend.api",
    "frontend.cors",
    "configuration.headers",
)


# Why several units of one release end alike: one cause, not one for each of them.
SHARED = frozenset(
    {"token_refused", "settings_refused", "env_file_missing", "code_incomplete", "out_of_memory", "disk_full"}
)

# How a unit looks whose process cannot start.
BROKEN_START = frozenset({"crash_loop", "unit_failed", "restarted", "starting"})


def _below(path: str, prefixes: Sequence[str]) -> bool:
    # "host.port 8000" is below "host.port" too.
    return any(path == prefix or path.startswith((f"{prefix}.", f"{prefix} ")) for prefix in prefixes)


class _Finding:
    def __init__(self, path: str, verdict: Verdict, number: int) -> None:
        self.path, self.verdict, self.number = path, verdict, number
        self.check = path.split(".")[0]
        self.kind = verdict.kind

    def is_at(self, *prefixes: str) -> bool:
        return _below(self.path, prefixes)


def _same_port(cause: _Finding, effect: _Finding) -> bool:
    """A server that does not answer, and the port that nobody listens on."""
    port = cause.verdict.evidence.get("port")
    return effect.kind == "port_closed" and port is not None and effect.verdict.evidence.get("port") == port


def _explains(cause: _Finding, effect: _Finding) -> bool:
    """Whether one finding is reason enough for the other. The order is that of the machine itself:
    disk, database and Redis, settings, units, the HTTP service, authentication, gateway, sessions."""
    c, e = cause, effect
    logs = e.is_at("log")
    if c.kind == "maintenance":
        return (
            e.is_at(*API, "frontend", "service")
            or e.kind
            in ("maintenance", "stale_environment", "no_worker", "queue_old", "queue_deep", "overdue")
            or logs
        )
    if c.kind == "disk_full":
        return e.kind in NOT_REACHED | BROKEN_START | {
            "server_error",
            "disk_full",
            "queue_old",
            "no_worker",
            "backup_old",
        } or e.kind.startswith(("database_", "redis_", "log_"))
    if c.is_at("database.login", "database.connection") and c.verdict.state in (FAIL, ERROR):
        return (
            e.kind
            in (
                "server_error",
                "database_down",
                "database_login",
                "database_missing",
                "timeout",
                "crash_loop",
                "starting",
                "unit_failed",
                "restarted",
            )
            or e.is_at("database")
            or logs
            or (e.kind in NOT_REACHED and e.is_at(*API))
            or (e.kind == "port_closed" and e.verdict.evidence.get("unit") == "mission-control-backend")
            or _same_port(c, e)
        ) and e.kind not in ("missing_library",)
    if c.is_at("database.connections"):
        return e.kind in ("server_error", "timeout", "slow") or logs
    if c.is_at("database.migrations"):
        return (
            e.kind in ("server_error", "migration_missing", "crash_loop", "unit_failed", "restarted")
            or logs
            or (e.kind in NOT_REACHED and e.is_at(*API))
            or e.is_at("database.agents")
        )
    if c.is_at("queue.connection"):
        return (
            e.is_at("queue")
            or _same_port(c, e)
            or e.kind in ("redis_down", "spinning")
            or logs
            or (
                e.is_at("service.mission-control-worker")
                and e.kind in ("crash_loop", "unit_failed", "restarted", "starting")
            )
        )
    if c.kind in ("no_linger", "linger_off", "manager_down"):
        return (
            e.is_at("service")
            or e.kind in NOT_REACHED | {"no_worker", "queue_old", "queue_deep", "overdue"}
            or (e.kind == "port_closed" and bool(e.verdict.evidence.get("unit")))
            or e.is_at("configuration", "host.sandboxing")
        )
    if c.is_at("host.port") and c.kind == "port_foreign":
        return (
            e.kind
            in ("port_held", "not_ok", "not_json", "not_html", "crash_loop", "unit_failed", "restarted")
            or (e.is_at(*API, "frontend") and e.verdict.state in (FAIL, ERROR))
            or e.is_at(f"service.{c.verdict.evidence.get('unit') or '-'}")
            or logs
        )
    if c.is_at("service"):
        unit = c.path.split(".")[1] if "." in c.path else ""
        fatal = c.path.endswith(".active") or c.kind in (
            "crash_loop",
            "port_held",
            "spinning",
            "process_stopped",
        )
        if c.kind == "stale_release":
            return e.kind in ("stale_release", "process_release", "stale_environment")
        if not fatal:
            return False
        if e.is_at("service") and e.path.split(".")[1:2] == [unit]:
            return True
        if c.kind in SHARED and e.is_at("service") and e.kind == c.kind:
            return True
        # A worker that starts anew again and again seems to run at times.
        if c.kind in SHARED and (e.kind == "no_worker" or e.is_at("log.mission-control-worker")):
            return True
        if unit == "mission-control-backend":
            return (
                (e.is_at(*API) and (e.kind in NOT_REACHED or e.kind in ("not_found", "server_error", "slow")))
                or (e.kind == "port_closed" and e.verdict.evidence.get("unit") == unit)
                or e.is_at(f"log.{unit}")
            )
        if unit == "mission-control-frontend":
            return (
                (
                    e.is_at("frontend", "configuration.api_url")
                    and (e.kind in NOT_REACHED or e.kind == "server_error")
                )
                or (e.kind == "port_closed" and e.verdict.evidence.get("unit") == unit)
                or e.is_at(f"log.{unit}")
            )
        if unit == "mission-control-worker":
            return e.kind in ("no_worker", "worker_hung", "queue_old", "queue_deep", "overdue") or e.is_at(
                f"log.{unit}"
            )
        return False
    if c.is_at("queue.workers"):
        return e.kind in ("queue_old", "queue_deep", "overdue")
    if c.is_at("health") and c.kind in NOT_REACHED | {"not_json", "not_found", "server_error", "not_ok"}:
        return e.is_at(*API) and e.kind == c.kind
    if c.is_at("membership.role") and c.kind in ("unauthorized", "forbidden", "no_token"):
        return e.is_at(*AUTHENTICATED) and e.kind in ("unauthorized", "forbidden", "no_token")
    if c.kind == "wrong_role":
        return e.is_at(*AUTHENTICATED) and e.kind == "forbidden"
    if c.is_at("membership.role") and c.kind == "server_error":
        return e.is_at(*AUTHENTICATED) and e.kind == "server_error"
    if c.kind == "stale_environment":
        return e.kind == "stale_environment"
    if c.is_at("configuration.cors_origins") or (c.is_at("configuration") and c.kind == "cors_misconfigured"):
        return e.kind.startswith("cors_")
    if c.is_at("cors") and c.kind.startswith("cors_"):
        return e.is_at("frontend.cors", "cors", "configuration.cors_origins") and e.kind.startswith("cors_")
    if c.kind in ("assets_broken", "no_assets"):
        return e.kind == "api_url_unknown"
    if c.is_at("configuration.api_url", "frontend.api_url"):
        return e.is_at("frontend.api", "frontend.cors") or e.kind == "api_url_differs"
    if c.is_at("gateway") and c.kind.startswith("gateway_"):
        return (
            e.is_at("sessions", "session", "gateway", "configuration.gateway", "agents")
            and (
                e.kind.startswith(("gateway_", "session", "agent_"))
                or e.kind in ("server_error", "agents_stuck", "agents_stale")
            )
        ) or (logs and e.verdict.state == WARN)
    if c.is_at("sessions"):
        return e.is_at("sessions", "session") and e.kind.startswith("session")
    if c.is_at("log"):
        return logs and e.path.split(".")[1] == c.path.split(".")[1]
    return False


# Where two findings explain each other, the one that comes first here is the cause.
ORDER = (
    "host.disk",
    "database",
    "queue.connection",
    "host.port",
    "service.linger",
    "service.manager",
    "service",
    "queue",
    "configuration",
    "host",
    "health",
    "membership",
    "cors",
    "frontend",
    "gateway",
    "sessions",
    "agents",
    "session",
    "metrics",
    "log",
)


def _place(finding: _Finding) -> int:
    if finding.kind == "maintenance":
        # The host itself knows most of it.
        return -2 if finding.is_at("service") else -1
    # A port that somebody else holds is a cause, one that nobody listens on is a consequence.
    path = "host" if finding.kind == "port_closed" else finding.path
    return next((number for number, prefix in enumerate(ORDER) if _below(path, [prefix])), len(ORDER))


def find_causes(verdicts: Sequence[Verdict]) -> None:
    """Mark consequences with the path of their root cause."""
    findings = [
        _Finding(path, leaf, number)
        for number, verdict in enumerate(verdicts)
        for path, leaf in verdict.leaves()
        if leaf.state in (WARN, FAIL, ERROR)
        and leaf.kind not in ("missing_library", "internal", "waiver_expired")
    ]
    findings.sort(key=lambda finding: (_place(finding), finding.verdict.state == WARN, finding.number))
    roots: list[_Finding] = []
    others: list[_Finding] = []
    for finding in findings:
        # A consequence has consequences of its own, which go back to the same root.
        # A warning is no reason for a failure.
        cause = next(
            (
                earlier
                for earlier in (*roots, *others)
                if _explains(earlier, finding)
                and not (earlier.verdict.state == WARN and finding.verdict.state != WARN)
            ),
            None,
        )
        if cause is None:
            roots.append(finding)
        else:
            others.append(finding)
            finding.verdict.consequence_of = cause.verdict.consequence_of or cause.path
    for verdict in verdicts:
        _inherit(verdict)


def _inherit(verdict: Verdict) -> None:
    """A verdict is a consequence when all of its bad parts are; else it speaks through those that are not."""
    if not verdict.checks:
        return
    for part in verdict.checks:
        _inherit(part)
    bad = [part for part in verdict.checks if part.state in (WARN, FAIL, ERROR)]
    if bad and all(part.consequence_of for part in bad):
        verdict.consequence_of = bad[0].consequence_of
        return
    own = [part for part in bad if not part.consequence_of and part.state == verdict.state]
    if own and len(own) < sum(part.state == verdict.state for part in bad):
        speaker = own[0]
        more = f" (and {len(own) - 1} more)" if len(own) > 1 else ""
        verdict.summary = f"{speaker.name}: {speaker.summary}{more}"
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind


def join(here: Sequence[Verdict], outside: Sequence[Verdict]) -> None:
    """Explain what is seen from elsewhere by what the host sees of itself.

    What fails for both has one cause, which the host knows better. What the host reaches and others do not
    is in the way between them.
    """
    known = {path: leaf for verdict in here for path, leaf in verdict.leaves() if not leaf.healthy}
    works = {verdict.name for verdict in here if verdict.healthy and verdict.state != SKIP}
    roots: dict[str, str] = {}
    for verdict in outside:
        for path, leaf in verdict.leaves():
            if leaf.healthy or leaf.consequence_of:
                continue
            same = known.get(path)
            if same and (leaf.kind == same.kind or {leaf.kind, same.kind} <= NOT_REACHED):
                leaf.consequence_of = roots[path] = same.consequence_of or path
            elif leaf.kind in NOT_REACHED and path.partition(".")[0] in works:
                leaf.cause = "From the host itself it works: something between here and there is in the way."
                leaf.remedy = (
                    "See that the name leads to the host, that firewalls let the port through, that a proxy "
                    "in front of it runs, and that the service listens on an address that others reach "
                    "(mission_control_backend_bind, mission_control_frontend_bind)."
                )
    for verdict in outside:
        for _path, leaf in verdict.leaves():
            leaf.consequence_of = roots.get(leaf.consequence_of, leaf.consequence_of)
        _inherit(verdict)
        _repeat(verdict)


def _repeat(verdict: Verdict) -> None:
    """Take over cause and remedy of the part that speaks for the verdict."""
    for part in verdict.checks:
        _repeat(part)
    own = (part for part in verdict.checks if part.state == verdict.state and not part.consequence_of)
    if speaker := next(own, None):
        verdict.cause, verdict.remedy, verdict.kind = speaker.cause, speaker.remedy, speaker.kind


def root_causes(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Each finding that nothing else explains, with what it brings about, worst first."""
    found: dict[str, dict[str, Any]] = {}
    leaves = [pair for verdict in verdicts for pair in verdict.leaves()]
    for path, leaf in leaves:
        if leaf.state in (WARN, FAIL, ERROR) and not leaf.consequence_of:
            found[path] = {
                "check": path,
                "state": leaf.state,
                "kind": leaf.kind,
                "summary": leaf.summary,
                "cause": leaf.cause,
                "remedy": leaf.remedy,
                "consequences": [],
            }
    for path, leaf in leaves:
        if leaf.consequence_of in found:
            found[leaf.consequence_of]["consequences"].append(path)
    order = {ERROR: 0, FAIL: 1, WARN: 2}
    return sorted(found.values(), key=lambda item: (order[item["state"]], -len(item["consequences"])))
