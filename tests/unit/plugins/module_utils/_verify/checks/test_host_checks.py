"""Service, log, database, queue, host and configuration: pure judgements, and a server that speaks Redis."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.installation import (
    Installation,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.settings import (
    BACKEND_SETTINGS,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway import placement_record
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.protocol import check_pair
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.journal import JournalEntry
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.listeners import Listener
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.processes import (
    ProcessEvidence,
    process_evidence,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.unit_status import UnitStatus
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.user_files import UserFiles
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._services import diagnosis
from ansible_collections.openclaw.mission_control.plugins.module_utils._times.record_stamps import utc_stamp
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify import sandbox, unit_state
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import (
    configuration,
    database,
    frontend_build,
    host,
    log,
    queue,
    service,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.context import Problem
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from checks_support import NOW, make_context, options_of
from hypothesis import given
from hypothesis import strategies as st

UNIT = UnitStatus(
    name="mission-control-backend.service",
    load_state="loaded",
    active_state="active",
    sub_state="running",
    unit_file_state="enabled",
    result="success",
    type="notify",
    main_pid=100,
    restarts=0,
    since=NOW - 3600,
    started=NOW - 3600,
    exit_code=None,
    exit_status=None,
    need_daemon_reload=False,
    fragment_path="/x",
    drop_ins=(),
    invocation_id="i",
    memory_bytes=None,
    tasks=None,
    cpu_seconds=1.0,
    control_group="/g",
    triggers=(),
    triggered_by=(),
    watchdog_seconds=None,
)
PROCESS = ProcessEvidence(
    pid=100,
    ppid=50,
    uid=1000,
    name="python",
    command=("python",),
    state="S",
    exe="/r/python",
    cwd="/r/releases/a/backend",
    started=NOW - 3600,
    rss_bytes=100 * 2**20,
    cpu_seconds=1.0,
    threads=1,
    seccomp=2,
    no_new_privs=True,
    namespaces={"mnt": 2},
    unit=UNIT.name,
    deleted=False,
)


# -- service --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "lines", "kind", "says"),
    [
        ({}, [], "", "running since 60 min"),
        ({"load_state": "not-found"}, [], "unit_missing", "does not exist"),
        ({"load_state": "masked"}, [], "unit_masked", "masked"),
        ({"load_state": "bad-setting"}, [], "unit_broken", "bad-setting"),
        ({"active_state": "inactive", "sub_state": "dead"}, [], "unit_stopped", "not running"),
        ({"active_state": "failed", "result": "exit-code"}, [], "unit_failed", "ended with an error"),
        ({"active_state": "failed", "result": "oom-kill"}, [], "unit_failed", "memory ran out"),
        ({"active_state": "failed", "result": "start-limit-hit"}, [], "unit_failed", "gave up"),
        (
            {"active_state": "activating", "sub_state": "auto-restart", "restarts": 7, "result": "exit-code"},
            [],
            "crash_loop",
            "crash-looping (7 restarts)",
        ),
        (
            {"active_state": "activating", "sub_state": "auto-restart", "restarts": 1, "result": "exit-code"},
            [],
            "crash_loop",
            "crash-looping (1 restart)",
        ),
        (
            {"active_state": "activating", "sub_state": "auto-restart", "restarts": 0, "result": "signal"},
            [],
            "crash_loop",
            "ended, and is being started again",
        ),
        ({"active_state": "activating", "sub_state": "start"}, [], "starting", "still starting"),
        ({"active_state": "deactivating"}, [], "stopping", "is being stopped"),
        (
            {"active_state": "failed", "result": "exit-code"},
            ["[Errno 98] error while attempting to bind on address: address already in use"],
            "port_held",
            "failed",
        ),
        (
            {"active_state": "failed", "result": "exit-code"},
            ["LOCAL_AUTH_TOKEN must be at least 50 characters and non-placeholder when AUTH_MODE=local."],
            "token_refused",
            "failed",
        ),
        (
            {"active_state": "activating", "sub_state": "auto-restart", "restarts": 2},
            ['FATAL:  password authentication failed for user "mission_control"'],
            "database_login",
            "crash-looping",
        ),
        (
            {"active_state": "failed", "result": "exit-code"},
            ["connection to server at 127.0.0.1, port 5432 failed: Connection refused"],
            "database_down",
            "failed",
        ),
        (
            {"active_state": "failed"},
            [
                "Not there after 60 s: Redis at /run/redis/mission-control.sock: Error 2 connecting to unix "
                "socket: /run/redis/mission-control.sock. No such file or directory."
            ],
            "redis_down",
            "failed",
        ),
        (
            {"active_state": "failed"},
            ["redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. Connection refused."],
            "redis_down",
            "failed",
        ),
        (
            {"active_state": "failed", "result": "resources"},
            ["Failed to load environment files: x"],
            "env_file_missing",
            "",
        ),
        ({"active_state": "failed"}, ["OSError: [Errno 28] No space left on device"], "disk_full", ""),
        ({"active_state": "failed"}, ["ModuleNotFoundError: No module named 'app'"], "code_incomplete", ""),
    ],
)
def test_active(change: dict[str, Any], lines: list[str], kind: str, says: str) -> None:
    verdict = service.judge_active(replace(UNIT, **change), lines, "mc", {}, NOW)
    assert (verdict.state, verdict.kind) == ("fail" if kind else "pass", kind), verdict
    assert says in verdict.summary + verdict.cause
    assert bool(verdict.remedy) == bool(kind)
    assert not re.search(r"\{\w+\}", verdict.remedy)


def test_each_state_is_told_with_its_unit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    units = {name: replace(UNIT, name=f"mission-control-{name}.service") for name in ("backend", "worker")}
    context = make_context()
    context.host = SimpleNamespace(  # type: ignore[assignment]
        account=SimpleNamespace(name="mc"),
        root=tmp_path,
        files=UserFiles(find_account()),
    )
    found = SimpleNamespace(
        lingering=lambda: True,
        states=lambda names: {unit.name: unit for unit in units.values()},
    )
    monkeypatch.setattr(service, "Units", lambda host: found)
    monkeypatch.setattr(service, "processes_of", lambda context, name: [replace(PROCESS, unit=name)])
    monkeypatch.setattr(service, "last_lines", lambda context, name: [])
    options = options_of(
        "service", units=[f"mission-control-{name}" for name in units], cpu_warning="", cpu_critical=""
    )
    verdict = service.run(context, options)
    assert verdict.state == "pass", verdict
    assert verdict.summary == "backend running since 60 min, worker running since 60 min"


def test_every_hint_has_a_cause_and_a_remedy_that_can_be_filled_in() -> None:
    words = service.commands(UNIT.name, "mc")
    for _pattern, kind, cause, remedy, _cure in diagnosis.HINTS:
        assert kind and cause.endswith(".") and remedy.format(**words)
    assert diagnosis.why(["nothing special"], words) is None


def test_enabled_by_itself_or_by_its_socket() -> None:
    disabled = replace(UNIT, unit_file_state="disabled")
    socket_unit = replace(UNIT, name="mission-control-backend.socket")
    assert service.judge_enabled(UNIT, {}, "mc").state == "pass"
    assert service.judge_enabled(disabled, {"s": socket_unit}, "mc").state == "pass"
    missing = replace(socket_unit, load_state="not-found")
    verdict = service.judge_enabled(disabled, {"s": missing}, "mc")
    assert (verdict.state, verdict.kind) == ("fail", "unit_disabled")
    assert verdict.remedy == "systemctl --user -M mc@ enable mission-control-backend.service"


@pytest.mark.parametrize(
    ("restarts", "age", "state"), [(0, 60, "pass"), (1, 60, "warn"), (4, 60, "fail"), (50, 7200, "pass")]
)
def test_restarts_count_only_when_they_are_recent(restarts: int, age: float, state: str) -> None:
    status = replace(UNIT, restarts=restarts, started=NOW - age)
    verdict = service.judge_restarts(status, NOW, options_of("service"), [], "mc")
    assert verdict.state == state
    assert verdict.measures[0].value == restarts


WATCHDOG = [
    "mission-control-backend.service: Watchdog timeout (limit 1min)!",
    "mission-control-backend.service: Failed with result 'watchdog'.",
    "mission-control-backend.service: Scheduled restart job, restart counter is at 1.",
]


def test_a_restart_by_the_watchdog_is_called_so() -> None:
    again = replace(UNIT, restarts=1, started=NOW - 60)
    verdict = service.judge_restarts(again, NOW, options_of("service"), WATCHDOG, "mc")
    assert (verdict.state, verdict.kind) == ("warn", "watchdog")
    assert "hung" in verdict.cause and "by itself" not in verdict.cause
    starting = replace(
        UNIT, restarts=1, active_state="activating", sub_state="auto-restart", result="watchdog"
    )
    verdict = service.judge_active(starting, [], "mc", {}, NOW)
    assert (verdict.state, verdict.kind) == ("fail", "watchdog")
    # What it ended with since is another story.
    lines = [*WATCHDOG, "mission-control-backend.service: Failed with result 'exit-code'."]
    assert service.judge_restarts(again, NOW, options_of("service"), lines, "mc").kind == "restarted"


def test_the_release_that_runs() -> None:
    current, release = Path("/r/current"), Path("/r/releases/a")
    assert service.judge_release(UNIT, PROCESS, release, current, "mc").state == "pass"
    stale = service.judge_release(UNIT, PROCESS, Path("/r/releases/b"), current, "mc")
    assert (stale.state, stale.kind) == ("fail", "stale_release") and "restart" in stale.remedy
    # A release whose name only begins alike is another one.
    assert service.judge_release(UNIT, PROCESS, Path("/r/releases/"), current, "mc").state == "pass"
    assert (
        service.judge_release(UNIT, replace(PROCESS, cwd="/r/releases/ab"), release, current, "mc").kind
        == "stale_release"
    )
    gone = service.judge_release(UNIT, replace(PROCESS, deleted=True), release, current, "mc")
    assert gone.kind == "stale_release" and "removed" in gone.summary
    assert service.judge_release(UNIT, None, release, current, "mc").state == "error"
    assert service.judge_release(UNIT, PROCESS, None, current, "mc").state == "skip"


def test_reload_memory_and_cpu() -> None:
    assert service.judge_reload(UNIT, "mc").state == "pass"
    assert service.judge_reload(replace(UNIT, need_daemon_reload=True), "mc").kind == "daemon_reload"
    options = options_of("service", memory_warning="100", memory_critical="200")
    assert [service.judge_memory(value, options).state for value in (50, 150, 250)] == [
        "pass",
        "warn",
        "fail",
    ]
    assert service.judge_cpu(0.95, options_of("service"), "mc", UNIT.name).kind == "spinning"
    assert service.judge_cpu(0.5, options_of("service"), "mc", UNIT.name).state == "pass"


def test_a_stopped_process_is_told() -> None:
    assert service.judge_process(UNIT, replace(PROCESS, state="T"), "mc").kind == "process_stopped"
    assert service.judge_process(UNIT, PROCESS, "mc").state == "pass"
    assert service.judge_process(UNIT, None, "mc").state == "pass"


def test_spinning_needs_every_sample_to_be_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = iter([{1: 1.0, 2: 1.0, 3: 0.0}, {1: 1.0, 2: 0.1}, {1: 0.9}, {1: 1.0}, {1: 1.0}, {1: 1.0}])
    asked: list[list[int]] = []

    def shares(pids: list[int], _interval: float) -> dict[int, float]:
        asked.append(list(pids))
        return next(samples)

    monkeypatch.setattr(service, "cpu_shares", shares)
    lowest = service.spinning({"a": [1], "b": [2], "c": [3]}, 0.8)
    assert lowest == {"a": 0.9, "b": 0.1, "c": 0.0}
    assert asked == [[1, 2, 3], [1, 2], [1], [1], [1], [1]]


# -- log ------------------------------------------------------------------------------------------


def entry(message: str, second: float = 0, unit: str = "backend", manager: bool = False) -> JournalEntry:
    name = f"mission-control-{unit}"
    return JournalEntry(NOW - 600 + second, message, 6, name, f"{name}.service", 5, "i", manager)


TRACEBACK = [
    "2026-11-24 13:00:10,123 ERROR app.main request.failed",
    "Traceback (most recent call last):",
    '  File "/x.py", line 5, in run',
    "    boom()",
    "ValueError: no",
]


def judge_log(messages: list[str], **given: Any) -> Any:
    options = options_of("log", **given)
    counts, _cut = log.tally(
        [entry(message, number) for number, message in enumerate(messages)],
        patterns=options["patterns"],
        ignore=options["ignore"],
        most=options["max_lines"],
    )
    found = counts.get("mission-control-backend.service", log.Tally())
    return log.judge_unit("mission-control-backend", found, 900, options, str)


@pytest.mark.parametrize(
    ("messages", "given", "state", "kind"),
    [
        (["2026-11-24 13:00:10,123 INFO app.main started"], {}, "pass", ""),
        (["2026-11-24 13:00:10,123 ERROR app.main failed"], {}, "warn", "log_errors"),
        (["2026-11-24 13:00:10,123 ERROR app.main failed"] * 60, {}, "fail", "log_errors"),
        (['{"timestamp":"x","level":"ERROR","message":"failed"}'], {}, "warn", "log_errors"),
        (['{"timestamp":"x","level":"INFO","message":"ERROR is only a word here"}'], {}, "pass", ""),
        (TRACEBACK, {}, "warn", "log_errors"),
        (TRACEBACK, {"errors_warning": "", "errors_critical": ""}, "warn", "log_tracebacks"),
        (["2026-11-24 13:00:10,123 ERROR app.main known"], {"ignore": ["known"]}, "pass", ""),
        (["INFO: this must not be"], {"patterns": ["must not be"]}, "fail", "log_pattern"),
        (["INFO:     x"] * 500, {"rate_warning": "30"}, "warn", "log_flood"),
        (["Suppressed 90000 messages from user@1000.service"], {}, "fail", "log_flood"),
        ([], {}, "pass", ""),
    ],
)
def test_logs(messages: list[str], given: dict[str, Any], state: str, kind: str) -> None:
    verdict = judge_log(messages, **given)
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary


def test_a_traceback_is_one_error_and_shows_its_exception() -> None:
    verdict = judge_log(TRACEBACK * 3)
    assert verdict.evidence["errors"] == 3 and verdict.evidence["tracebacks"] == 3
    assert verdict.evidence["worst"] == ["3 x request.failed: ValueError: no"]
    more = [*TRACEBACK[1:-1], "pydantic.ValidationError: 1 error", "  TOKEN too short", "    For more see x"]
    assert judge_log(more).evidence["worst"] == [
        "1 x Traceback (most recent call last): pydantic.ValidationError: 1 error"
    ]


def test_alike_messages_are_counted_together_and_memory_is_bounded() -> None:
    generator = random.Random(7)  # noqa: S311
    counts, cut = log.tally(
        (
            entry(f"2026-11-24 13:00:10,123 ERROR app.x id {number} "
                  f"{'same' if number % 2 else ''.join(generator.choices('abcdefgh', k=12))}")
            for number in range(5000)
        ),
        most=4000,
    )  # fmt: skip
    assert cut
    found = counts["mission-control-backend.service"]
    assert found.lines == found.errors == 4000
    assert len(found.templates) <= log.MOST_TEMPLATES
    assert found.worst_lines(1)[0].startswith("2000 x")


def test_what_systemd_says_is_not_the_programs_error() -> None:
    counts, _cut = log.tally([entry("Failed with result 'exit-code'.", manager=True)])
    assert counts["mission-control-backend.service"].errors == 0


def test_what_a_deployment_logged_is_not_the_verdict_after_it() -> None:
    messages = [*TRACEBACK, "INFO: this must not be"]
    begin, end = NOW - 600, NOW - 500
    entries = [
        *(entry(message, 10) for message in messages),
        entry("2026-11-24 13:00:10,123 ERROR app.main afterwards", 101),
    ]

    def judged(deployments: list[tuple[float, float]], **given: Any) -> Any:
        options = options_of("log", **given)
        counts, _cut = log.tally(entries, patterns=options["patterns"], deployments=deployments)
        return log.judge_unit(
            "mission-control-backend", counts["mission-control-backend.service"], 900, options, str
        )

    verdict = judged([(begin, end)])
    assert verdict.evidence["worst"] == ["1 x afterwards"] and verdict.evidence["errors"] == 1
    assert verdict.evidence["tracebacks"] == 0 and verdict.evidence["during_deployments"] == 1
    verdict = judged([(begin, end)], errors_warning="5")
    assert verdict.state == "pass" and verdict.summary.endswith(", 1 more errors during deployments")
    assert judged([]).evidence["errors"] == judged([(begin - 9, begin - 1)]).evidence["errors"] == 2
    # So does what was logged before the unit, or what it needs, was started.
    unit = "mission-control-backend.service"
    counts, _cut = log.tally(entries, fresh={unit: NOW - 550})
    told = log.judge_unit("mission-control-backend", counts[unit], 900, options_of("log"), str)
    assert (told.evidence["errors"], told.evidence["before_the_last_start"]) == (1, 1)
    # What must never appear must not appear then either.
    assert judged([(begin, end)], patterns=["must not be"]).kind == "log_pattern"


def test_the_history_tells_when_deployments_went_on(tmp_path: Path) -> None:
    host = Installation(user="", root=str(tmp_path), env_file="", redactor=Redactor())
    assert log.deployments_of(host, NOW) == []
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/history.jsonl").write_text(
        json.dumps({"result": "deployed", "started": utc_stamp(NOW - 100), "time": utc_stamp(NOW - 50)})
        + "\n"
    )
    assert log.deployments_of(host, NOW) == [(int(NOW - 100), int(NOW - 50) + 1)]


def test_a_bad_expression_is_told() -> None:
    context = make_context()
    verdict = log.run(context, options_of("log", patterns=["("]))
    assert (verdict.state, verdict.kind) == ("error", "bad_option")


# -- database -------------------------------------------------------------------------------------

MIGRATIONS = {
    "a.py": 'revision = "a"\ndown_revision = None\n',
    "b.py": "revision: str = 'b'\ndown_revision: str | None = 'a'  # after a\n",
    "c.py": 'revision = "c"\ndown_revision = "a"\n',
    "d.py": 'revision = "d"\ndown_revision = (\n    "b",\n    "c",\n)\n',
    "env.py": "from alembic import context\n",
}


def test_heads_of_migrations() -> None:
    assert database.migration_heads(MIGRATIONS) == {"d"}
    assert database.migration_heads({key: MIGRATIONS[key] for key in ("a.py", "b.py", "c.py")}) == {"b", "c"}
    assert database.migration_heads({}) == set()


@given(st.permutations(range(8)), st.booleans())
def test_a_chain_of_migrations_has_one_head(order: list[int], quoted: bool) -> None:
    mark = '"' if quoted else "'"
    files = {
        f"{number}.py": f"revision = {mark}r{number}{mark}\n"
        f"down_revision = {f'{mark}r{number - 1}{mark}' if number else None}\n"
        for number in order
    }
    assert database.migration_heads(files) == {"r7"}


@pytest.mark.parametrize(
    ("applied", "state", "kind"),
    [
        (["d"], "pass", ""),
        (["b"], "fail", "migration_missing"),
        ([], "fail", "migration_missing"),
        (None, "fail", "migration_missing"),
        (["z"], "fail", "migration_ahead"),
    ],
)
def test_migrations(applied: list[str] | None, state: str, kind: str) -> None:
    verdict = database.judge_migrations(applied, {"d"}, {"a", "b", "c", "d"})
    assert (verdict.state, verdict.kind) == (state, kind)


def test_a_second_row_is_no_matter_of_deploying() -> None:
    for more in ("c", "ffff00001111"):
        verdict = database.judge_migrations(["d", more], {"d"}, {"a", "b", "c", "d"})
        assert (verdict.state, verdict.kind) == ("fail", "migration_rows")
        assert f"IN ('{more}')" in verdict.remedy and "Deploy" not in verdict.remedy
    # A schema of two branches has two.
    assert database.judge_migrations(["c", "d"], {"c", "d"}, {"c", "d"}).state == "pass"


def test_migrations_that_are_not_at_hand() -> None:
    assert database.judge_migrations(["d"], set(), set()).state == "skip"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('FATAL:  password authentication failed for user "mc"', "database_login"),
        ('FATAL:  role "mc" does not exist', "database_login"),
        ('FATAL:  database "mc" does not exist', "database_missing"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "database_login"),
        ("FATAL:  sorry, too many clients already", "database_connections"),
        ("FATAL:  the database system is starting up", "database_starting"),
        ('could not translate host name "db" to address: Name or service not known', "database_dns"),
        ("connection to server at 127.0.0.1 failed: Connection refused", "database_down"),
        ("connection to server at 10.0.0.1 failed: timeout expired", "database_timeout"),
        ("SSL error: certificate verify failed", "database_tls"),
        (
            'authentication method requirement "scram-sha-256" failed: server requested a cleartext password',
            "database_stranger",
        ),
        ("server does not support SSL, but SSL was required", "database_stranger"),
        ("channel binding required, but SSL not in use", "database_stranger"),
        ("something new", "database_failed"),
    ],
)
def test_why_there_is_no_login(message: str, kind: str) -> None:
    problem = database.login_problem(message, "postgresql://mc:pw@127.0.0.1:5432/mc", "host1")
    assert problem.kind == kind and problem.cause and problem.remedy
    assert "pw" not in str(problem.evidence)


def test_the_products_address_becomes_libpqs() -> None:
    assert database.address("postgresql+psycopg://u:p%40@h:5/d?sslmode=require&prepare_threshold=0") == (
        "postgresql://u:p%40@h:5/d?sslmode=require"
    )
    with pytest.raises(Problem, match="not PostgreSQL"):
        database.address("sqlite:///x.db")


def test_figures_of_the_database() -> None:
    options = options_of("database")
    assert database.judge_transactions(5000, options).kind == "transaction_long"
    assert database.judge_transactions(0, options).state == "pass"
    assert database.judge_share(97, 100, options).kind == "database_connections"
    assert database.judge_share(5, 100, options).state == "pass"
    assert database.judge_disk("/x", 2, 100, options).state == "fail"
    assert database.judge_backup("/b", None, options).kind == "backup_missing"
    assert database.judge_backup("/b", [10, 999999], options).state == "pass"
    assert database.judge_backup("/b", [200000], options).state == "warn"


def test_a_slot_that_nobody_fetches_from() -> None:
    options = options_of("database")
    assert database.judge_slots([], options).state == "pass"
    assert database.judge_slots([("a", 5.0)], options).state == "pass"
    verdict = database.judge_slots([("a", 5.0), ("it's", 2e9)], options)
    assert (verdict.state, verdict.kind) == ("warn", "replication_slot")
    assert verdict.remedy.endswith(
        "runuser -u postgres -- psql -c " + shlex.quote("SELECT pg_drop_replication_slot('it''s')")
    )


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            'no pg_hba.conf entry for host "10.0.0.7", user "mc", database "d", SSL encryption',
            'host "d" "mc" 10.0.0.7/32',
        ),
        ('pg_hba.conf rejects connection for host "::1", user "mc"', 'host "d" "mc" ::1/128'),
        ('no pg_hba.conf entry for host "[local]", user "mc"', 'local "d" "mc"'),
    ],
)
def test_who_is_not_let_in_is_told_the_line(message: str, line: str) -> None:
    problem = database.login_problem(f"FATAL:  {message}", "postgresql://mc:pw@127.0.0.1:5432/d", "h")
    assert f"'1i {line} scram-sha-256'" in problem.remedy and "pg_reload_conf" in problem.remedy
    assert problem.cure.by == "command"


def test_no_address_and_nobody_listening() -> None:
    context = make_context()
    verdict = context.guard("database", lambda: database.run(context, options_of("database")))
    assert (verdict.state, verdict.kind) == ("error", "no_database_url")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql+psycopg://mc:secret-password@127.0.0.1:{port}/mc"
    verdict = context.guard(
        "database", lambda: database.run(context, options_of("database", database_url=url))
    )
    assert (verdict.state, verdict.kind) == ("fail", "database_down")
    assert verdict.checks[0].name == "login"
    assert "secret-password" not in str(context.redactor.data(verdict.to_dict()))


# -- queue ----------------------------------------------------------------------------------------


@pytest.fixture
def redis_server() -> Iterator[Callable[..., str]]:
    """A server that speaks as much Redis as the check asks for."""
    listeners: list[socket.socket] = []

    def start(replies: dict[str, bytes], password: str = "") -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def talk(connection: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
                authenticated = not password
                while True:
                    head = stream.readline()
                    if not head:
                        return
                    words = []
                    for _number in range(int(head[1:])):
                        length = int(stream.readline()[1:])
                        words.append(stream.read(length).decode())
                        stream.readline()
                    command = words[0].upper()
                    if command == "AUTH":
                        authenticated = words[-1] == password
                        connection.sendall(b"+OK\r\n" if authenticated else b"-WRONGPASS invalid\r\n")
                    elif not authenticated:
                        connection.sendall(b"-NOAUTH Authentication required.\r\n")
                    else:
                        connection.sendall(replies.get(command, b"+OK\r\n"))

        def accept() -> None:
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        auth = f":{password}@" if password else ""
        return f"redis://{auth}127.0.0.1:{listener.getsockname()[1]}/0"

    yield start
    for listener in listeners:
        listener.close()


def bulk(text: str) -> bytes:
    data = text.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


CLIENTS = (
    "id=1 addr=127.0.0.1:5 name= flags={flags} db=0 cmd={cmd} idle={idle}\n"
    "id=2 flags=N cmd=client|list idle=0\n"
)


def replies(**change: bytes) -> dict[str, bytes]:
    return {
        "PING": b"+PONG\r\n",
        "LLEN": b":0\r\n",
        "LINDEX": b"$-1\r\n",
        "ZCOUNT": b":0\r\n",
        "ZRANGE": b"*0\r\n",
        "INFO": bulk("# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"),
        "CLIENT": bulk(CLIENTS.format(flags="b", cmd="brpop", idle=2)),
        **change,
    }


def old_entry(age: float, attempts: int = 0) -> bytes:
    entry = {"task_type": "x", "payload": {}, "created_at": NOW - age, "attempts": attempts}
    return bulk(json.dumps(entry))


@pytest.mark.parametrize(
    ("change", "state", "kind"),
    [
        ({}, "pass", ""),
        ({"CLIENT": bulk("id=2 flags=N cmd=client|list idle=0\n")}, "fail", "no_worker"),
        ({"CLIENT": bulk(CLIENTS.format(flags="N", cmd="brpop", idle=20))}, "pass", ""),
        ({"CLIENT": bulk(CLIENTS.format(flags="N", cmd="brpop", idle=900))}, "fail", "worker_hung"),
        # Between two tasks a worker rests. A backend's connection, which says the same, ends at once.
        ({"CLIENT": bulk("id=1 flags=N cmd=lpush idle=2 age=70\n")}, "pass", ""),
        ({"CLIENT": bulk("id=1 flags=N cmd=lpush idle=0 age=0\n")}, "fail", "no_worker"),
        ({"CLIENT": bulk("id=1 flags=N cmd=zrange idle=60 age=70\n")}, "fail", "no_worker"),
        ({"CLIENT": b"-NOPERM no\r\n"}, "error", "not_permitted"),
        ({"LLEN": b":500\r\n"}, "warn", "queue_deep"),
        ({"LLEN": b":5000\r\n"}, "fail", "queue_deep"),
        ({"LINDEX": old_entry(10)}, "pass", ""),
        ({"LINDEX": old_entry(100)}, "warn", "queue_old"),
        ({"LINDEX": old_entry(1000)}, "fail", "queue_old"),
        ({"LINDEX": old_entry(10, attempts=2)}, "pass", ""),
        ({"LINDEX": old_entry(1000, attempts=2)}, "fail", "task_fails"),
        ({"LINDEX": old_entry(10, attempts=-5)}, "fail", "task_fails"),
        ({"LINDEX": bulk("no json")}, "warn", "queue_foreign"),
        ({"ZCOUNT": b":2\r\n", "ZRANGE": b"*2\r\n" + bulk("x") + bulk(str(NOW - 1000))}, "fail", "overdue"),
        ({"ZCOUNT": b":0\r\n", "ZRANGE": b"*2\r\n" + bulk("x") + bulk(str(NOW + 1000))}, "pass", ""),
        (
            {"INFO": bulk("used_memory:10\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n")},
            "warn",
            "redis_eviction",
        ),
        (
            {"INFO": bulk("used_memory:95\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n")},
            "warn",
            "redis_memory",
        ),
        ({"LLEN": b"-WRONGTYPE x\r\n"}, "fail", "queue_garbled"),
        ({"LLEN": b"-NOPERM x\r\n"}, "fail", "redis_rights"),
        ({"ZADD": b"-NOPERM x\r\n"}, "fail", "redis_rights"),
        ({"PING": b"-BUSY x\r\n"}, "fail", "redis_busy"),
        ({"PING": b"-MISCONF x\r\n", "ZADD": b"-MISCONF x\r\n"}, "fail", "redis_disk"),
        ({"PING": b"-ERR max number of clients reached\r\n"}, "fail", "redis_clients"),
        ({"LLEN": b"-ERR what nobody knows\r\n"}, "fail", "redis_failed"),
        ({"PING": b"HTTP/1.1 400 Bad\r\n"}, "fail", "redis_protocol"),
    ],
)
def test_the_queue(redis_server: Callable[..., str], change: dict[str, bytes], state: str, kind: str) -> None:
    context = make_context()
    url = redis_server(replies(**change))
    verdict = context.guard("queue", lambda: queue.run(context, options_of("queue", redis_url=url)))
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary
    assert bool(verdict.cause and verdict.remedy) == (state != "pass")
    if not change:
        assert verdict.summary == "1 worker waiting, 0 busy; 0 entries wait; nothing is overdue"


ME = "user default on sanitize-payload #ab ~* &* +@all"


@pytest.mark.parametrize(
    ("lines", "named", "state", "kind"),
    [
        ([ME], ["default"], "pass", ""),
        ([ME, "user seen on #cd +info"], ["default", "seen"], "pass", ""),
        ([ME, "user evil on #cd +@all"], ["default"], "fail", "redis_users"),
        ([ME.replace("#ab", "#ab #cd")], ["default"], "warn", "redis_passwords"),
        # Of a server that is not the deployment's own.
        ([ME, "user evil on #cd +@all"], [], "pass", ""),
        (None, ["default"], "pass", ""),
    ],
)
def test_who_may_enter_the_queue(
    redis_server: Callable[..., str], lines: list[str] | None, named: list[str], state: str, kind: str
) -> None:
    context = make_context()
    listed = b"-NOPERM no\r\n"
    if lines is not None:
        listed = b"*%d\r\n" % len(lines) + b"".join(map(bulk, lines))
    url = redis_server(replies(ACL=listed))
    options = options_of("queue", redis_url=url, redis_users=named)
    verdict = context.guard("queue", lambda: queue.run(context, options))
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary
    assert "#" not in str(verdict.evidence) and bool(verdict.remedy) == (state != "pass")
    assert any(part.name == "users" for part in verdict.checks) == bool(named)


def test_a_worker_beside_its_unit_is_found(
    redis_server: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes of this user: one as the product's worker is started, others that only look like it."""
    place = tmp_path / "releases/abc/backend"
    elsewhere = tmp_path / "another/backend"
    for directory in (place, elsewhere):
        directory.mkdir(parents=True)
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    context = make_context()
    monkeypatch.setattr(context.host, "_root", str(tmp_path))
    url = redis_server(replies())
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(subprocess.Popen([*sleeping, *words], cwd=directory))
            for words, directory in (
                (("../scripts/rq", "worker"), place),
                (("../scripts/rq", "worker"), elsewhere),
                (("../scripts/rq", "info"), place),
                (("worker",), place),
            )
        ]
        for process in started:
            stack.callback(process.kill)
        verdict = context.guard("queue", lambda: queue.run(context, options_of("queue", redis_url=url)))
        (found,) = [part for part in verdict.checks if part.name == "strays"]
    assert (verdict.state, verdict.kind, found.evidence) == (
        "fail",
        "stray_worker",
        {"workers": {str(started[0].pid): "abc"}},
    )
    assert found.remedy == f"As root: kill {started[0].pid}"
    again = context.guard("queue", lambda: queue.run(context, options_of("queue", redis_url=url)))
    assert again.state == "pass"


