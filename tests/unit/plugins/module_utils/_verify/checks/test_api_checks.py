"""The checks of the API over the recorded answers, branch by branch."""

from __future__ import annotations

import copy
import json
from datetime import date, timedelta
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.answer import Answer
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.failure import Failure
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.checks import (
    agents,
    api,
    cors,
    dialect,
    gateway,
    health,
    membership,
    metrics,
    preflight_request,
    session,
    sessions,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.context import Context, Problem
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from checks_support import FIXTURES, NOW, answer_of, load, make_context, options_of

ORIGIN = "http://72.62.201.147"
BOARD = "20813ec1-faa7-4945-8f4d-1ddf076e7bd2"
GROUP = "2db5c568-8e1f-4676-809e-4d45fd48d3d9"
KEY = "agent:mc-demo-1:main"
OPENAPI = {
    "request": {"method": "GET", "path": "/openapi.json"},
    "status": 200,
    "headers": {"content-type": "application/json"},
    "body": json.loads((FIXTURES / "openapi-upstream.json").read_text()),
}


def with_body(name: str, change: Any, status: int | None = None) -> dict[str, Any]:
    """A recorded answer with another body."""
    found = copy.deepcopy(load(name))
    found["body"] = change(found["body"]) if callable(change) else change
    if status is not None:
        found["status"] = status
    return found


def named(tree: Verdict, path: str) -> Verdict:
    return dict(tree.walk())[path]


def finish(context: Context, run: Any, name: str, **given: Any) -> Verdict:
    context.name = name
    return context.guard(name, lambda: run(context, options_of(name, **given)))


# -- health ---------------------------------------------------------------------------------------


def test_healthy() -> None:
    verdict = finish(
        make_context({"/health": "health", "/healthz": "healthz", "/readyz": "readyz"}), health.run, "health"
    )
    assert verdict.state == "pass" and len(verdict.checks) == 3
    assert {measure.label for measure in verdict.checks[0].measures} >= {"/health time", "/health first_byte"}


@pytest.mark.parametrize(
    ("warn", "crit", "state"), [("1", "1000", "warn"), ("1", "2", "fail"), ("", "", "pass")]
)
def test_slow(warn: str, crit: str, state: str) -> None:
    context = make_context({"/healthz": "healthz"})
    verdict = finish(
        context, health.run, "health", paths=["/healthz"], latency_warning=warn, latency_critical=crit
    )
    assert verdict.state == state
    assert verdict.kind == ("" if state == "pass" else "slow")


def after(milliseconds: float) -> Answer:
    answer = answer_of(load("healthz"))
    answer.timings["total"] = milliseconds
    return answer


@pytest.mark.parametrize(
    ("percent", "elapsed", "state"),
    [(50, 30, "pass"), (80, 40, "pass"), (95, 900, "warn"), (100, 900, "warn")],
)
def test_a_percentile_of_several_samples(percent: float, elapsed: float, state: str) -> None:
    answers = [after(milliseconds) for milliseconds in (10, 900, 30, 20, 40)]
    options = options_of("health", percentile=percent, latency_warning="100", latency_critical="1000")
    verdict = health.judge_endpoint(make_context(), "/healthz", answers, options)
    assert verdict.state == state
    measured = {measure.label: measure.value for measure in verdict.measures}
    assert measured["/healthz time"] == elapsed
    assert (measured["/healthz median"], measured["/healthz slowest"]) == (30, 900)


def test_every_sample_is_asked_for() -> None:
    asked = []

    def answer(query: Any, _options: Any) -> str:
        asked.append(query)
        return "healthz"

    context = make_context({"/healthz": answer})
    assert finish(context, health.run, "health", paths=["/healthz"], samples=7).state == "pass"
    assert len(asked) == 7


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"samples": 1001}, {"percentile": 0}, {"percentile": 101}])
def test_samples_that_make_no_sense(wrong: dict[str, Any]) -> None:
    verdict = finish(make_context(), health.run, "health", **wrong)
    assert (verdict.state, verdict.kind) == ("error", "bad_option")
    assert next(iter(wrong)) in verdict.summary


def test_a_health_endpoint_that_says_no() -> None:
    context = make_context({"/readyz": with_body("readyz", {"ok": False})})
    verdict = finish(context, health.run, "health", paths=["/readyz"])
    assert (verdict.state, verdict.kind) == ("fail", "not_ok")


# -- cors -----------------------------------------------------------------------------------------


def preflight(**headers: str | None) -> Answer:
    answer = answer_of(load("cors-allowed"))
    for name, value in headers.items():
        key = name.replace("_", "-")
        if value is None:
            answer.headers.pop(key, None)
        else:
            answer.headers[key] = value
    return answer


