"""What comes from outside: webhooks, agents, and whose address they are counted by."""

from __future__ import annotations

import hashlib
import hmac
import json
from uuid import UUID, uuid5

import httpx
from conftest import NewApplication
from jsonschema import Draft202012Validator
from support import FIXTURES, Backend

UPSTREAM = json.loads((FIXTURES / "openapi-upstream.json").read_text())
LIMIT = 1_048_576


def post(
    backend: Backend, board: str, body: bytes, *, signed: bool = True, hook: str = "webhook"
) -> httpx.Response:
    mac = hmac.new(str(uuid5(UUID(board), "secret")).encode(), body, hashlib.sha256).hexdigest()
    return backend.client.post(
        f"/api/v1/boards/{board}/webhooks/{uuid5(UUID(board), hook)}",
        content=body,
        headers={"X-Hub-Signature-256": f"sha256={mac if signed else 'none'}"},
    )


def test_webhooks_have_the_products_shapes(new_application: NewApplication) -> None:
    application = new_application()
    with application.backend() as backend:
        board = application.seed()["boards"]["demo"]
        taken = post(backend, board, bytes(LIMIT))
        assert taken.status_code == 202
        document = UPSTREAM["paths"]["/api/v1/boards/{board_id}/webhooks/{webhook_id}"]["post"]
        schema = document["responses"]["202"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": UPSTREAM["components"]})
        assert not list(validator.iter_errors(taken.json()))
        assert post(backend, board, b"x", signed=False).status_code == 403
        assert post(backend, board, b"x", hook="other").status_code == 404
        large = post(backend, board, bytes(LIMIT + 1))
        assert large.status_code == 413
        assert large.json()["detail"] == f"Payload exceeds maximum size of {LIMIT} bytes."


def test_agents_are_counted_by_the_address_that_a_trusted_proxy_names(
    new_application: NewApplication,
) -> None:
    application = new_application()

    def statuses(backend: Backend, header: str, value: str) -> set[int]:
        return {
            backend.client.get(
                "/api/v1/agent/boards", headers={header: value.format(number), "X-Agent-Token": "none"}
            ).status_code
            for number in range(22)
        }

    with application.backend(TRUSTED_PROXIES="127.0.0.1") as backend:
        # Where the server itself (uvicorn) finds no X-Forwarded-For, the leftmost entry of Forwarded is
        # believed.
        assert statuses(backend, "Forwarded", 'for="198.51.100.{}:1234";proto=https') == {401}
        # Of X-Forwarded-For it takes the rightmost entry that is no proxy's, before the product looks.
        assert statuses(backend, "X-Forwarded-For", "10.0.0.{}, 192.0.2.7") == {401, 429}
        assert statuses(backend, "X-Forwarded-For", "10.0.0.{}") == {401}
    with application.backend() as backend:
        assert statuses(backend, "Forwarded", "for=198.51.100.{}") == {401, 429}
