"""The client of the gateway's protocol, both dialects, and registering gateways and boards."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NewApplication
from simulated_gateway import TOKEN, SimulatedGateway
from support import Application, Backend, free_port

STATUS = "/api/v1/gateways/status"


@pytest.fixture
def gateway() -> Iterator[SimulatedGateway]:
    with SimulatedGateway().serving() as gateway:
        yield gateway


@pytest.fixture
def controlling(new_application: NewApplication) -> Application:
    return new_application()


@pytest.fixture
def api(controlling: Application) -> Iterator[Backend]:
    with controlling.backend() as backend:
        yield backend


def registration(gateway: SimulatedGateway, **changes: Any) -> dict[str, Any]:
    return {"name": "main", "url": gateway.url, "token": TOKEN, "workspace_root": "/srv/openclaw", **changes}


def status(api: Backend, gateway: SimulatedGateway, **changes: str) -> dict[str, Any]:
    answer: dict[str, Any] = api.read(
        STATUS, **{"gateway_url": gateway.url, "gateway_token": TOKEN, **changes}
    )
    return answer


def test_a_device_has_to_be_paired_and_proves_who_it_is(
    controlling: Application, api: Backend, gateway: SimulatedGateway
) -> None:
    assert status(api, gateway)["error"] == "pairing required"
    path = Path(controlling.environment["OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_bytes()
    gateway.paired.add(json.loads(written)["deviceId"])
    answer = status(api, gateway)
    assert answer == {
        "connected": True,
        "gateway_url": gateway.url,
        "sessions_count": 0,
        "sessions": [],
        "main_session": None,
        "main_session_error": None,
        "error": None,
    }
    # The identity is used, not made anew.
    assert path.read_bytes() == written
    assert status(api, gateway, gateway_token="wrong")["error"].startswith("Gateway authentication failed")


@pytest.mark.parametrize(
    ("version", "error"),
    [
        ("2026.02.9", None),
        ("v2026.2.10-3", None),
        ("2026.2.8", "Gateway version 2026.2.8 is not supported. Minimum supported version is 2026.02.9."),
        ("2025.12.31", "Gateway version 2025.12.31 is not supported."),
        ("dev", "Gateway reported an unsupported version format 'dev'."),
        ("", "Unable to determine gateway version from runtime metadata."),
    ],
)
def test_versions(
    controlling: Application, gateway: SimulatedGateway, version: str, error: str | None
) -> None:
    gateway.version, gateway.pairing = version, False
    with controlling.backend() as api:
        answer = status(api, gateway)
        assert answer["connected"] is (error is None)
        assert (answer["error"] or "").startswith(error or "")
        made = api.send("POST", "/api/v1/gateways", registration(gateway))
        assert made.status_code == (422 if error else 200)


def test_a_wrong_address_does_not_give_the_token_away(api: Backend, gateway: SimulatedGateway) -> None:
    for url in (
        "http://127.0.0.1:1",
        "ws://127.0.0.1:1",
        "no address",
        f"ws://nobody@127.0.0.1:{free_port()}/x",
    ):
        answer = api.read(STATUS, gateway_url=url, gateway_token="a-secret/token")
        assert not answer["connected"]
        assert answer["error"]
        assert "a-secret" not in answer["error"]
    own = [line for line in api.log().splitlines() if "GET /api/v1/gateways/status" not in line]
    assert "a-secret" not in "\n".join(own)


def test_a_gateway_is_registered_changed_and_deleted(
    controlling: Application, api: Backend, gateway: SimulatedGateway
) -> None:
    gateway.pairing = False
    refused = api.send("POST", "/api/v1/gateways", registration(gateway, token="wrong"))
    assert refused.status_code == 502
    assert "Gateway compatibility check failed: Gateway authentication failed" in refused.json()["detail"]
    assert api.read("/api/v1/gateways")["total"] == 0

    made = api.send("POST", "/api/v1/gateways", registration(gateway)).json()
    path = f"/api/v1/gateways/{made['id']}"
    assert api.read(path) == made
    assert api.read("/api/v1/gateways")["items"] == [made]
    main = f"agent:mc-gateway-{made['id']}:main"
    assert list(gateway.sessions) == [main]
    (agent,) = api.read("/api/v1/agents")["items"]
    assert (agent["name"], agent["openclaw_session_id"]) == ("main Gateway Agent", main)

    calls = len(gateway.methods)
    renamed = api.send("PATCH", path, {"name": "other"}).json()
    assert renamed["name"] == "other"
    assert renamed["token"] == TOKEN
    assert len(gateway.methods) == calls, "a new name needs no connection"
    assert api.read("/api/v1/agents")["items"][0]["name"] == "other Gateway Agent"
    gone = api.send("PATCH", path, {"url": f"ws://127.0.0.1:{free_port()}"})
    assert gone.status_code == 502
    assert api.read(path) == renamed
    assert api.send("PATCH", path, {"name": None}).status_code == 422

    assert api.send("DELETE", path).json() == {"ok": True}
    assert api.get(path).status_code == 404
    assert api.read("/api/v1/agents")["total"] == 0


def test_a_board_is_made_changed_and_deleted(api: Backend, gateway: SimulatedGateway) -> None:
    gateway.pairing = False
    gateway_id = api.send("POST", "/api/v1/gateways", registration(gateway)).json()["id"]
    body = {"name": "Ops", "slug": "ops", "description": " What we run "}
    for changes, words in (
        ({}, "gateway_id is required"),
        ({"gateway_id": gateway_id, "description": " "}, "description is required"),
        ({"gateway_id": gateway_id, "goal_confirmed": True}, "require objective"),
    ):
        refused = api.send("POST", "/api/v1/boards", {**body, **changes})
        assert refused.status_code == 422
        assert words in refused.text
    unknown = "00000000-0000-0000-0000-000000000001"
    for reference in ("gateway_id", "board_group_id"):
        refused = api.send("POST", "/api/v1/boards", {**body, "gateway_id": gateway_id, reference: unknown})
        assert (refused.status_code, refused.json()["detail"]) == (422, f"{reference} is invalid")

    made = api.send("POST", "/api/v1/boards", {**body, "gateway_id": gateway_id}).json()
    path = f"/api/v1/boards/{made['id']}"
    assert made["description"] == "What we run"
    assert api.read(path) == made
    changed = api.send("PATCH", path, {"max_agents": 4}).json()
    assert changed == {**made, "max_agents": 4, "updated_at": changed["updated_at"]}
    assert api.send("PATCH", path, {"gateway_id": None}).status_code == 422
    assert api.send("DELETE", f"/api/v1/gateways/{gateway_id}").status_code == 409

    answer = api.read(STATUS, board_id=made["id"])
    assert answer["connected"]
    assert answer["main_session"]["label"] == "Gateway Agent"
    assert api.send("DELETE", path).json() == {"ok": True}
    assert api.get(path).status_code == 404
    assert api.send("DELETE", f"/api/v1/gateways/{gateway_id}").status_code == 200


def test_selectors(api: Backend) -> None:
    unknown = "00000000-0000-0000-0000-000000000001"
    for path in (STATUS, "/api/v1/gateways/sessions", "/api/v1/gateways/sessions/a/history"):
        assert api.get(path).json()["detail"] == "board_id or gateway_url is required"
        for board in (unknown, "no-id"):
            response = api.get(path, board_id=board)
            assert (response.status_code, response.json()["detail"]) == (404, "Board not found")


def test_a_gateway_that_is_down_fails_its_sessions_but_not_its_status(
    controlling: Application, api: Backend
) -> None:
    board = controlling.seed()["boards"]["demo"]
    answer = api.read(STATUS, board_id=board)
    assert answer == {**answer, "connected": False, "sessions": None, "main_session": None}
    assert "Connection refused" in answer["error"]
    for path in ("sessions", "sessions/a", "sessions/a/history"):
        response = api.get(f"/api/v1/gateways/{path}", board_id=board)
        assert response.status_code == 502
        assert "Connection refused" in response.json()["detail"]


def test_seeded_boards_move_to_a_gateway_that_is_registered_later(
    controlling: Application, api: Backend, gateway: SimulatedGateway
) -> None:
    gateway.pairing = False
    first = controlling.seed()
    assert first["gateway"] == "seeded placeholder"
    made = api.send("POST", "/api/v1/gateways", registration(gateway)).json()
    second = controlling.seed()
    assert (second["changed"], second["gateway"], second["boards"]) == (True, "main", first["boards"])
    assert [item["id"] for item in api.read("/api/v1/gateways")["items"]] == [made["id"]]
    assert {item["gateway_id"] for item in api.read("/api/v1/agents")["items"]} == {made["id"]}
    assert api.read(STATUS, board_id=first["boards"]["demo"])["connected"]
    assert controlling.seed()["changed"] is False


def test_the_guides_dialect(controlling: Application, gateway: SimulatedGateway) -> None:
    gateway.pairing = False
    key = "agent:mc-demo-1:main"
    gateway.sessions[key] = {"key": key, "label": "Demo agent", "updatedAt": 1}
    gateway.histories[key] = [{"role": "assistant", "content": []}]
    with controlling.backend(REFERENCE_GATEWAY_DIALECT="singular") as api:
        none = api.read("/api/v1/gateway/status")
        assert (none["connected"], none["error"]) == (False, "no gateway is registered")
        assert api.get("/api/v1/gateway/sessions").json()["detail"] == "no gateway is registered"

        assert api.send("POST", "/api/v1/gateways", registration(gateway)).status_code == 200
        assert api.read("/api/v1/gateway/status")["connected"]
        listed = api.read("/api/v1/gateway/sessions")["sessions"]
        assert key in [item["key"] for item in listed]
        # As in the guide's own command, with the colons as they are; and percent-encoded.
        for name in (key, key.replace(":", "%3A")):
            assert api.read(f"/api/v1/gateway/sessions/{name}")["session"]["label"] == "Demo agent"
            assert api.read(f"/api/v1/gateway/sessions/{name}/history")["history"] == gateway.histories[key]
        second = registration(gateway, name="second")
        assert api.send("POST", "/api/v1/gateways", second).status_code == 200
        assert api.get("/api/v1/gateway/status").status_code == 422

        paths = api.client.get("/openapi.json").json()["paths"]
        assert "/api/v1/gateway/status" in paths
        assert STATUS not in paths
        # The other dialect's path is taken for a gateway's id.
        assert api.get(STATUS).status_code == 422
        assert api.get("/api/v1/gateways/sessions/a/history").status_code == 404