def test_a_worker_is_looked_for_more_than_once(redis_server: Callable[..., str]) -> None:
    context = make_context()
    url = redis_server(replies(CLIENT=bulk("id=2 flags=N cmd=zrangebyscore idle=0\n")))
    context.guard("queue", lambda: queue.run(context, options_of("queue", redis_url=url)))
    assert context.clock.now() - NOW == pytest.approx(queue.LOOK_PAUSE * (queue.LOOKS - 1))


def test_passwords_of_redis(redis_server: Callable[..., str]) -> None:
    url = redis_server(replies(), "redis-password-1")
    context = make_context()
    assert context.guard("q", lambda: queue.run(context, options_of("queue", redis_url=url))).state == "pass"
    for wrong in (url.replace("redis-password-1", "another"), url.replace(":redis-password-1@", "")):
        verdict = context.guard(
            "q", lambda wrong=wrong: queue.run(context, options_of("queue", redis_url=wrong))
        )  # type: ignore[misc]
        assert (verdict.state, verdict.kind) == ("fail", "redis_login")
        assert "redis-password-1" not in str(verdict)


def test_no_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    context = make_context()
    options = options_of("queue", redis_url=f"redis://127.0.0.1:{port}")
    verdict = context.guard("queue", lambda: queue.run(context, options))
    assert (verdict.state, verdict.kind, verdict.checks[0].name) == ("fail", "redis_down", "connection")
    options = options_of("queue", redis_url="http://127.0.0.1")
    assert context.guard("queue", lambda: queue.run(context, options)).kind == "bad_option"


