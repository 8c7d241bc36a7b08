"""The suite: concurrency, retries of what failed, deadlines, waivers, baselines, explanations."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.libraries import (
    MissingLibraryError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redaction import Redactor
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.attempts import (
    attempt_until_done,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.baseline import compare
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.causes import (
    find_causes,
    root_causes,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import health
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.context import Context, Problem
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.explanations.table import ROWS
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.report import (
    headline,
    report_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.reports.document import (
    document,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.suite import (
    run_suite,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import (
    Measure,
    Verdict,
    combine,
)
from checks_support import TOKEN, FakeTime, common, make_context, options_of

Run = Callable[[Context, Mapping[str, Any]], Verdict]


def outcomes(*states: str) -> tuple[Run, list[str]]:
    """A check that gives these states one after the other."""
    left = list(states)
    seen: list[str] = []

    def run(context: Context, _options: Mapping[str, Any]) -> Verdict:
        state = left.pop(0) if len(left) > 1 else left[0]
        seen.append(state)
        return Verdict(context.name, state, f"it is {state}", cause="c", remedy="r", kind="k")

    return run, seen


def attempt(run: Run, **given: Any) -> tuple[Verdict, FakeTime]:
    passed = FakeTime()
    context = make_context(time=passed, **given)
    return attempt_until_done("x", run, context.shared, {}), passed


# -- retries --------------------------------------------------------------------------------------


def test_a_pass_at_the_first_attempt_is_a_pass() -> None:
    run, seen = outcomes("pass")
    verdict, passed = attempt(run, deadline=60.0)
    assert (verdict.state, verdict.attempts, seen, passed.slept) == ("pass", 1, ["pass"], [])


def test_a_pass_after_a_failure_is_flaky_and_remembers_why() -> None:
    run, seen = outcomes("fail", "error", "pass")
    verdict, _passed = attempt(run, deadline=60.0)
    assert (verdict.state, verdict.attempts, len(seen)) == ("flaky", 3, 3)
    assert verdict.evidence["failures"] == ["it is fail", "it is error"]
    assert "before: it is error" in verdict.summary


def test_a_warning_stays_a_warning_and_is_not_tried_again() -> None:
    run, seen = outcomes("warn")
    verdict, _passed = attempt(run, deadline=60.0)
    assert (verdict.state, len(seen)) == ("warn", 1)


def test_a_failure_lasts_until_the_deadline() -> None:
    run, _seen = outcomes("fail")
    verdict, passed = attempt(run, deadline=10.0, interval=2.0, backoff=1.0, jitter=0.0)
    assert (verdict.state, verdict.attempts) == ("fail", 6)
    assert sum(passed.slept) == 10


def test_successes_in_a_row_are_not_flaky() -> None:
    run, seen = outcomes("pass")
    verdict, _passed = attempt(run, deadline=60.0, successes=3)
    assert (verdict.state, len(seen)) == ("pass", 3)


def test_what_comes_and_goes_never_was_stable() -> None:
    run, _seen = outcomes(*["pass", "fail"] * 50)
    verdict, _passed = attempt(run, deadline=20.0, successes=2, jitter=0.0)
    assert (verdict.state, verdict.kind) == ("fail", "unstable")


@pytest.mark.parametrize(
    ("prefix", "way"), [("/usr", "apt-get install python3-requests"), ("/venv", "-m pip install requests")]
)
def test_a_missing_library_is_not_tried_again(prefix: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "base_prefix", "/usr")

    def run(_context: Context, _options: Mapping[str, Any]) -> Verdict:
        raise MissingLibraryError("requests", "python3-requests")

    verdict, passed = attempt(run, deadline=60.0)
    assert (verdict.state, verdict.kind, passed.slept) == ("error", "missing_library", [])
    assert way in verdict.remedy and "host1" in verdict.cause


def test_a_defect_of_a_check_is_an_error_without_a_traceback_or_secret() -> None:
    def run(_context: Context, _options: Mapping[str, Any]) -> Verdict:
        raise KeyError(TOKEN)

    verdict, _passed = attempt(run)
    assert (verdict.state, verdict.kind) == ("error", "internal")
    assert TOKEN not in str(verdict) and "Traceback" not in str(verdict)
    assert verdict.evidence["at"].startswith("test_suite.py:")


def test_only_what_failed_is_tried_again(serve: Callable[..., str]) -> None:
    counts: dict[str, int] = {}
    lock = threading.Lock()

    def handle(handler: Any) -> None:
        with lock:
            counts[handler.path] = counts.get(handler.path, 0) + 1
            number = counts[handler.path]
        body = b'{"ok":true}'
        handler.send_response(503 if handler.path == "/b" and number < 6 else 200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    paths = [f"/{letter}" for letter in "abcdefghijklmno"]
    report = run_suite(
        {"health": health.run},
        common(url=serve(handle), deadline=10.0, interval=0.01, interval_max=0.02),
        check_options={"health": options_of("health", paths=paths)},
    )
    # Fifteen endpoints, one of them down for five attempts: 14 + 6 requests, not 90.
    assert counts == {**dict.fromkeys(paths, 1), "/b": 6}
    assert report["requests"] == 20
    assert report["state"] == "flaky"
    part = next(part for part in report["verdicts"][0]["checks"] if part["name"] == "/b")
    assert (part["state"], part["attempts"]) == ("flaky", 6)


# -- the suite ------------------------------------------------------------------------------------


def test_checks_run_at_the_same_time() -> None:
    barrier = threading.Barrier(15)

    def run(context: Context, _options: Mapping[str, Any]) -> Verdict:
        barrier.wait(5)
        return Verdict(context.name)

    report = run_suite({f"c{number}": run for number in range(15)}, common())
    assert report["state"] == "pass" and report["counts"]["pass"] == 15
    assert [verdict["name"] for verdict in report["verdicts"]] == [f"c{number}" for number in range(15)]


def test_a_check_that_hangs_does_not_hold_up_the_suite() -> None:
    def hang(_context: Context, _options: Mapping[str, Any]) -> Verdict:
        time.sleep(8)
        return Verdict("hang")

    run, _seen = outcomes("pass")
    started = time.monotonic()
    report = run_suite({"hang": hang, "good": run}, common(), suite_deadline=0.3)
    assert time.monotonic() - started < 2
    assert [(verdict["state"], verdict["kind"]) for verdict in report["verdicts"]] == [
        ("error", "suite_deadline"),
        ("pass", "k"),
    ]


def test_shared_facts_are_looked_up_once_by_many() -> None:
    looked = []

    def find() -> str:
        looked.append(1)
        time.sleep(0.05)
        return "fact"

    context = make_context()
    assert context.parallel([lambda: context.once("x", find)] * 16) == ["fact"] * 16
    assert len(looked) == 1


def test_who_waits_for_a_fact_that_cannot_be_had_does_not_look_again() -> None:
    looked = []

    def fail() -> str:
        looked.append(1)
        time.sleep(0.1)
        raise Problem("k", "no")

    context = make_context()

    def ask() -> str:
        try:
            return str(context.once("x", fail))
        except Problem as problem:
            return problem.kind

    assert context.parallel([ask] * 8) == ["k"] * 8
    assert len(looked) < 3
    assert ask() == "k"


def test_a_fact_that_could_not_be_found_is_looked_up_again() -> None:
    context = make_context()

    def fail() -> str:
        raise Problem("k", "no")

    with pytest.raises(Problem):
        context.once("x", fail)
    assert context.once("x", lambda: "now") == "now"


def test_the_report_has_no_secret_and_always_the_same_keys() -> None:
    def leaky(context: Context, _options: Mapping[str, Any]) -> Verdict:
        return Verdict(
            context.name,
            "fail",
            f"saw {TOKEN}",
            cause=TOKEN,
            remedy=TOKEN,
            kind="k",
            evidence={"x": {"y": [TOKEN]}, TOKEN: 1},
        )

    run, _seen = outcomes("pass")
    bad = run_suite({"x": leaky}, common(token=TOKEN))
    good = run_suite({"x": run}, common(token=TOKEN))
    assert TOKEN not in str(bad)
    assert set(bad) == set(good)
    assert good["root_causes"] == [] and good["schema"] == 1


# -- waivers --------------------------------------------------------------------------------------


def waiver(check: str, expires: str = "2999-12-31") -> dict[str, str]:
    return {"check": check, "reason": "ticket 5", "expires": expires}


def test_a_waived_check_is_not_run() -> None:
    run, seen = outcomes("fail")
    report = run_suite({"log": run}, common(), waivers=[waiver("log"), waiver("other")])
    assert seen == []
    assert report["verdicts"][0]["state"] == "skip"
    assert "waived until 2999-12-31: ticket 5" in report["verdicts"][0]["summary"]


def test_an_expired_waiver_is_a_failure_and_the_check_runs_again() -> None:
    run, seen = outcomes("pass")
    report = run_suite({"log": run}, common(), waivers=[waiver("log", "2020-01-01")])
    assert seen == ["pass"]
    assert (report["state"], report["verdicts"][0]["kind"]) == ("fail", "waiver_expired")


def test_a_waiver_without_a_date_is_an_error() -> None:
    run, _seen = outcomes("pass")
    report = run_suite({"log": run}, common(), waivers=[waiver("log", "soon")])
    assert (report["state"], report["verdicts"][0]["kind"]) == ("error", "bad_option")


def test_waived_parts_are_not_run_or_taken_out() -> None:
    ran = []

    def run(context: Context, _options: Mapping[str, Any]) -> Verdict:
        def part(name: str) -> Verdict:
            ran.append(name)
            return combine(
                name,
                [Verdict("deep", "fail" if name == "b" else "pass", "bad", cause="c", remedy="r", kind="k")],
            )

        return context.each("x", [(name, lambda name=name: part(name)) for name in ("a", "b", "c")])

    assert run_suite({"x": run}, common(), waivers=[waiver("x.b")])["state"] == "pass"
    assert sorted(ran) == ["a", "c"]
    assert run_suite({"x": run}, common(), waivers=[waiver("x.b.deep")])["state"] == "pass"
    assert run_suite({"x": run}, common())["state"] == "fail"


# -- explanations ---------------------------------------------------------------------------------


def leaf(name: str, kind: str, state: str = "fail", **evidence: Any) -> Verdict:
    return Verdict(name, state, f"{kind} at {name}", cause="c", remedy="r", kind=kind, evidence=evidence)


def world(**checks: list[Verdict] | Verdict) -> list[Verdict]:
    return [
        combine(name, parts) if isinstance(parts, list) else replace_name(parts, name)
        for name, parts in checks.items()
    ]


def replace_name(verdict: Verdict, name: str) -> Verdict:
    verdict.name = name
    return verdict


def roots(verdicts: list[Verdict]) -> list[str]:
    find_causes(verdicts, ROWS)
    return [cause["check"] for cause in root_causes(verdicts)]


def api_down(kind: str) -> dict[str, Any]:
    return {
        "health": [leaf("/healthz", kind)],
        "cors": [combine("http://h", [leaf("preflight", kind), leaf("simple", kind)])],
        "membership": [leaf("role", kind), leaf("wrong_token", kind)],
        "agents": leaf("agents", kind),
        "gateway": leaf("gateway", kind),
        "sessions": leaf("sessions", kind),
        "session": leaf("session", kind),
        "metrics": [leaf("24h", kind), leaf("7d", kind)],
        "frontend": [Verdict("/"), leaf("api", kind), leaf("cors", kind)],
        "configuration": [leaf("headers", kind)],
    }


BACKEND, WORKER = "mission-control-backend", "mission-control-worker"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (
            world(**api_down("maintenance"), service=[leaf("maintenance", "maintenance")],
                  queue=[leaf("workers", "no_worker"), leaf("age", "queue_old", "warn")]),
            ["service.maintenance"],
        ),
        (world(**api_down("maintenance")), ["health./healthz"]),
        (
            world(**api_down("refused"),
                  service=[combine(BACKEND, [leaf("active", "unit_stopped")])],
                  host=[leaf("port 8000", "port_closed", unit=BACKEND)]),
            [f"service.{BACKEND}.active"],
        ),
        (
            world(**api_down("refused"), service=[
                      combine(BACKEND, [leaf("active", "crash_loop"), leaf("restarts", "crash_loop", "warn")])
                  ],
                  log=[combine(BACKEND, [leaf("errors", "log_errors", "warn")])]),
            [f"service.{BACKEND}.active"],
        ),
        (
            world(**api_down("server_error"), database=[leaf("login", "database_down")],
                  log=[combine(BACKEND, [leaf("errors", "log_errors", "warn")])]),
            ["database.login"],
        ),
        (
            world(**api_down("refused"), database=[leaf("login", "database_login")],
                  service=[combine(BACKEND, [leaf("active", "database_login")])]),
            ["database.login"],
        ),
        (
            world(queue=[leaf("connection", "redis_down")],
                  service=[combine("mission-control-worker", [leaf("active", "redis_down")])],
                  log=[combine("mission-control-worker", [leaf("errors", "log_errors")])]),
            ["queue.connection"],
        ),
        (
            world(queue=[leaf("workers", "no_worker"), leaf("oldest", "queue_old")],
                  service=[combine("mission-control-worker", [leaf("active", "unit_stopped")])]),
            ["service.mission-control-worker.active"],
        ),
        (world(queue=[leaf("workers", "no_worker"), leaf("oldest", "queue_old")]), ["queue.workers"]),
        (
            world(membership=[leaf("role", "unauthorized")], agents=leaf("", "unauthorized"),
                  metrics=[leaf("24h", "unauthorized")], gateway=leaf("", "unauthorized")),
            ["membership.role"],
        ),
        (
            world(gateway=[leaf("board a", "gateway_down")], sessions=leaf("", "server_error"),
                  session=leaf("", "server_error")),
            ["gateway.board a"],
        ),
        (
            world(configuration=[leaf("cors_origins", "cors_misconfigured")],
                  cors=[combine("http://h", [leaf("preflight", "cors_origin_missing")])],
                  frontend=[leaf("cors", "cors_origin_missing")]),
            ["configuration.cors_origins"],
        ),
        (
            world(service=[leaf("manager", "no_linger")], **api_down("refused"),
                  queue=[leaf("workers", "no_worker")]),
            ["service.manager"],
        ),
        (
            world(host=[leaf("disk /", "disk_full")], database=[leaf("login", "database_down")],
                  **api_down("server_error")),
            ["host.disk /"],
        ),
        (
            world(host=[leaf("port 8000", "port_foreign", unit=BACKEND)],
                  service=[combine(BACKEND, [leaf("active", "port_held")])],
                  health=[leaf("/healthz", "not_json")]),
            ["host.port 8000"],
        ),
        (
            world(frontend=[leaf("api_url", "api_url_differs"), leaf("api", "refused")],
                  configuration=[leaf("api_url", "api_url_differs")]),
            ["configuration.api_url"],
        ),
        (
            world(database=[leaf("migrations", "migration_missing")], **api_down("server_error")),
            ["database.migrations"],
        ),
        (
            world(database=[leaf("login", "database_down", port=5432)],
                  host=[leaf("port 5432", "port_closed", port=5432, unit="")]),
            ["database.login"],
        ),
        (
            world(queue=[leaf("connection", "redis_down", port=6379)],
                  host=[leaf("port 6379", "port_closed", port=6379, unit="")]),
            ["queue.connection"],
        ),
        (
            world(service=[combine(BACKEND, [leaf("active", "starting")])],
                  health=[leaf("/healthz", "slow", "warn")]),
            [f"service.{BACKEND}.active"],
        ),
        (
            world(host=[leaf("port 8000", "port_foreign", unit=BACKEND)],
                  service=[combine(BACKEND, [leaf("active", "unit_stopped")])], **api_down("not_json")),
            ["host.port 8000"],
        ),
        (world(membership=[leaf("role", "wrong_role")], agents=leaf("", "forbidden")), ["membership.role"]),
        # The same fault seen in several places.
        (
            world(service=[combine(BACKEND, [leaf("active", "token_refused")]),
                           combine("mission-control-worker", [leaf("active", "token_refused")])]),
            [f"service.{BACKEND}.active"],
        ),
        (
            world(configuration=[leaf(f"environment {BACKEND}", "stale_environment"),
                                 leaf("environment mission-control-worker", "stale_environment")]),
            [f"configuration.environment {BACKEND}"],
        ),
        (
            world(log=[combine(BACKEND, [leaf("errors", "log_errors", "warn"),
                                         leaf("tracebacks", "log_tracebacks")])]),
            [f"log.{BACKEND}.tracebacks"],
        ),
        (
            world(sessions=[combine("board a", [leaf("agents", "session_agents", "warn"),
                                                leaf("expected", "session_missing")])],
                  session=leaf("", "session_unknown")),
            ["sessions.board a.expected"],
        ),
        (
            world(database=[leaf("connections", "database_connections")],
                  metrics=[leaf("24h", "server_error")]),
            ["database.connections"],
        ),
        # A consequence of a consequence goes back to the root.
        (
            world(service=[combine(BACKEND, [leaf("active", "token_refused")]),
                           combine("mission-control-worker", [leaf("active", "token_refused")])],
                  queue=[leaf("workers", "no_worker")],
                  log=[combine("mission-control-worker", [leaf("errors", "log_errors", "warn")])]),
            [f"service.{BACKEND}.active"],
        ),
        # A worker that is being started again just now seems to run.
        (
            world(service=[combine(BACKEND, [leaf("active", "token_refused")]),
                           combine("mission-control-worker", [Verdict("active")])],
                  queue=[leaf("workers", "no_worker")],
                  log=[combine("mission-control-worker", [leaf("tracebacks", "log_tracebacks")])]),
            [f"service.{BACKEND}.active"],
        ),
        (
            world(frontend=[leaf("assets", "assets_broken"), leaf("api_url", "api_url_unknown", "warn")]),
            ["frontend.assets"],
        ),
        # Two faults that have nothing to do with one another stay two.
        (
            world(service=[combine(BACKEND, [leaf("active", "unit_stopped")]),
                           combine("mission-control-worker", [leaf("active", "unit_stopped")])]),
            [f"service.{BACKEND}.active", "service.mission-control-worker.active"],
        ),
        (
            world(gateway=[leaf("board a", "gateway_token")], host=[leaf("clock", "clock", "warn")]),
            ["gateway.board a", "host.clock"],
        ),
    ],
)  # fmt: skip
def test_one_root_cause_and_its_consequences(verdicts: list[Verdict], expected: list[str]) -> None:
    assert roots(verdicts) == expected
    for verdict in verdicts:
        if verdict.state in ("fail", "error") and not expected[0].startswith(verdict.name):
            assert verdict.consequence_of in expected


def views_of_both(here: list[Verdict], outside: list[Verdict]) -> list[dict[str, Any]]:
    """The host's view and the controller's, of a document that has both."""
    reports = []
    for view, verdicts in (("host", here), ("controller", outside)):
        told = report_of(verdicts, Redactor(), rows=ROWS, begun=0, duration_ms=1, view=view, where="host1")
        reports.append(told)
    found: list[dict[str, Any]] = document("host1", reports)["views"]
    return found


def seen_by_both(here: list[Verdict], outside: list[Verdict]) -> dict[str, Any]:
    return views_of_both(here, outside)[1]


def test_what_fails_for_both_views_has_the_cause_that_the_host_knows() -> None:
    """Stopped, a backend refuses the host; a firewall that drops what nobody listens to lets others wait."""
    unit = combine("mission-control-backend", [leaf("active", "unit_failed")])
    here = world(health=[leaf("/health", "refused")], service=[unit])
    outside = world(health=[leaf("/health", "connect_timeout")], cors=[leaf("http://a", "connect_timeout")])
    view = seen_by_both(here, outside)
    causes = {verdict["consequence_of"] for verdict in view["verdicts"]}
    assert causes == {"service.mission-control-backend.active"}
    assert view["root_causes"] == [] and view["state"] == "fail"
    assert view["summary"] == "health, cors: for the reason that the host itself shows"


def test_what_only_others_do_not_reach_is_between() -> None:
    here = world(health=[Verdict("/health")], cors=[leaf("http://a", "cors_origin_missing")])
    outside = world(health=[leaf("/health", "timeout")], cors=[leaf("http://a", "timeout")])
    view = seen_by_both(here, outside)
    health, cors = view["verdicts"]
    assert "between here and there" in health["cause"] and health["cause"] == health["checks"][0]["cause"]
    assert "firewall" in health["remedy"] and not health["consequence_of"]
    # Something else is wrong there on the host itself: nothing is known of the way.
    assert "between" not in cors["checks"][0]["cause"]


def test_what_the_door_does_not_reach_has_the_cause_that_the_host_knows() -> None:
    unit = combine("mission-control-backend", [leaf("active", "unit_stopped")])
    here = world(health=[leaf("/health", "refused")], service=[unit])
    outside = world(
        health=[leaf("/health", "door_backend_lost")],
        front_door=[leaf("routes", "door_backend_lost"), leaf("bodies", "door_body_refused")],
    )
    view = seen_by_both(here, outside)
    causes = {part["consequence_of"] for verdict in view["verdicts"] for part in verdict["checks"]}
    assert causes == {"service.mission-control-backend.active"} and view["root_causes"] == []


def test_what_the_door_asks_in_vain_is_one_cause_for_both() -> None:
    """The host asks for the API by its public address, too: nothing is a consequence of itself."""
    here = world(health=[Verdict("/health")], frontend=[Verdict("/"), leaf("api", "door_backend_lost")])
    lost = [leaf(name, "door_backend_lost") for name in ("/health", "api", "routes")]
    for part in (here[0].checks[0], *here[1].checks, *lost):
        part.cause = "The backend is stopped."
    outside = world(health=lost[:1], frontend=lost[1:2], front_door=lost[2:])
    host, controller = views_of_both(here, outside)
    assert [root["check"] for root in host["root_causes"]] == ["frontend.api"]
    assert controller["root_causes"] == []


def test_a_port_that_is_open_explains_what_is_reached_past_the_door() -> None:
    port = leaf("port 8000", "port_exposed")
    view = seen_by_both(world(host=[port]), world(front_door=[leaf("past the door", "door_bypassed")]))
    assert view["root_causes"] == []
    view = seen_by_both(
        world(host=[Verdict("port 8000")]), world(front_door=[leaf("past the door", "door_bypassed")])
    )
    assert [root["kind"] for root in view["root_causes"]] == ["door_bypassed"]


@pytest.mark.parametrize(("kind", "state"), [("tls_expired", "fail"), ("out_of_reach", "warn")])
def test_a_door_that_lets_nobody_in_explains_what_the_host_itself_meets_there(kind: str, state: str) -> None:
    here = world(frontend=[Verdict("/"), leaf("api", kind, state)])
    certificate = leaf("certificate", "door_certificate_expired")
    host, controller = views_of_both(here, world(front_door=[certificate]))
    assert host["root_causes"] == [] and [root["check"] for root in controller["root_causes"]] == [
        "front_door.certificate"
    ]
    assert host["verdicts"][0]["consequence_of"] == "front_door.certificate"


def test_a_door_that_hands_requests_to_somebody_else_comes_before_what_that_brings_about() -> None:
    door = [
        leaf("preflight", "not_found"),
        leaf("routes", "door_routes"),
        leaf("bodies", "door_body_refused"),
    ]
    found = world(health=[leaf("/health", "not_json")], front_door=door)
    assert roots(found) == ["front_door.routes"]


def test_one_view_is_left_as_it_is() -> None:
    told = report_of(
        world(health=[leaf("/health", "timeout")]),
        Redactor(),
        rows=ROWS,
        begun=0,
        duration_ms=1,
        view="controller",
        where="host1",
    )
    assert document("host1", [told])["views"][0]["verdicts"] == told["verdicts"]


def test_requests_that_fail_at_one_address_for_one_reason_have_one_root() -> None:
    """A backend on a busy host answers /healthz, and most of what needs more of it comes too late."""
    late = {**api_down("timeout"), "health": [Verdict("/healthz")]}
    assert roots(world(**late)) == ["configuration.headers"]
    elsewhere = leaf("/", "timeout")
    elsewhere.cause = "another port"
    late["frontend"][0] = elsewhere
    assert roots(world(**late)) == ["configuration.headers", "frontend./"]
    # Answers that say no each have a reason of their own.
    assert len(roots(world(membership=[leaf("role", "no_role")], sessions=leaf("", "no_role")))) == 2


def test_what_never_pauses_makes_everything_else_late() -> None:
    spinning = [combine(WORKER, [leaf("cpu", "spinning")])]
    late = {**api_down("timeout"), "frontend": [leaf("/", "slow")]}
    assert roots(world(**late, service=spinning)) == [f"service.{WORKER}.cpu"]
    # Nobody is late because of it with an answer that says no.
    assert roots(world(service=spinning, metrics=[leaf("24h", "server_error")])) == [
        f"service.{WORKER}.cpu",
        "metrics.24h",
    ]


def test_a_warning_is_no_reason_for_a_failure() -> None:
    verdicts = world(
        gateway=[leaf("board a", "gateway_main_session", "warn")], sessions=leaf("", "server_error")
    )
    assert roots(verdicts) == ["sessions", "gateway.board a"]


def test_nothing_wrong_nothing_to_explain() -> None:
    assert roots(world(health=[Verdict("/healthz")], cors=Verdict(""))) == []


def test_the_headline_names_causes_and_counts_consequences() -> None:
    verdicts = world(**api_down("server_error"), database=[leaf("login", "database_down")])
    find_causes(verdicts, ROWS)
    text = headline(verdicts)
    assert text.startswith("database: login: database_down at login (")
    assert "10 further checks fail in consequence" in text


# -- baseline -------------------------------------------------------------------------------------


def report(*verdicts: Verdict, started: str = "2026-11-24T13:00:00+00:00") -> dict[str, Any]:
    return {"verdicts": [verdict.to_dict() for verdict in verdicts], "started": started}


def timed(name: str, value: float) -> Verdict:
    return combine(name, [Verdict("/a", measures=[Measure("/a time", value, "ms")])])


@pytest.mark.parametrize(
    ("before", "after", "decision"),
    [
        ([Verdict("a")], [Verdict("a")], "PROCEED"),
        ([Verdict("a")], [leaf("a", "k")], "ROLLBACK"),
        ([leaf("a", "k")], [leaf("a", "k")], "PROCEED"),
        ([leaf("a", "k")], [Verdict("a")], "PROCEED"),
        ([Verdict("a")], [leaf("a", "k", "error")], "ROLLBACK"),
        ([Verdict("a")], [leaf("a", "k", "warn")], "REVIEW"),
        ([leaf("a", "k", "warn")], [leaf("a", "k", "warn")], "PROCEED"),
        ([Verdict("a")], [Verdict("a", "flaky")], "REVIEW"),
        ([Verdict("a", "skip")], [Verdict("a")], "PROCEED"),
        ([Verdict("a")], [Verdict("a", "skip")], "PROCEED"),
        ([Verdict("a"), Verdict("b")], [Verdict("a")], "REVIEW"),
        ([Verdict("a")], [Verdict("a"), leaf("b", "k")], "ROLLBACK"),
        ([Verdict("a")], [Verdict("a"), leaf("b", "k", "warn")], "REVIEW"),
        ([timed("h", 100)], [timed("h", 1000)], "REVIEW"),
        ([timed("h", 100)], [timed("h", 250)], "PROCEED"),
        ([timed("h", 1000)], [timed("h", 1500)], "PROCEED"),
    ],
)
def test_what_got_worse_decides(before: list[Verdict], after: list[Verdict], decision: str) -> None:
    found = compare(report(*before), report(*after))
    assert found["decision"] == decision, found
    assert found["reason"]


def test_a_comparison_shows_a_difference_and_refuses_what_is_no_report() -> None:
    found = compare(report(Verdict("a")), report(leaf("a", "k")))
    assert (found["diff"]["before"], found["diff"]["after"]) == ("a: pass\n", "a: fail\n")
    with pytest.raises(ValueError, match="not a report of verify"):
        compare({"x": 1}, report())
