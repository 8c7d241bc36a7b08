# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The table of causes: which finding is reason enough for which others, and why.

docs/verdicts.md and its picture are written from it. A new row needs nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .verdict import ERROR, FAIL, WARN, Verdict

BACKEND, FRONTEND, WORKER = (
    f"mission-control-{component}" for component in ("backend", "frontend", "worker")
)

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
    {"token_refused", "settings_refused", "env_file_missing", "code_incomplete", "out_of_memory"}
)
# How a unit looks whose process cannot start, or not for long.
ENDED = frozenset({"crash_loop", "unit_failed", "restarted"})
BROKEN_START = ENDED | {"starting"}
# What a unit that is active nevertheless may be unable to work for.
USELESS = frozenset({"crash_loop", "port_held", "spinning", "process_stopped"})
NO_WORK_DONE = frozenset({"queue_old", "queue_deep", "overdue"})
NOT_LET_IN = frozenset({"unauthorized", "forbidden", "no_token"})


def below(path: str, prefixes: Sequence[str]) -> bool:
    """Whether a path is one of these, or a part of one: "host.port 8000" is below "host.port"."""
    return any(path == prefix or path.startswith((f"{prefix}.", f"{prefix} ")) for prefix in prefixes)


class Finding:
    """A verdict that calls for something, with its path and its number in the report."""

    def __init__(self, path: str, verdict: Verdict, number: int = 0) -> None:
        self.path, self.verdict, self.number = path, verdict, number
        self.kind = verdict.kind

    @property
    def unit(self) -> str:
        """The unit that it is about; empty where it is about none."""
        check, _dot, rest = self.path.partition(".")
        if check in ("service", "log"):
            return rest.partition(".")[0]
        return str(self.verdict.evidence.get("unit") or "")

    @property
    def port(self) -> int | None:
        """The port that it is about."""
        found = self.verdict.evidence.get("port")
        return found if isinstance(found, int) else None


@dataclass(frozen=True)
class Match:
    """Some findings. What is not given holds for all of them."""

    at: tuple[str, ...] = ()  # paths, each with what is below it
    part: str = ""  # the last name of the path
    kinds: frozenset[str] = frozenset()
    family: str = ""  # how the kind begins
    but: frozenset[str] = frozenset()  # kinds that are left out
    states: frozenset[str] = frozenset()
    unit: str = ""  # the unit that it is about; * for any
    same: str = ""  # what an effect has in common with its cause: kind, unit or port

    def holds(self, finding: Finding) -> bool:
        """Whether a finding is one of these."""
        return (
            (not self.at or below(finding.path, self.at))
            and (not self.part or finding.path.endswith(f".{self.part}"))
            and (not self.kinds or finding.kind in self.kinds)
            and finding.kind.startswith(self.family)
            and finding.kind not in self.but
            and (not self.states or finding.verdict.state in self.states)
            and (not self.unit or finding.unit == self.unit or (self.unit == "*" and bool(finding.unit)))
        )

    def follows(self, cause: Finding, effect: Finding) -> bool:
        """Whether a finding is one of these, as far as that depends on its cause."""
        if not self.holds(effect):
            return False
        if self.same == "kind":
            return effect.kind == cause.kind
        if self.same == "unit":
            return bool(cause.unit) and effect.unit == cause.unit
        if self.same == "port":
            return cause.port is not None and effect.port == cause.port
        return True


@dataclass(frozen=True)
class Row:
    """What explains what."""

    name: str  # in the picture
    causes: tuple[Match, ...]
    effects: tuple[Match, ...]
    reason: str

    def explains(self, cause: Finding, effect: Finding) -> bool:
        """Whether one finding is reason enough for the other."""
        return any(match.holds(cause) for match in self.causes) and any(
            match.follows(cause, effect) for match in self.effects
        )


def _kinds(*kinds: str, at: tuple[str, ...] = ()) -> Match:
    return Match(at=at, kinds=frozenset(kinds))


LOGS = Match(at=("log",))
BAD = frozenset({FAIL, ERROR})


def _fatal(*units: str, kinds: frozenset[str] = frozenset()) -> tuple[Match, ...]:
    """A unit that does not run, or not for long, or does nothing. A full disk has a row of its own."""
    at = tuple(f"service.{unit}" for unit in units) or ("service",)
    stopped = Match(at=at, part="active", kinds=kinds, but=frozenset({"disk_full"}))
    return (stopped,) if kinds else (stopped, Match(at=at, kinds=USELESS))