def test_a_redis_whose_socket_somebody_removed(tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        path.unlink()
        context = make_context()
        verdict = context.guard(
            "queue", lambda: queue.run(context, options_of("queue", redis_url=f"unix://{path}"))
        )
    assert (verdict.kind, verdict.remedy) == ("redis_socket", "systemctl restart redis-server")
    # Nobody listens any more.
    verdict = context.guard(
        "queue", lambda: queue.run(context, options_of("queue", redis_url=f"unix://{path}"))
    )
    assert verdict.kind == "redis_down"


def test_a_silent_redis_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        redis = Redis(f"redis://127.0.0.1:{listener.getsockname()[1]}", timeout=0.2)
        with pytest.raises(RedisError) as raised:
            redis.call("PING")
        redis.close()
    assert raised.value.kind == "timeout"


# -- host -----------------------------------------------------------------------------------------


def listener_at(address: str, port: int, uid: int = 1000, command: str = "python") -> Listener:
    return Listener("tcp", address, port, uid, 5, (5,), command, UNIT.name)


@pytest.mark.parametrize(
    ("wanted", "found", "state", "kind"),
    [
        ({"bind": "any"}, [listener_at("0.0.0.0", 8000)], "pass", ""),
        ({"bind": "any"}, [listener_at("::", 8000)], "pass", ""),
        ({"bind": "any"}, [listener_at("127.0.0.1", 8000)], "fail", "port_hidden"),
        ({"bind": "loopback"}, [listener_at("127.0.0.1", 8000), listener_at("::1", 8000)], "pass", ""),
        ({"bind": "loopback"}, [listener_at("0.0.0.0", 8000)], "fail", "port_exposed"),
        ({"bind": ""}, [listener_at("10.0.0.5", 8000)], "pass", ""),
        ({"bind": "10.0.0.5"}, [listener_at("10.0.0.5", 8000)], "pass", ""),
        ({"bind": "10.0.0.6"}, [listener_at("10.0.0.5", 8000)], "fail", "port_hidden"),
        ({"bind": ""}, [], "fail", "port_closed"),
        ({"bind": ""}, [listener_at("0.0.0.0", 8001)], "fail", "port_closed"),
        ({"bind": ""}, [listener_at("0.0.0.0", 8000, 0, "nc")], "fail", "port_foreign"),
        # A server that found its address taken listens on the other family alone.
        (
            {"bind": "loopback", "unit": ""},
            [listener_at("127.0.0.1", 8000, 1000), listener_at("::1", 8000, 101)],
            "fail",
            "port_shared",
        ),
        (
            {"bind": "loopback", "unit": ""},
            [listener_at("127.0.0.1", 8000, 101), listener_at("::1", 8000, 101)],
            "pass",
            "",
        ),
        # One user alone, in the place of another: it may pass everything on and stay unseen.
        ({"unit": "", "users": ["daemon"]}, [listener_at("127.0.0.1", 8000, 65534)], "fail", "port_stranger"),
        ({"unit": "", "users": ["daemon"]}, [listener_at("127.0.0.1", 8000, 1)], "pass", ""),
        ({"unit": "", "users": ["daemon"]}, [listener_at("127.0.0.1", 8000, 0)], "pass", ""),
        ({"unit": "", "users": ["nobody-knows"]}, [listener_at("127.0.0.1", 8000, 65534)], "pass", ""),
    ],
)
def test_ports(wanted: dict[str, Any], found: list[Listener], state: str, kind: str) -> None:
    verdict = host.judge_port(
        {"port": 8000, "bind": "", "unit": "mission-control-backend", **wanted}, found, 1000
    )
    assert (verdict.state, verdict.kind) == (state, kind)


def test_files_that_change_a_sandboxed_unit_are_named_for_a_shell() -> None:
    status = replace(UNIT, drop_ins=("/home/openclaw/.config/systemd/user/x.service.d/a;reboot.conf",))
    verdict = unit_state.judge_drop_ins(status, "openclaw", "/home/openclaw")
    assert (verdict.state, verdict.kind) == ("warn", "drop_in") and "a;reboot.conf" in verdict.summary
    typed = "-- '/home/openclaw/.config/systemd/user/x.service.d/a;reboot.conf'"
    assert f"runuser --pty -u openclaw -- cat -v {typed}. What" in verdict.remedy
    assert f"runuser --pty -u openclaw -- rm {typed}; systemctl" in verdict.remedy
    assert " cat gateway" not in verdict.remedy and "by a link" not in verdict.remedy


def test_root_is_told_to_remove_nothing_of_where_a_link_leads(tmp_path: Path) -> None:
    (home := tmp_path / "home").mkdir()
    (link := tmp_path / "link").symlink_to(home)
    own = str(home / ".config/systemd/user/x.service.d/own.conf")
    for away in ("/etc/systemd/system.conf", f"{home}/../../etc/passwd", f"{home}er/x.conf"):
        verdict = unit_state.judge_drop_ins(replace(UNIT, drop_ins=(away, own)), "openclaw", str(link))
        assert away in verdict.summary and away not in verdict.remedy and "by a link" in verdict.remedy
        assert f"rm -- {own}; systemctl" in verdict.remedy
        alone = unit_state.judge_drop_ins(replace(UNIT, drop_ins=(away,)), "openclaw", str(link)).remedy
        assert " rm " not in alone and "remove the link" in alone and "verify_waivers" in alone


def test_other_open_ports_of_the_user() -> None:
    found = [listener_at("0.0.0.0", 8000), listener_at("127.0.0.1", 9229), listener_at("0.0.0.0", 9999, 0)]
    assert host.judge_strangers(found, 1000, [8000]).state == "pass"
    verdict = host.judge_strangers(found, 1000, [])
    assert (verdict.state, verdict.kind) == ("warn", "port_unexpected") and "8000 (python)" in verdict.summary


@pytest.mark.parametrize(
    ("status", "container", "state"),
    [(0x2001, False, "pass"), (0x0040, False, "warn"), (0x0040, True, "skip"), (None, False, "skip")],
)
def test_the_clock(status: int | None, container: bool, state: str) -> None:
    assert host.judge_clock(status, container).state == state


def test_the_kernel_tells_about_its_clock() -> None:
    status = host.clock_status()
    assert status is None or status >= 0


def test_disk_and_memory() -> None:
    options = options_of("host")
    assert host.judge_disk("/", 50, 100, (50, 100), options).state == "pass"
    assert host.judge_disk("/", 2, 100, (50, 100), options).state == "fail"
    inodes = host.judge_disk("/", 50, 100, (5, 100), options)
    assert inodes.state == "warn" and "inodes" in inodes.summary
    assert host.judge_memory({"MemTotal": 1000, "MemAvailable": 30}, options).state == "warn"


def test_sandboxing_that_is_not_in_force() -> None:
    asked = {"NoNewPrivileges": "yes", "PrivateTmp": "yes", "LockPersonality": "yes", "ProtectHome": "no"}
    manager = replace(PROCESS, namespaces={"mnt": 1})
    assert sandbox.judge_sandbox(UNIT.name, asked, PROCESS, manager).state == "pass"
    verdict = sandbox.judge_sandbox(
        UNIT.name, asked, replace(PROCESS, no_new_privs=False, seccomp=0, namespaces={"mnt": 1}), manager
    )
    assert verdict.evidence["missing"] == ["NoNewPrivileges", "LockPersonality", "PrivateTmp"]
    assert sandbox.judge_sandbox(UNIT.name, asked, None, None).state == "skip"
    for name in ("(serve.py)", "systemd-executo"):
        child = replace(PROCESS, name=name, no_new_privs=False, namespaces={"mnt": 1})
        assert sandbox.judge_sandbox(UNIT.name, asked, child, manager).summary == "just being started"


def test_a_manager_that_was_started_anew_below_its_services() -> None:
    """Its new sockets are hidden from nobody; to start the services again hides them."""
    asked = {"InaccessiblePaths": "-/run/user/1000/bus -/run/user/1000/systemd/private"}
    own, other = replace(PROCESS, namespaces={"mnt": 1}), replace(PROCESS, namespaces={"mnt": 2})
    within, made = ["systemd/private"], ["systemd/private"]
    verdict = sandbox.judge_sandbox("demo", asked, own, other, within, (), made)
    assert (verdict.state, verdict.kind) == ("warn", "sandbox_outdated")
    assert verdict.remedy == "mission-control restart"
    assert sandbox.judge_sandbox("demo", asked, own, other, within, (), ()).kind == "sandbox_not_in_force"


def test_sockets_that_are_younger_than_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = find_account()
    monkeypatch.setattr(type(account), "runtime_directory", str(tmp_path))
    (tmp_path / "bus").touch()
    now = (tmp_path / "bus").stat().st_mtime
    for started, found in ((now - 5, ("bus",)), (now + 5, ())):
        process = replace(PROCESS, started=started)
        assert sandbox.renewed_buses(process, account, ["bus", "gone"]) == found


def test_a_sandbox_that_was_taken_off() -> None:
    asked = {"NoNewPrivileges": "no", "PrivateTmp": "yes", "LockPersonality": ""}
    deployed = ("LockPersonality", "NoNewPrivileges", "PrivateTmp")
    for process in (None, PROCESS):
        verdict = sandbox.judge_sandbox(UNIT.name, asked, process, None, (), deployed)
        assert (verdict.state, verdict.kind) == ("fail", "sandbox_taken_off")
        assert "systemctl --user -M USER@ show" in verdict.remedy
        assert verdict.evidence["missing"] == ["LockPersonality", "NoNewPrivileges"]


def test_a_manager_within_reach() -> None:
    asked = {
        "PrivateUsers": "yes",
        "InaccessiblePaths": "-/run/user/1000/bus -/run/user/1000/systemd/private",
    }
    manager = replace(PROCESS, namespaces={"mnt": 1, "user": 1})
    apart = replace(PROCESS, namespaces={"mnt": 2, "user": 2})
    assert sandbox.judge_sandbox(UNIT.name, asked, apart, manager).summary == "2 directives are in force"
    for reached in sandbox.BUSES:
        verdict = sandbox.judge_sandbox(UNIT.name, asked, apart, manager, (reached,))
        assert verdict.state == "warn" and verdict.evidence["missing"] == ["InaccessiblePaths"]
    verdict = sandbox.judge_sandbox(UNIT.name, asked, manager, manager)
    assert verdict.evidence["missing"] == ["InaccessiblePaths", "PrivateUsers"]
    opened = sandbox.judge_sandbox(UNIT.name, {"NoNewPrivileges": "yes"}, apart, manager, ("bus",))
    assert opened.state == "pass" and "within reach" in opened.summary


def test_what_a_process_reaches_of_its_manager_is_tried(tmp_path: Path) -> None:
    account = find_account()
    (tmp_path / "systemd").mkdir()
    assert sandbox.reachable_buses(os.getpid(), account, runtime=str(tmp_path)) == ()
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        assert sandbox.reachable_buses(os.getpid(), account, runtime=str(tmp_path)) == ()
        bus.listen()
        assert sandbox.reachable_buses(os.getpid(), account, runtime=str(tmp_path)) == ("bus",)


class Managed:
    """A user's manager that has a gateway running, as this process."""

    def __init__(self, account: Any) -> None:
        self.account = account

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        assert names == ["openclaw-gateway.service"]
        words = {"ExecStart": "openclaw --token s3cr3t", "Environment": "KEY=s3cr3t"}
        asked = {"NoNewPrivileges": "yes", "LoadState": "loaded", "MainPID": str(os.getpid())}
        return {names[0]: asked | words}


def of_the_gateway(pid: int) -> ProcessEvidence | None:
    found = process_evidence(pid)
    return None if found is None else replace(found, unit="openclaw-gateway.service")


def test_of_the_gateway_root_tells_what_is_in_force_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement_record, "STATE_DIRECTORY", tmp_path)
    monkeypatch.setattr(sandbox, "UserManager", Managed)
    assert sandbox.gateway_process() is None, "nobody has written down who runs one"
    (tmp_path / "gateway.json").write_text('{"user": "not-there"}')
    assert sandbox.gateway_process() is None
    (tmp_path / "gateway.json").write_text(f'{{"user": "{find_account().name}"}}')
    assert sandbox.gateway_process() is None, "the process that its manager names is none of the unit's"
    monkeypatch.setattr(sandbox, "process_evidence", of_the_gateway)
    found = sandbox.gateway_process()
    assert found is not None and found.properties["NoNewPrivileges"] == "yes"
    assert found.process.pid == os.getpid() and found.process.command == ()
    assert "s3cr3t" not in str(found)
    (verdict,) = sandbox.gateway_sandbox(make_context())
    assert verdict.name == "sandbox openclaw-gateway"
    assert verdict.state == ("pass" if found.process.no_new_privs else "warn")