@pytest.mark.parametrize(
    ("answer", "state", "kind"),
    [
        (preflight(), "pass", ""),
        (answer_of(load("cors-denied")), "fail", "cors_origin_missing"),
        (preflight(access_control_allow_origin="*"), "fail", "cors_wildcard"),
        (preflight(access_control_allow_origin=f"{ORIGIN}, {ORIGIN}"), "fail", "cors_doubled"),
        (preflight(access_control_allow_methods="POST"), "fail", "cors_incomplete"),
        (preflight(access_control_allow_headers=None), "fail", "cors_incomplete"),
        (preflight(access_control_allow_credentials=None), "fail", "cors_incomplete"),
        (preflight(vary=None), "warn", "cors_vary_missing"),
        (preflight(vary="Accept-Encoding, origin"), "pass", ""),
    ],
)
def test_preflight_of_an_allowed_origin(answer: Answer, state: str, kind: str) -> None:
    verdict = preflight_request.judge_preflight(make_context(), ORIGIN, answer, "GET", ["authorization"])
    assert (verdict.state, verdict.kind) == (state, kind)
    assert bool(verdict.cause and verdict.remedy) == (state != "pass")


def test_a_preflight_that_is_refused_although_the_origin_is_allowed() -> None:
    answer = preflight()
    answer.status = 405
    assert (
        preflight_request.judge_preflight(make_context(), ORIGIN, answer, "GET", []).kind
        == "cors_preflight_refused"
    )


@pytest.mark.parametrize("status", [401, 404, 503])
def test_a_preflight_that_something_else_answers(status: int) -> None:
    answer = preflight()
    answer.status = status
    with pytest.raises(Problem):
        preflight_request.judge_preflight(make_context(), ORIGIN, answer, "GET", [])


def cors_table(foreign: str = "cors-denied") -> dict[str, Any]:
    def options(_query: Any, asked: Any) -> Any:
        return "cors-allowed" if asked["headers"]["Origin"] == ORIGIN else foreign

    def get(_query: Any, asked: Any) -> Any:
        return "cors-simple-get-allowed" if asked["headers"]["Origin"] == ORIGIN else "cors-simple-get-denied"

    return {"/api/v1/organizations/me/member": options, "/healthz": get}


def test_cors_as_recorded() -> None:
    verdict = finish(make_context(cors_table(), public_url=f"{ORIGIN}/boards"), cors.run, "cors")
    assert verdict.state == "pass"
    assert [part.name for part in verdict.checks] == [ORIGIN, "foreign https://foreign-origin.invalid"]


def test_the_origin_of_the_user_interface_is_missing() -> None:
    context = make_context(cors_table(), public_url="https://mc.example.com")
    verdict = finish(context, cors.run, "cors")
    assert (verdict.state, verdict.kind) == ("fail", "cors_origin_missing")
    assert "https://mc.example.com" in verdict.cause and "mission_control_cors_origins" in verdict.remedy


def test_a_foreign_origin_that_is_let_in() -> None:
    answer = with_body("cors-allowed", "OK")
    answer["headers"]["access-control-allow-origin"] = "https://foreign-origin.invalid"
    context = make_context(cors_table(answer))  # type: ignore[arg-type]
    verdict = finish(context, cors.run, "cors", origins=[ORIGIN])
    assert (verdict.state, verdict.kind) == ("fail", "cors_foreign_allowed")


def test_cors_without_any_origin_to_expect_says_so() -> None:
    verdict = finish(make_context(cors_table()), cors.run, "cors")
    assert verdict.state == "pass" and verdict.checks[-1].state == "skip"


def test_a_plain_get_that_allows_nobody_or_everybody() -> None:
    context = make_context()
    denied = answer_of(load("cors-simple-get-denied"))
    assert cors.judge_simple(context, ORIGIN, denied).kind == "cors_origin_missing"
    wild = answer_of(load("cors-simple-get-allowed"))
    wild.headers["access-control-allow-origin"] = "*"
    assert cors.judge_simple(context, ORIGIN, wild).kind == "cors_wildcard"


# -- membership -----------------------------------------------------------------------------------


def member_table(**more: Any) -> dict[str, Any]:
    def member(_query: Any, asked: Any) -> Any:
        token = asked.get("token")
        if token is None:
            return more.get("right", "member-owner")
        return more.get("wrong", "member-wrong-token") if token else more.get("none", "member-no-token")

    return {membership.PATH: member}


def test_membership_as_recorded() -> None:
    verdict = finish(make_context(member_table()), membership.run, "membership")
    assert verdict.state == "pass"
    assert named(verdict, "membership.role").evidence["role"] == "owner"


