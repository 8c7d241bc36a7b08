"""Every recorded answer of the product has its counterpart here: status, headers, shape, schema, words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from conftest import NewApplication
from jsonschema import Draft202012Validator
from simulated_gateway import TOKEN as GATEWAY_TOKEN
from simulated_gateway import SimulatedGateway
from support import AUTHORIZED, FIXTURES, Application, Backend, free_port

RECORDED = {
    path.stem: json.loads(path.read_text()) for path in sorted((FIXTURES / "responses").glob("*.json"))
}
UPSTREAM = json.loads((FIXTURES / "openapi-upstream.json").read_text())
RECORDED_BOARD = "20813ec1-faa7-4945-8f4d-1ddf076e7bd2"
RECORDED_GROUP = "2db5c568-8e1f-4676-809e-4d45fd48d3d9"
VOLATILE = {"date", "content-length", "x-request-id", "connection"}
GUIDE_PATHS = {
    "/health": "health",
    "/healthz": "healthz",
    "/readyz": "readyz",
    "/api/v1/organizations/me/member": "member-owner",
    "/api/v1/agents": "agents",
    "/api/v1/boards": "boards-list",
    "/api/v1/gateways": "gateways-list",
    "/api/v1/gateways/status": "gateway-status-by-board",
    "/api/v1/gateways/sessions": "sessions",
    "/api/v1/gateways/sessions/{session_id}": "session-detail",
    "/api/v1/gateways/sessions/{session_id}/history": "session-history",
    "/api/v1/metrics/dashboard": "metrics-24h",
}


@dataclass
class Contract:
    application: Application
    backend: Backend
    gateway: SimulatedGateway
    newer: SimulatedGateway
    starting: SimulatedGateway
    board: str
    group: str

    def path(self, name: str) -> str:
        """The recorded path, with our board, group and gateways in it."""
        path: str = RECORDED[name]["request"]["path"]
        path = path.replace(RECORDED_BOARD, self.board).replace(RECORDED_GROUP, self.group)
        path = path.replace("EXAMPLE-GATEWAY-TOKEN", GATEWAY_TOKEN)
        special = {
            "gateway-status-protocol-mismatch": self.newer.url,
            "gateway-status-starting": self.starting.url,
            "gateway-status-unreachable": f"ws://127.0.0.1:{free_port()}",
        }
        url = special.get(name, self.gateway.url)
        quoted = str(httpx.QueryParams({"gateway_url": url}))
        return re.sub(r"gateway_url=[^&]*", quoted, path)

    def ask(self, name: str) -> httpx.Response:
        recorded = RECORDED[name]["request"]
        headers = dict(recorded["headers"])
        if "Authorization" in headers:
            token = {"Authorization": "Bearer wrong"} if name == "member-wrong-token" else AUTHORIZED
            headers |= token
        return self.backend.client.request(recorded["method"], self.path(name), headers=headers)


@pytest.fixture(scope="module")
def contract(new_application: NewApplication, simulated_gateway: SimulatedGateway) -> Iterator[Contract]:
    gateway, application = simulated_gateway, new_application()
    newer, starting = SimulatedGateway(), SimulatedGateway()
    newer.protocol, starting.starting = 4, True
    with (
        newer.serving(),
        starting.serving(),
        application.backend(REQUEST_LOG_SLOW_MS="0") as backend,
    ):
        body = {
            "name": "lab",
            "url": gateway.url,
            "token": GATEWAY_TOKEN,
            "workspace_root": "/srv/openclaw/workspace",
            "disable_device_pairing": True,
        }
        made = backend.send("POST", "/api/v1/gateways", body)
        assert made.status_code == 200, made.text
        seeded = application.seed()
        recorded = RECORDED["sessions"]["body"]["sessions"]
        gateway.sessions.update({entry["key"]: entry for entry in recorded if "demo" in entry["key"]})
        key = "agent:mc-demo-1:main"
        gateway.histories[key] = RECORDED["session-history"]["body"]["history"]
        yield Contract(
            application,
            backend,
            gateway,
            newer,
            starting,
            seeded["boards"]["demo"],
            seeded["groups"]["delivery"],
        )


def kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def differences(recorded: Any, ours: Any, place: str = "body") -> list[str]:
    """Where the shape of an answer departs from the recorded one. Null may stand for any value."""
    if recorded is None or ours is None:
        return []
    if kind(recorded) != kind(ours):
        return [f"{place}: {kind(recorded)} was recorded, {kind(ours)} came"]
    if isinstance(recorded, dict):
        found = [f"{place}: keys {sorted(recorded.keys() ^ ours.keys())} differ"] * (
            recorded.keys() != ours.keys()
        )
        for key in recorded.keys() & ours.keys():
            found += differences(recorded[key], ours[key], f"{place}.{key}")
        return found
    if isinstance(recorded, list) and recorded:
        return [line for item in ours for line in differences(recorded[0], item, f"{place}[]")]
    return []


# Passed through from the gateway, or a profile that anyone may fill in: these have no fixed keys.
FREE = {"heartbeat_config", "identity_profile", "sessions", "session", "main_session", "history"}


def without_free(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: None if key in FREE else without_free(item) for key, item in value.items()}
    return [without_free(item) for item in value] if isinstance(value, list) else value


def test_nothing_recorded_is_left_out() -> None:
    assert len(RECORDED) >= 41
    assert set(GUIDE_PATHS.values()) <= RECORDED.keys()


@pytest.mark.parametrize("name", RECORDED)
def test_answer_is_as_recorded(contract: Contract, name: str) -> None:
    recorded, response = RECORDED[name], contract.ask(name)
    assert response.status_code == recorded["status"], response.text

    expected = {key: value for key, value in recorded["headers"].items() if key not in VOLATILE}
    headers = {key: value for key, value in response.headers.items() if key not in VOLATILE}
    assert headers == expected
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])

    if isinstance(recorded["body"], str):
        assert response.text == recorded["body"]
        return
    body = response.json()
    assert not differences(without_free(recorded["body"]), without_free(body))
    if "request_id" in recorded["body"]:
        assert body["request_id"] == response.headers["x-request-id"]
        if isinstance(recorded["body"]["detail"], str):
            assert body["detail"] == recorded["body"]["detail"]
        else:
            assert [(item["type"], item["loc"]) for item in body["detail"]] == [
                (item["type"], item["loc"]) for item in recorded["body"]["detail"]
            ]
    for fixed in ("error", "connected", "ok", "role", "range", "history"):
        if fixed in recorded["body"]:
            assert body[fixed] == recorded["body"][fixed]


@pytest.mark.parametrize("path", GUIDE_PATHS)
def test_answer_conforms_to_the_products_document(contract: Contract, path: str) -> None:
    response = contract.ask(GUIDE_PATHS[path])
    assert response.status_code == 200
    schema = UPSTREAM["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator(
        {**schema, "components": UPSTREAM["components"]}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    assert not [error.message for error in validator.iter_errors(response.json())]


def test_other_lists_conform_too(contract: Contract) -> None:
    for path, schema in {
        "/api/v1/board-groups": "LimitOffsetPage_TypeVar_Customized_BoardGroupRead_",
        "/api/v1/activity": "LimitOffsetPage_TypeVar_Customized_ActivityEventRead_",
        "/api/v1/users/me": "UserRead",
    }.items():
        validator = Draft202012Validator(
            {"$ref": f"#/components/schemas/{schema}", "components": UPSTREAM["components"]}
        )
        body = contract.backend.read(path)
        assert not [error.message for error in validator.iter_errors(body)]
        assert body.get("items", [True]), path


def test_our_document_names_what_is_served(contract: Contract) -> None:
    document = contract.backend.client.get("/openapi.json").json()
    assert "stand-in" in document["info"]["title"]
    assert "not OpenClaw Mission Control" in document["info"]["description"]
    for path in GUIDE_PATHS:
        ours = {item["name"] for item in document["paths"][path]["get"].get("parameters", [])}
        theirs = {item["name"] for item in UPSTREAM["paths"][path]["get"].get("parameters", [])}
        assert ours == theirs, path


def test_sessions_pass_through_unchanged(contract: Contract) -> None:
    detail = contract.ask("session-detail").json()
    assert detail == RECORDED["session-detail"]["body"]
    status = contract.ask("gateway-status-by-board").json()
    assert status["sessions_count"] == len(status["sessions"]) == 2
    assert status["main_session"].keys() == RECORDED["sessions"]["body"]["main_session"].keys()


def test_a_given_request_id_is_kept(contract: Contract) -> None:
    response = contract.backend.client.get("/api/v1/users/me", headers={"X-Request-Id": "mine-1"})
    assert response.status_code == 401
    assert response.headers["x-request-id"] == response.json()["request_id"] == "mine-1"


def test_first_call_makes_one_owner_even_when_there_are_many(new_application: NewApplication) -> None:
    application = new_application()
    with application.backend() as backend:
        assert backend.client.get("/api/v1/users/me").status_code == 401
        assert application.rows("SELECT * FROM users") == []
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: backend.send("POST", "/api/v1/auth/bootstrap"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(application.rows("SELECT * FROM users")) == 1
    assert [row["role"] for row in application.rows("SELECT * FROM organization_members")] == ["owner"]


def test_clerk_mode_starts_and_lets_nobody_in(application: Application) -> None:
    with application.backend(AUTH_MODE="clerk", CLERK_SECRET_KEY="sk_test_example") as backend:
        assert backend.get("/api/v1/users/me").status_code == 401


def test_pages(contract: Contract) -> None:
    whole = contract.backend.read("/api/v1/agents")
    assert whole["total"] == len(whole["items"]) == 13
    parts = [contract.backend.read("/api/v1/agents", limit="5", offset=str(at)) for at in (0, 5, 10)]
    assert [item for part in parts for item in part["items"]] == whole["items"]
    assert [(part["limit"], part["offset"], part["total"]) for part in parts] == [
        (5, 0, 13),
        (5, 5, 13),
        (5, 10, 13),
    ]
    assert contract.backend.get("/api/v1/agents", limit="201").status_code == 422
    lab = [item for item in whole["items"] if item["is_gateway_main"]]
    assert [item["name"] for item in lab] == ["lab Gateway Agent"]
    on_board = contract.backend.read("/api/v1/agents", board_id=contract.board)["items"]
    assert {item["openclaw_session_id"] for item in on_board} == {
        f"agent:mc-demo-{number}:main" for number in (1, 2, 3)
    }


def test_changes_of_agents_are_streamed(contract: Contract) -> None:
    client, wanted = contract.backend.client, "agent:mc-demo-2:main"
    with client.stream("GET", "/api/v1/agents/stream", headers=AUTHORIZED) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines) == ": connected"
        contract.application.change(
            "UPDATE agents SET updated_at = now() AT TIME ZONE 'utc' WHERE openclaw_session_id = %s", wanted
        )
        event = next(line for line in lines if line.startswith("event:"))
        data = next(lines)
    assert event == "event: agent"
    agent = json.loads(data.removeprefix("data: "))["agent"]
    assert agent["openclaw_session_id"] == wanted
    (listed,) = (
        item
        for item in contract.backend.read("/api/v1/agents")["items"]
        if item["openclaw_session_id"] == wanted
    )
    assert agent == listed
    assert client.get("/api/v1/agents/stream").status_code == 401


def test_blank_security_headers_are_off_and_an_empty_origin_list_means_no_cors(
    application: Application,
) -> None:
    blank = {
        "SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS": "",
        "SECURITY_HEADER_X_FRAME_OPTIONS": " ",
        "SECURITY_HEADER_REFERRER_POLICY": "",
        "SECURITY_HEADER_PERMISSIONS_POLICY": "camera=()",
        "CORS_ORIGINS": "",
    }
    with application.backend(**blank) as backend:
        response = backend.client.get("/healthz", headers={"Origin": "http://72.62.201.147"})
    assert response.headers["permissions-policy"] == "camera=()"
    for name in (
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "access-control-allow-origin",
    ):
        assert name not in response.headers