# -- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "state"), [(0o600, "pass"), (0o400, "pass"), (0o640, "warn"), (0o644, "fail"), (0o602, "fail")]
)
def test_who_may_read_the_environment_file(mode: int, state: str) -> None:
    verdict = configuration.judge_mode("/x/.env", mode)
    assert verdict.state == state
    if state != "pass":
        assert verdict.kind == "env_file_readable"
        assert verdict.remedy.startswith("chmod 600 /x/.env")


def test_misspelt_settings() -> None:
    assert (
        configuration.judge_names({"CORS_ORIGINS": "x", "MY_OWN_ADDITION": "y"}, BACKEND_SETTINGS).state
        == "pass"
    )
    verdict = configuration.judge_names({"CORS_ORIGIN": "x", "LOG_LEVLE": "INFO"}, BACKEND_SETTINGS)
    assert verdict.kind == "setting_misspelt"
    assert verdict.evidence["misspelt"] == {"CORS_ORIGIN": "CORS_ORIGINS", "LOG_LEVLE": "LOG_LEVEL"}


def test_blanked_headers() -> None:
    sent = {"x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "x"}
    assert configuration.judge_headers({}, sent).state == "pass"
    blank = configuration.judge_headers(
        {"SECURITY_HEADER_X_FRAME_OPTIONS": " "}, {**sent, "x-frame-options": ""}
    )
    assert blank.kind == "header_blanked" and "SECURITY_HEADER_" in blank.remedy
    assert "proxy" in configuration.judge_headers({}, {}).remedy


@pytest.mark.parametrize(
    ("origins", "state"),
    [
        ("http://h:3000", "pass"),
        ("http://x, http://h:3000", "pass"),
        ("http://x", "fail"),
        ("", "fail"),
        ("*", "fail"),
        ("http://h:3000/", "fail"),
        ("http://h:3000,http://x/path", "fail"),
    ],
)
def test_cors_origins_against_the_public_address(origins: str, state: str) -> None:
    verdict = configuration.judge_origins({"CORS_ORIGINS": origins}, "http://h:3000/boards")
    assert verdict.state == state
    assert verdict.kind == ("" if state == "pass" else "cors_misconfigured")


def test_settings_of_the_process() -> None:
    assert configuration.judge_environment("u", [], None).state == "pass"
    assert configuration.judge_environment("u", ["LOG_LEVEL"], None).kind == "stale_environment"
    assert configuration.judge_environment("u", [], True).kind == "stale_environment"
    assert configuration.judge_environment("u", None, None).state == "error"


def test_addresses_and_versions() -> None:
    assert configuration.judge_base_url({"BASE_URL": "http://h:8000/"}, "http://h:8000").state == "pass"
    assert configuration.judge_base_url({"BASE_URL": "http://h:8000"}, "http://x:8000").state == "warn"
    assert configuration.judge_base_url({}, "").state == "fail"
    for version, state in (("2026.4.2", "pass"), ("2026.9.6", "fail"), ("latest", "fail")):
        assert configuration.judge_gateway_version(version, check_pair(version)).state == state


def test_settings_that_cannot_be_read() -> None:
    context = make_context()
    verdict = configuration.run(context, options_of("configuration"))
    assert (verdict.state, verdict.kind) == ("error", "env_file_missing")


@pytest.mark.parametrize("check", [configuration, database])
def test_where_nothing_was_deployed_that_is_the_cause(check: Any, tmp_path: Path) -> None:
    name = check.__name__.rpartition(".")[2]
    context = make_context()
    context.host = Installation(user="", root=str(tmp_path), env_file="", redactor=context.redactor)

    def found() -> Verdict:
        return context.guard(name, lambda: check.run(context, options_of(name)))

    # A deployment that failed early leaves a release that never served.
    (tmp_path / "releases/one/backend").mkdir(parents=True)
    verdict = found()
    # Nobody can use it: a failure, and not something that could not be looked at.
    assert (verdict.state, verdict.kind) == ("fail", "not_deployed")
    assert str(tmp_path) in verdict.summary and verdict.remedy.startswith("Deploy")
    (tmp_path / "current").symlink_to("releases/one")
    assert found().kind in ("env_file_missing", "no_database_url")


# -- frontend -------------------------------------------------------------------------------------

UPSTREAM_AUTO = (
    'e=>{"use strict";function t(){let e="auto".trim();if(e&&"auto"!==e.toLowerCase()){return e}'
    '{let e="https:"===window.location.protocol?"https":"http",t=window.location.hostname;'
    'if(t)return`${e}://${t}:8000`}throw Error("NEXT_PUBLIC_API_URL is not set and cannot be")}'
)


@pytest.mark.parametrize(
    ("scripts", "baked"),
    [
        ([UPSTREAM_AUTO], "auto"),
        (["x", UPSTREAM_AUTO.replace('"auto".trim', '"http://10.1.2.3:8000".trim')], "http://10.1.2.3:8000"),
        (
            [UPSTREAM_AUTO.replace('"auto".trim', '"https://api.example.com/"?.trim')],
            "https://api.example.com/",
        ),
        (
            ['let r="http://10.1.2.3:8000".trim();function n(){if(r&&"auto"!==r.toLowerCase())'],
            "http://10.1.2.3:8000",
        ),
        (['let r="http://10.1.2.3:8000";if(r&&"auto"!==r)'], "http://10.1.2.3:8000"),
        (["let e=n.default.env.NEXT_PUBLIC_API_URL?.trim();"], "auto"),
        (['fetch("https://example.com/telemetry")', 'x="word".trim()'], None),
        ([], None),
    ],
)
def test_the_address_built_in_is_found(scripts: list[str], baked: str | None) -> None:
    assert frontend_build.baked_api_url(scripts) == baked


@pytest.mark.parametrize(
    ("baked", "page", "resolved"),
    [
        ("auto", "http://h:3000", "http://h:8000"),
        ("AUTO", "https://h", "https://h:8000"),
        ("auto", "http://[::1]:3000/x", "http://[::1]:8000"),
        ("http://api:8000/", "http://h:3000", "http://api:8000"),
    ],
)
def test_auto_is_resolved_as_a_browser_does(baked: str, page: str, resolved: str) -> None:
    assert frontend_build.resolve_api_url(baked, page) == resolved


@pytest.mark.parametrize(
    ("baked", "page", "expected", "kind"),
    [
        ("auto", "http://h:3000", "http://h:8000", ""),
        ("http://h:8000", "http://h:3000", "", ""),
        ("http://old:8000", "http://h:3000", "http://h:8000", "api_url_differs"),
        ("http://h:8000", "https://h", "", "mixed_content"),
        (None, "http://h:3000", "", "api_url_unknown"),
    ],
)
def test_the_address_built_in_is_judged(baked: str | None, page: str, expected: str, kind: str) -> None:
    assert frontend_build.judge_api_url(baked, page, expected).kind == kind


def test_assets_of_a_page() -> None:
    page = (
        '<link rel="stylesheet" href="/a.css"><link rel="preload" as="font" href="/f.woff2">'
        '<link rel="icon" href="/i">'
        '<script src="/a.js"></script><script src="/a.js"></script><script>inline</script>'
        '<script src="https://elsewhere.example/x.js"></script>'
    )
    assert frontend_build.assets_of(page, "http://h:3000/") == [
        "http://h:3000/a.css",
        "http://h:3000/f.woff2",
        "http://h:3000/a.js",
    ]


@given(st.text(max_size=300))
def test_any_page_and_script_can_be_read(text: str) -> None:
    frontend_build.assets_of(text, "http://h:3000/")
    frontend_build.baked_api_url([text])