@pytest.mark.parametrize(("role", "state"), [("owner", "pass"), ("admin", "fail"), ("any", "pass")])
def test_the_expected_role(role: str, state: str) -> None:
    verdict = finish(make_context(member_table()), membership.run, "membership", role=role)
    assert verdict.state == state
    assert verdict.kind == ("wrong_role" if state == "fail" else "")


def test_a_refused_token() -> None:
    verdict = finish(make_context(member_table(right="member-wrong-token")), membership.run, "membership")
    assert (verdict.state, verdict.kind) == ("fail", "unauthorized")
    assert "mission_control_token" in verdict.remedy


@pytest.mark.parametrize("which", ["wrong", "none"])
def test_an_open_door(which: str) -> None:
    verdict = finish(make_context(member_table(**{which: "member-owner"})), membership.run, "membership")
    assert (verdict.state, verdict.kind) == ("fail", "open_api")


def test_a_refusal_that_is_no_401() -> None:
    table = member_table(wrong=with_body("member-wrong-token", {"detail": "no"}, 403))
    verdict = finish(make_context(table), membership.run, "membership")
    assert (verdict.state, verdict.kind) == ("fail", "unexpected_status")


def test_no_role_and_no_token() -> None:
    verdict = finish(
        make_context(member_table(right=with_body("member-owner", {}))), membership.run, "membership"
    )
    assert verdict.kind == "unexpected_shape"
    context = make_context(member_table())
    context.client._token = ""
    assert named(finish(context, membership.run, "membership"), "membership.role").kind == "no_token"


# -- dialect, boards, pages -----------------------------------------------------------------------


def test_the_dialect_of_upstream(upstream_paths: dict[str, Any]) -> None:
    assert dialect.read_dialect(upstream_paths) == dialect.Dialect("/api/v1/gateways", "range_key")


def test_the_dialect_of_the_guide(upstream_paths: dict[str, Any]) -> None:
    paths = {path.replace("/gateways/", "/gateway/"): item for path, item in upstream_paths.items()}
    paths = json.loads(json.dumps(paths).replace("range_key", "range"))
    found = dialect.read_dialect(paths)
    assert found == dialect.Dialect("/api/v1/gateway", "range") and found.singular


def test_a_backend_without_openapi_is_taken_for_upstream() -> None:
    found = dialect.dialect(make_context({}))
    assert found.assumed and found.prefix == "/api/v1/gateways" and found.range_parameter == "range_key"


def test_variables_override_what_openapi_says() -> None:
    context = make_context({"/openapi.json": OPENAPI}, dialect="gateway", range_parameter="range")
    assert dialect.dialect(context) == dialect.Dialect("/api/v1/gateway", "range")
    assert context.client.asked == []  # type: ignore[attr-defined]


def paged(total: int) -> Any:
    template = load("agents")["body"]["items"][0]

    def answer(query: Any, _asked: Any) -> Any:
        limit, offset = min(int(query["limit"]), 200), int(query["offset"])
        items = [{**template, "id": str(number), "name": f"a{number}"} for number in range(total)][
            offset : offset + limit
        ]
        return with_body("agents", {"items": items, "total": total, "limit": limit, "offset": offset})

    return answer