# In the order of the machine itself: disk, database and Redis, units, the HTTP service, authentication,
# gateway, sessions.
ROWS: tuple[Row, ...] = (
    Row(
        name="maintenance",
        causes=(_kinds("maintenance"),),
        effects=(
            Match(at=(*API, "frontend", "service")),
            _kinds("maintenance", "stale_environment", "no_worker", *NO_WORK_DONE),
            LOGS,
        ),
        reason="During maintenance users see its page, the worker stands still and units are restarted.",
    ),
    Row(
        name="disk full",
        causes=(_kinds("disk_full"),),
        effects=(
            _kinds(*NOT_REACHED, *BROKEN_START, "server_error", "disk_full", "queue_old", "no_worker"),
            _kinds("backup_old"),
            Match(family="database_"),
            Match(family="redis_"),
            Match(family="log_"),
        ),
        reason="What cannot write stops: PostgreSQL, Redis, the units, backups.",
    ),
    Row(
        name="database login",
        causes=(Match(at=("database.login", "database.connection"), states=BAD),),
        effects=(
            _kinds("server_error", "database_down", "database_login", "database_missing", "timeout"),
            _kinds(*BROKEN_START),
            Match(at=("database",), but=frozenset({"disk_full"})),
            LOGS,
            _kinds(*NOT_REACHED, at=API),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            Match(kinds=frozenset({"port_closed"}), same="port"),
        ),
        reason="The backend cannot work without its database, and nobody listens where PostgreSQL should.",
    ),
    Row(
        name="database connections",
        causes=(Match(at=("database.connections",)),),
        effects=(_kinds("server_error", "timeout", "slow"), LOGS),
        reason="A backend that gets no connection fails, or waits for one.",
    ),
    Row(
        name="database schema",
        causes=(Match(at=("database.migrations",)),),
        effects=(
            _kinds("server_error", "migration_missing", *ENDED),
            LOGS,
            _kinds(*NOT_REACHED, at=API),
            Match(at=("database.agents",)),
        ),
        reason="Code that finds another schema than its own fails, or does not start.",
    ),
    Row(
        name="Redis",
        causes=(Match(at=("queue.connection",)),),
        effects=(
            Match(at=("queue",)),
            Match(kinds=frozenset({"port_closed"}), same="port"),
            _kinds("redis_down", "spinning"),
            LOGS,
            _kinds(*BROKEN_START, at=(f"service.{WORKER}",)),
        ),
        reason="Without Redis there is no queue to look at, and the worker ends or tries without a pause.",
    ),
    Row(
        name="user manager",
        causes=(_kinds("no_linger", "linger_off", "manager_down"),),
        effects=(
            Match(at=("service", "configuration"), but=frozenset({"maintenance"})),
            _kinds(*NOT_REACHED, "no_worker", *NO_WORK_DONE),
            Match(kinds=frozenset({"port_closed"}), unit="*"),
        ),
        reason="Without the user's systemd manager none of its units runs.",
    ),
    Row(
        name="foreign port",
        causes=(_kinds("port_foreign", at=("host.port",)),),
        effects=(
            _kinds("port_held", "not_ok", "not_json", "not_html", *ENDED),
            Match(at=(*API, "frontend"), states=BAD),
            Match(at=("service",), same="unit"),
            LOGS,
        ),
        reason="The unit cannot start while another process holds its port and answers in its place.",
    ),
    Row(
        name="old release",
        causes=(_kinds("stale_release", at=("service",)),),
        effects=(_kinds("stale_release", "stale_environment"),),
        reason="A process that was not restarted after a release was switched has its old settings, too.",
    ),
    Row(
        name="unit down",
        causes=_fatal(),
        effects=(Match(at=("service",), but=frozenset({"disk_full"}), same="unit"),),
        reason="What else is wrong with a unit that does not run comes from that.",
    ),
    Row(
        name="common fault",
        causes=_fatal(kinds=SHARED),
        effects=(
            Match(at=("service",), same="kind"),
            # A worker that starts anew again and again seems to run at times.
            _kinds("no_worker"),
            Match(at=(f"log.{WORKER}",)),
        ),
        reason="Units of one release share its settings and its code: what ends one ends the others.",
    ),
    Row(
        name="backend",
        causes=_fatal(BACKEND),
        effects=(
            _kinds(*NOT_REACHED, "not_found", "server_error", "slow", at=API),
            Match(kinds=frozenset({"port_closed"}), unit=BACKEND),
            Match(at=(f"log.{BACKEND}",)),
        ),
        reason="Nothing of the API answers while the backend is down.",
    ),
    Row(
        name="frontend",
        causes=_fatal(FRONTEND),
        effects=(
            _kinds(*NOT_REACHED, "server_error", at=("frontend", "configuration.api_url")),
            Match(kinds=frozenset({"port_closed"}), unit=FRONTEND),
            Match(at=(f"log.{FRONTEND}",)),
        ),
        reason="No page is served while the frontend is down.",
    ),
    Row(
        name="worker",
        causes=_fatal(WORKER),
        effects=(
            _kinds("no_worker", "worker_hung", *NO_WORK_DONE),
            Match(at=(f"log.{WORKER}",)),
        ),
        reason="Nobody takes work from the queue while the worker is down.",
    ),
    Row(
        name="workers",
        causes=(Match(at=("queue.workers",)),),
        effects=(_kinds(*NO_WORK_DONE),),
        reason="Nobody takes work from the queue.",
    ),
    Row(
        name="API",
        causes=(_kinds(*NOT_REACHED, "not_json", "not_found", "server_error", "not_ok", at=("health",)),),
        effects=(Match(at=API, same="kind"),),
        reason="What the health endpoints fail with, the rest of the API fails with.",
    ),
    Row(
        name="token",
        causes=(_kinds(*NOT_LET_IN, at=("membership.role",)),),
        effects=(_kinds(*NOT_LET_IN, at=AUTHENTICATED),),
        reason="All of them send the same token.",
    ),
    Row(
        name="role",
        causes=(_kinds("wrong_role"),),
        effects=(_kinds("forbidden", at=AUTHENTICATED),),
        reason="A user of a lesser role may not ask for all of it.",
    ),
    Row(
        name="API with a token",
        causes=(_kinds("server_error", at=("membership.role",)),),
        effects=(_kinds("server_error", at=AUTHENTICATED),),
        reason="What fails for the simplest question with a token fails for the others.",
    ),
    Row(
        name="old settings",
        causes=(_kinds("stale_environment"),),
        effects=(_kinds("stale_environment"),),
        reason="One deployment wrote the environment file that all of them have not read yet.",
    ),
    Row(
        name="CORS settings",
        causes=(
            Match(at=("configuration.cors_origins",)),
            _kinds("cors_misconfigured", at=("configuration",)),
        ),
        effects=(Match(family="cors_"),),
        reason="CORS_ORIGINS decides which origins the backend lets in.",
    ),
    Row(
        name="CORS",
        causes=(Match(at=("cors",), family="cors_"),),
        effects=(Match(at=("frontend.cors", "cors"), family="cors_"),),
        reason="The page asks the same backend.",
    ),
    Row(
        name="assets",
        causes=(_kinds("assets_broken", "no_assets"),),
        effects=(_kinds("api_url_unknown"),),
        reason="The address of the API is in the scripts that are missing.",
    ),
    Row(
        name="API's address",
        causes=(Match(at=("configuration.api_url", "frontend.api_url"), but=frozenset({"maintenance"})),),
        effects=(
            Match(at=("frontend.api", "frontend.cors"), but=frozenset({"maintenance"})),
            _kinds("api_url_differs"),
        ),
        reason="The page asks the address that was built into it.",
    ),
    Row(
        name="gateway",
        causes=(Match(at=("gateway",), family="gateway_"),),
        effects=(
            *(
                Match(at=("sessions", "session", "gateway", "agents"), family=family)
                for family in ("gateway_", "session")
            ),
            _kinds(
                "server_error",
                "agents_stuck",
                "agents_stale",
                at=("sessions", "session", "gateway", "agents"),
            ),
            Match(at=("log",), states=frozenset({WARN})),
        ),
        reason="Agents and their sessions live on the gateway; the backend sees them through it.",
    ),
    Row(
        name="sessions",
        causes=(Match(at=("sessions",)),),
        effects=(Match(at=("sessions", "session"), family="session"),),
        reason="A single session is one of those.",
    ),
    Row(
        name="log",
        causes=(Match(at=("log",)),),
        effects=(Match(at=("log",), same="unit"),),
        reason="What a unit logs too often is an error, a traceback and a flood at once.",
    ),
)

# Where two findings explain each other, the one that comes first here is the cause. The longest path counts.
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
    "configuration.headers",
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


def place(finding: Finding) -> int:
    """Where a finding stands in the order of the machine: what comes first may explain what comes later."""
    if finding.kind == "maintenance":
        # The host itself knows most of it.
        return -2 if below(finding.path, ("service",)) else -1
    # A port that somebody else holds is a cause, one that nobody listens on is a consequence.
    path = "host" if finding.kind == "port_closed" else finding.path
    found = (number for number, prefix in enumerate(ORDER) if below(path, [prefix]))
    return max(found, key=lambda number: len(ORDER[number]), default=len(ORDER))


def explanation(cause: Finding, effect: Finding) -> Row | None:
    """The row by which one finding is reason enough for the other."""
    return next((row for row in ROWS if row.explains(cause, effect)), None)