@pytest.mark.parametrize("total", [0, 1, 200, 201, 1050])
def test_all_pages_are_read(total: int) -> None:
    context = make_context({"/api/v1/agents": paged(total)})
    found = api.pages(context, "/api/v1/agents")
    assert [agent["name"] for agent in found] == [f"a{number}" for number in range(total)]
    assert len(context.client.asked) == max(1, -(-total // 200))  # type: ignore[attr-defined]


def test_an_absurd_total_and_a_page_without_items() -> None:
    context = make_context({"/api/v1/agents": with_body("agents", lambda body: {**body, "total": 10**12})})
    with pytest.raises(Problem, match="items"):
        api.pages(context, "/api/v1/agents")
    context = make_context({"/api/v1/agents": with_body("agents", {"x": 1})})
    with pytest.raises(Problem, match="without a list"):
        api.pages(context, "/api/v1/agents")


# -- agents ---------------------------------------------------------------------------------------


def agent(**values: Any) -> dict[str, Any]:
    return {**load("agents")["body"]["items"][0], **values}


def agents_table(*items: dict[str, Any]) -> dict[str, Any]:
    return {
        "/api/v1/agents": with_body(
            "agents", {"items": list(items), "total": len(items), "limit": 200, "offset": 0}
        )
    }


SEEN = {"status": "online", "last_seen_at": "2026-11-24T13:15:00", "name": "Writer"}


def test_a_provisioning_agent_as_recorded_is_stuck_after_a_while() -> None:
    # Recorded at 12:58; the context's clock says 13:20.
    verdict = finish(make_context({"/api/v1/agents": "agents"}), agents.run, "agents")
    assert (verdict.state, verdict.kind) == ("warn", "agents_stuck")
    assert named(verdict, "agents.status").summary == "1 agents: 1 provisioning"
    young = finish(
        make_context({"/api/v1/agents": "agents"}), agents.run, "agents", provisioning_warning="3600"
    )
    assert young.state == "pass" and "1 agents" in young.summary


@pytest.mark.parametrize(
    ("items", "given", "state", "kind"),
    [
        ([agent(**SEEN)], {}, "pass", ""),
        ([agent(**{**SEEN, "last_seen_at": "2026-11-24T10:00:00"})], {}, "warn", "agents_stale"),
        (
            [agent(**{**SEEN, "last_seen_at": "2026-11-24T10:00:00"})],
            {"stale_critical": "7200"},
            "fail",
            "agents_stale",
        ),
        ([agent(**{**SEEN, "last_seen_at": None})], {}, "pass", ""),
        ([agent(**SEEN)], {"expected": ["Writer"]}, "pass", ""),
        ([agent(**SEEN)], {"expected": ["Writer", "Reader"]}, "fail", "agents_missing"),
        ([], {"count_critical": "1:"}, "fail", "agents_count"),
        ([agent(**{**SEEN, "status": "offline"})], {"offline_warning": "0"}, "warn", "agents_offline"),
        ([agent(**{**SEEN, "status": "offline"})], {}, "pass", ""),
        ([{"name": "x"}], {}, "fail", "unexpected_shape"),
    ],
)
def test_agents(items: list[Any], given: dict[str, Any], state: str, kind: str) -> None:
    verdict = finish(make_context(agents_table(*items)), agents.run, "agents", **given)
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary


# -- gateway --------------------------------------------------------------------------------------


def gateway_table(status: Any = "gateway-status-by-board", **more: Any) -> dict[str, Any]:
    return {
        "/openapi.json": OPENAPI,
        "/api/v1/boards": "boards-list",
        "/api/v1/agents": "agents",
        "/api/v1/gateways/status": status,
        "/api/v1/gateways/sessions": "sessions",
        **more,
    }


def test_a_connected_gateway() -> None:
    context = make_context(gateway_table())
    verdict = finish(context, gateway.run, "gateway")
    assert verdict.state == "pass" and verdict.checks[0].name == "board demo"
    assert "connected, 2 sessions" in verdict.summary
    assert f"board_id', '{BOARD}'" in context.client.asked[-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("recording", "kind"),
    [
        ("gateway-status-unreachable", "gateway_down"),
        ("gateway-status-pairing-required", "gateway_pairing"),
        ("gateway-status-protocol-mismatch", "gateway_protocol"),
        ("gateway-status-starting", "gateway_starting"),
        ("gateway-status-wrong-token", "gateway_token"),
    ],
)
def test_why_a_gateway_is_not_connected(recording: str, kind: str) -> None:
    verdict = finish(make_context(gateway_table(recording)), gateway.run, "gateway")
    assert (verdict.state, verdict.kind) == ("fail", kind)
    assert verdict.cause and verdict.remedy
    assert named(verdict, "gateway.board demo").evidence["error"] == load(recording)["body"]["error"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("[Errno -2] Name or service not known", "gateway_dns"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version (_ssl.c:1012)", "gateway_tls"),
        ("timed out during opening handshake", "gateway_timeout"),
        ("[Errno 113] No route to host", "gateway_unreachable"),
        ("server rejected WebSocket connection: HTTP 502", "gateway_handshake"),
        ("received 1012 (service restart)", "gateway_starting"),
        ("something new", "gateway_failed"),
    ],
)
def test_other_reasons(error: str, kind: str) -> None:
    assert gateway.classify(error)[0] == kind


@pytest.mark.parametrize(
    ("reason", "cause", "remedy"),
    [
        ("unable to get local issuer certificate", "does not trust", "mission_control_gateway_ca_path"),
        ("self-signed certificate in certificate chain", "does not trust", "mission_control_gateway_ca_path"),
        ("certificate has expired", "expired", "deploy again"),
        ("IP address mismatch, certificate is not valid for '10.0.0.2'", "another name", "gateway_url"),
        ("Missing Authority Key Identifier", "the error names", "openssl s_client"),
    ],
)
def test_why_a_certificate_is_refused(reason: str, cause: str, remedy: str) -> None:
    error = f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {reason} (_ssl.c:1006)"
    kind, told, advice, _cure = gateway.classify(error)
    assert kind == "gateway_tls" and cause in told and remedy in advice


def test_tls_that_is_not_there() -> None:
    kind, cause, remedy, _cure = gateway.classify(
        "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1032)"
    )
    assert kind == "gateway_tls" and "speaks no TLS" in cause and "ws://" in remedy


@pytest.mark.parametrize(
    ("change", "given", "state", "kind"),
    [
        ({}, {"sessions_critical": "3:"}, "fail", "session_count"),
        ({"sessions_count": 5}, {}, "warn", "session_count"),
        ({"main_session_error": "boom"}, {}, "warn", "gateway_main_session"),
        ({"main_session": None}, {}, "warn", "gateway_main_session"),
        ({"connected": "yes"}, {}, "fail", "unexpected_shape"),
        ({"connected": False, "error": None}, {}, "fail", "gateway_failed"),
    ],
)
def test_what_is_inside_of_the_200(
    change: dict[str, Any], given: dict[str, Any], state: str, kind: str
) -> None:
    table = gateway_table(with_body("gateway-status-by-board", lambda body: {**body, **change}))
    verdict = finish(make_context(table), gateway.run, "gateway", **given)
    assert (verdict.state, verdict.kind) == (state, kind)


def test_no_board_with_a_gateway() -> None:
    table = gateway_table(**{"/api/v1/boards": with_body("boards-list", {"items": [], "total": 0})})
    assert finish(make_context(table), gateway.run, "gateway").state == "skip"
    verdict = finish(make_context(table), gateway.run, "gateway", required=True)
    assert (verdict.state, verdict.kind) == ("fail", "no_gateway")
    assert finish(make_context(table), sessions.run, "sessions").state == "skip"
    assert finish(make_context(table), session.run, "session").state == "skip"


def test_a_gateway_named_by_its_address_and_its_token_stays_hidden() -> None:
    context = make_context(gateway_table("gateway-status-wrong-token"))
    verdict = finish(
        context, gateway.run, "gateway", gateway_url="ws://h:1", gateway_token="gateway-token-xyz"
    )
    assert verdict.kind == "gateway_token"
    assert context.redactor.text("gateway-token-xyz") == "********"
    assert "('gateway_disable_device_pairing', 'false')" in context.client.asked[-1]  # type: ignore[attr-defined]


def test_boards_that_share_a_gateway_share_one_question() -> None:
    def three(body: dict[str, Any]) -> dict[str, Any]:
        first = body["items"][0]
        second = {**first, "id": "second", "name": "second", "slug": "second"}
        other = {**first, "id": "other", "name": "other", "slug": "other", "gateway_id": "another"}
        return {**body, "items": [first, second, other], "total": 3}

    context = make_context(gateway_table(**{"/api/v1/boards": with_body("boards-list", three)}))
    verdict = finish(context, gateway.run, "gateway")
    assert [part.name for part in verdict.checks] == ["board demo", "board second", "board other"]
    assert {part.state for part in verdict.checks} == {"pass"}
    assert finish(Context(context.shared), sessions.run, "sessions").name == "sessions"
    asked = context.client.asked  # type: ignore[attr-defined]
    for path in ("/status", "/sessions"):
        assert len([line for line in asked if line.startswith(f"GET /api/v1/gateways{path}")]) == 2, asked


def test_the_guides_paths_know_one_gateway() -> None:
    table = {"/api/v1/gateway/status": "gateway-status-by-board", "/api/v1/gateway/sessions": "sessions",
             "/api/v1/agents": "agents"}  # fmt: skip
    context = make_context(table, dialect="gateway", range_parameter="range")
    assert finish(context, gateway.run, "gateway").state == "pass"
    verdict = finish(Context(context.shared), sessions.run, "sessions")
    assert verdict.state == "pass" and named(verdict, "sessions.gateway.count").evidence["sessions"]


# -- sessions -------------------------------------------------------------------------------------


def test_sessions_as_recorded() -> None:
    verdict = finish(make_context(gateway_table()), sessions.run, "sessions")
    assert verdict.state == "pass"
    rows = named(verdict, "sessions.board demo.count").evidence["sessions"]
    assert [(row["label"], row["main"]) for row in rows] == [("Gateway Agent", True), ("Demo agent", False)]
    assert rows[0]["agent"] == "lab Gateway Agent" or rows[0]["agent"] == ""


@pytest.mark.parametrize(
    ("given", "state", "kind"),
    [
        ({"count_critical": "3:"}, "fail", "session_count"),
        ({"idle_warning": "600"}, "warn", "session_idle"),
        ({"idle_critical": "600"}, "fail", "session_idle"),
        ({"idle_warning": "86400"}, "pass", ""),
        ({"sessions_without_agent": "warn"}, "warn", "session_agents"),
        ({"expected": [KEY]}, "pass", ""),
        ({"expected": ["Demo agent", "nope"]}, "fail", "session_missing"),
    ],
)
def test_sessions(given: dict[str, Any], state: str, kind: str) -> None:
    verdict = finish(make_context(gateway_table()), sessions.run, "sessions", **given)
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary


def test_the_main_session_is_left_out_of_idle_limits() -> None:
    def only_main(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "sessions": [{**body["sessions"][0], "updatedAt": 1}]}

    table = gateway_table(**{"/api/v1/gateways/sessions": with_body("sessions", only_main)})
    verdict = finish(make_context(table), sessions.run, "sessions", idle_critical="60")
    assert verdict.state == "pass"


def test_an_online_agent_without_a_session_and_sessions_without_keys() -> None:
    lost = agent(status="online", name="Lost", board_id=BOARD, openclaw_session_id="agent:gone:main")
    table = gateway_table(**agents_table(lost))
    verdict = finish(make_context(table), sessions.run, "sessions")
    assert (verdict.state, verdict.kind) == ("warn", "session_agents") and "Lost" in verdict.summary

    def double(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "sessions": [body["sessions"][0], body["sessions"][0]]}

    table = gateway_table(**{"/api/v1/gateways/sessions": with_body("sessions", double)})
    assert finish(make_context(table), sessions.run, "sessions").kind == "session_keys"
    table = gateway_table(**{"/api/v1/gateways/sessions": with_body("sessions", {"a": 1})})
    assert finish(make_context(table), sessions.run, "sessions").kind == "unexpected_shape"


# -- session --------------------------------------------------------------------------------------

DETAIL = "/api/v1/gateways/sessions/agent%3Amc-demo-1%3Amain"


def session_table(detail: Any = "session-detail", history: Any = "session-history") -> dict[str, Any]:
    return gateway_table(**{DETAIL: detail, f"{DETAIL}/history": history})


def test_the_newest_session_is_looked_at() -> None:
    context = make_context(session_table())
    verdict = finish(context, session.run, "session")
    assert verdict.state == "pass" and verdict.checks[0].name == KEY
    assert "1 messages" in verdict.summary


def test_an_unknown_session_is_a_failure_although_its_history_answers() -> None:
    table = gateway_table(
        **{
            "/api/v1/gateways/sessions/nope": "session-detail-unknown",
            "/api/v1/gateways/sessions/nope/history": "session-history-unknown",
        }
    )
    context = make_context(table)
    verdict = finish(context, session.run, "session", session_ids=["nope"])
    assert (verdict.state, verdict.kind) == ("fail", "session_unknown")
    assert not any("history" in asked for asked in context.client.asked)  # type: ignore[attr-defined]


def test_a_session_is_found_on_whichever_board_knows_it() -> None:
    boards = with_body(
        "boards-list",
        lambda body: {
            "items": [body["items"][0], {**body["items"][0], "id": "other", "slug": "other"}],
            "total": 2,
        },
    )

    def detail(query: Any, _asked: Any) -> Any:
        return "session-detail" if query["board_id"] == "other" else "session-detail-unknown"

    table = session_table(detail) | {"/api/v1/boards": boards}
    verdict = finish(make_context(table), session.run, "session", session_ids=[KEY])
    assert verdict.state == "pass" and [part.name for part in verdict.checks] == [KEY]


@pytest.mark.parametrize(
    ("change", "given", "state", "kind"),
    [
        (lambda items: [], {"messages_minimum": 1}, "fail", "session_empty"),
        (lambda items: [], {}, "pass", ""),
        (lambda items: [items[0], {**items[0], "timestamp": 5}], {}, "fail", "session_order"),
        (
            lambda items: [{**items[0], "stopReason": "error", "errorMessage": "no model"}],
            {},
            "fail",
            "session_error",
        ),
        (lambda items: items, {"message_age_warning": "60"}, "warn", "session_silent"),
        (lambda items: items, {"message_age_critical": "60"}, "fail", "session_silent"),
        (lambda items: {"a": 1}, {}, "fail", "unexpected_shape"),
    ],
)
def test_history(change: Any, given: dict[str, Any], state: str, kind: str) -> None:
    history = with_body("session-history", lambda body: {"history": change(body["history"])})
    verdict = finish(make_context(session_table(history=history)), session.run, "session", **given)
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary


def test_another_session_than_the_one_asked_for() -> None:
    other = with_body("session-detail", lambda body: {"session": {**body["session"], "key": "agent:x:main"}})
    assert finish(make_context(session_table(other)), session.run, "session").kind == "session_other"


# -- metrics --------------------------------------------------------------------------------------


def metrics_table(**replace: Any) -> dict[str, Any]:
    def answer(query: Any, _asked: Any) -> Any:
        if "group_id" in query:
            return replace.get(
                "group", "metrics-group" if query["group_id"] == GROUP else "metrics-unknown-group"
            )
        if "board_id" in query:
            return replace.get("board", "metrics-board")
        if "range_key" not in query:
            return "metrics-ignored-range-parameter"
        return replace.get(query["range_key"], f"metrics-{query['range_key']}")

    groups = with_body("boards-list", {"items": [{"id": GROUP}], "total": 1})
    return {"/openapi.json": OPENAPI, "/api/v1/metrics/dashboard": answer, "/api/v1/board-groups": groups}


def test_all_eight_ranges_as_recorded() -> None:
    verdict = finish(make_context(metrics_table()), metrics.run, "metrics")
    assert verdict.state == "pass", verdict.summary
    assert [part.name for part in verdict.checks] == ["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]
    wip = verdict.checks[0].evidence["series"]["wip"]["primary"]
    assert len(wip["inbox"]) == 25 and wip["done"][-1] == 3


def test_a_backend_that_ignores_the_parameter_is_found_out() -> None:
    context = make_context(metrics_table(), range_parameter="range")
    verdict = finish(context, metrics.run, "metrics", ranges=["7d"])
    assert (verdict.state, verdict.kind) == ("fail", "metrics_range")
    assert "asked for 7d, answered was 24h" in verdict.summary


def test_filters_by_board_and_group() -> None:
    context = make_context(metrics_table())
    verdict = finish(context, metrics.run, "metrics", ranges=["7d"], board_ids=[BOARD], group_ids=[GROUP])
    assert verdict.state == "pass" and len(verdict.checks) == 3


def test_an_unknown_group_is_not_believed_its_zeros() -> None:
    verdict = finish(make_context(metrics_table()), metrics.run, "metrics", ranges=["7d"], group_ids=["nope"])
    assert (verdict.state, verdict.kind) == ("fail", "metrics_unknown")


def test_an_unknown_board_and_a_bad_range() -> None:
    verdict = finish(
        make_context(metrics_table(board="metrics-unknown-board")),
        metrics.run,
        "metrics",
        ranges=["7d"],
        board_ids=["x"],
    )
    assert (verdict.state, verdict.kind) == ("fail", "forbidden")
    table = metrics_table(**{"7d": "metrics-unknown-range"})
    assert finish(make_context(table), metrics.run, "metrics", ranges=["7d"]).kind == "unexpected_status"


@pytest.mark.parametrize(
    ("given", "state", "kind"),
    [
        ({"kpi_warning": {"error_rate_pct": "5"}}, "warn", "kpi_threshold"),
        (
            {"kpi_warning": {"error_rate_pct": "5"}, "kpi_critical": {"error_rate_pct": "6"}},
            "fail",
            "kpi_threshold",
        ),
        ({"kpi_critical": {"active_agents": "1:"}}, "pass", ""),
        ({"kpi_critical": {"median_cycle_time_hours_7d": "3.5"}}, "fail", "kpi_threshold"),
        ({"change_warning": {"throughput": "-50:50"}}, "warn", "kpi_change"),
        ({"change_warning": {"throughput": "-50:400"}}, "pass", ""),
        ({"kpi_warning": {"eror_rate": "5"}}, "error", "bad_option"),
        ({"kpi_warning": {"error_rate_pct": "x"}}, "error", "bad_option"),
        ({"change_critical": {"wip": "5"}}, "error", "bad_option"),
    ],
)
def test_thresholds(given: dict[str, Any], state: str, kind: str) -> None:
    verdict = finish(make_context(metrics_table()), metrics.run, "metrics", ranges=["24h"], **given)
    assert (verdict.state, verdict.kind) == (state, kind), verdict.summary


def test_change_against_the_comparison_series() -> None:
    def doubled(body: dict[str, Any]) -> dict[str, Any]:
        found = copy.deepcopy(body)
        for point in found["throughput"]["comparison"]["points"]:
            point["value"] = 10.0
        return found

    table = metrics_table(**{"24h": with_body("metrics-24h", doubled)})
    verdict = finish(
        make_context(table), metrics.run, "metrics", ranges=["24h"], change_critical={"throughput": "-50:"}
    )
    assert (verdict.state, verdict.kind) == ("fail", "kpi_change")
    assert metrics.change_pct(10, 5) == -50 and metrics.change_pct(0, 5) is None


def test_a_comparison_of_zeros_is_skipped() -> None:
    def zero(body: dict[str, Any]) -> dict[str, Any]:
        found = copy.deepcopy(body)
        for point in found["throughput"]["comparison"]["points"]:
            point["value"] = 0.0
        return found

    table = metrics_table(**{"24h": with_body("metrics-24h", zero)})
    verdict = finish(
        make_context(table), metrics.run, "metrics", ranges=["24h"], change_critical={"throughput": "5"}
    )
    assert verdict.state == "skip" or verdict.checks[0].checks[0].state == "skip"


@pytest.mark.parametrize(
    ("range_name", "length", "month"), [("3m", 90, False), ("6m", 180, False), ("1y", 365, True)]
)
def test_calendar_buckets_vary_by_a_point(range_name: str, length: int, month: bool) -> None:
    """Weeks and months that a range touches, on every day of ten years: no more and no fewer are expected."""
    found = set()
    for number in range(3653):
        end = date(2024, 1, 1) + timedelta(number)
        days = [end - timedelta(back) for back in range(length + 1)]
        found.add(len({(day.year, day.month) if month else day.isocalendar()[:2] for day in days}))
    _, fewest, most = metrics.SHAPES[range_name]
    assert found == {fewest, most}


def test_a_comparison_of_a_week_less() -> None:
    def shortened(body: dict[str, Any]) -> dict[str, Any]:
        found = copy.deepcopy(body)
        for name in metrics.SERIES:
            del found[name]["comparison"]["points"][0]
        return found

    table = metrics_table(**{"6m": with_body("metrics-6m", shortened)})
    assert finish(make_context(table), metrics.run, "metrics", ranges=["6m"]).state == "pass"


def damage(path: str, value: Any) -> Any:
    def change(body: dict[str, Any]) -> dict[str, Any]:
        found = copy.deepcopy(body)
        place: Any = found
        *way, last = path.split(".")
        for key in way:
            place = place[int(key)] if key.isdigit() else place[key]
        if value is KeyError:
            del place[last]
        else:
            place[last] = value
        return found

    return change


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("kpis", None, "no kpis"),
        ("kpis.active_agents", "1", "active_agents"),
        ("kpis.median_cycle_time_hours_7d", KeyError, "median"),
        ("throughput", KeyError, "throughput is missing"),
        ("wip.primary", None, "wip.primary has no points"),
        ("error_rate.comparison.range", "7d", "error_rate.comparison is for 7d"),
        ("cycle_time.primary.bucket", "day", "buckets of a day"),
        ("throughput.primary.points", [], "0 points, expected were 25"),
        ("wip.primary.points.3.review", None, "without numbers"),
        ("throughput.primary.points.3.period", "soon", "without a time"),
        ("throughput.primary.points.3.period", "2020-01-01T00:00:00", "not in order"),
    ],
)
def test_damaged_metrics(path: str, value: Any, says: str) -> None:
    table = metrics_table(**{"24h": with_body("metrics-24h", damage(path, value))})
    verdict = finish(make_context(table), metrics.run, "metrics", ranges=["24h"])
    assert (verdict.state, verdict.kind) == ("fail", "metrics_shape")
    assert says in verdict.summary


def test_a_median_may_be_null() -> None:
    table = metrics_table(
        **{"24h": with_body("metrics-24h", damage("kpis.median_cycle_time_hours_7d", None))}
    )
    assert finish(make_context(table), metrics.run, "metrics", ranges=["24h"]).state == "pass"


# -- what all of them have in common --------------------------------------------------------------


@pytest.mark.parametrize("check", ["agents", "gateway", "sessions", "session", "metrics"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("member-wrong-token", "unauthorized"),
        (with_body("agents", {"detail": "x"}, 500), "server_error"),
        (Answer("GET", "http://127.0.0.1:8000/", failure=Failure("refused", "refused")), "refused"),
    ],
)
def test_an_api_that_does_not_answer(check: str, answer: Any, kind: str) -> None:
    modules = {
        "agents": agents,
        "gateway": gateway,
        "sessions": sessions,
        "session": session,
        "metrics": metrics,
    }
    paths = ("/api/v1/boards", "/api/v1/agents", "/api/v1/metrics/dashboard", "/openapi.json")
    table = {path: answer for path in paths if path != "/openapi.json"} | {"/openapi.json": OPENAPI}
    verdict = finish(make_context(table), modules[check].run, check)
    assert (verdict.state, verdict.kind) == ("fail", kind)
    assert verdict.cause and verdict.remedy


def test_now_is_the_recordings_afternoon() -> None:
    assert NOW - load("sessions")["body"]["sessions"][1]["updatedAt"] / 1000 > 600
