"""The module frontend_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TOKEN = "a-token-that-must-never-be-seen-anywhere-in-any-form-0123456789"
ORIGIN = "http://72.62.201.147"
Run = Callable[..., dict[str, Any]]
Api = Callable[..., str]


PAGE = b'<!DOCTYPE html><html><head><script src="/_next/static/a.js"></script></head><body>x</body></html>'


def frontend(serve: Callable[..., str], baked: str) -> str:
    script = f'let e="{baked}".trim();if(e&&"auto"!==e.toLowerCase())return e'.encode()

    def handle(handler: Any) -> None:
        kinds = {
            "/": ("text/html; charset=utf-8", PAGE),
            "/_next/static/a.js": ("application/javascript", script),
        }
        kind, body = kinds.get(handler.path, ("text/plain", b""))
        handler.send_response(200 if body else 404)
        handler.send_header("content-type", kind)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return serve(handle)


def test_a_page_that_reaches_its_api(run_module: Run, recorded_api: Api, serve: Callable[..., str]) -> None:
    api = recorded_api(TOKEN)
    result = run_module("frontend_check", public_url=ORIGIN, frontend_url=frontend(serve, api), api_url=api)
    assert result["state"] == "pass", result["msg"]
    assert [part["name"] for part in result["verdict"]["checks"]] == ["/", "assets", "api_url", "api", "cors"]


def test_a_page_built_for_another_api(run_module: Run, recorded_api: Api, serve: Callable[..., str]) -> None:
    api = recorded_api(TOKEN)
    built = frontend(serve, "http://127.0.0.1:9")
    result = run_module("frontend_check", public_url=ORIGIN, frontend_url=built, api_url=api)
    assert result["failed"] and result["root_causes"][0]["kind"] == "api_url_differs"
    assert [cause["check"] for cause in result["root_causes"]] == ["frontend.api_url"]


def test_an_origin_that_the_api_does_not_allow(
    run_module: Run, recorded_api: Api, serve: Callable[..., str]
) -> None:
    page = frontend(serve, recorded_api(TOKEN))
    result = run_module("frontend_check", public_url=page)
    assert result["failed"] and result["verdict"]["kind"] == "cors_origin_missing"


def test_a_proxy_that_hands_on_the_api_alone(
    run_module: Run, recorded_api: Api, serve: Callable[..., str]
) -> None:
    """A browser asks for nothing but pages and /api/: that /healthz is not handed on is nobody's loss."""
    api = recorded_api(TOKEN, cors_simple_get_allowed="gateway-singular-path")
    result = run_module("frontend_check", public_url=ORIGIN, frontend_url=frontend(serve, api), api_url=api)
    assert result["state"] == "pass", result["msg"]


@pytest.mark.parametrize("public", ["http://127.0.0.1:9", "http://not-yet-in-dns.invalid:8000"])
def test_an_api_that_the_host_itself_does_not_reach(
    run_module: Run, recorded_api: Api, serve: Callable[..., str], public: str
) -> None:
    """Before DNS is switched, or behind a NAT that leads nowhere from inside."""
    given = {"public_url": ORIGIN, "frontend_url": frontend(serve, public), "api_url": public}
    alone = run_module("frontend_check", **given)
    assert alone["failed"] and alone["root_causes"][0]["check"] == "frontend.api"
    near = run_module("frontend_check", **given, backend_url=recorded_api(TOKEN))
    assert near["state"] == "warn" and not near.get("failed"), near["msg"]
    (told,) = [part for part in near["verdict"]["checks"] if part["state"] != "pass"]
    assert told["name"] == "api" and told["kind"] == "out_of_reach" and public in told["summary"]
    # A backend that is not well there, either, is a failure as before.
    neither = run_module("frontend_check", **given, backend_url="http://127.0.0.1:9")
    assert neither["failed"] and neither["root_causes"][0]["check"] == "frontend.api"


def test_no_page(run_module: Run, serve: Callable[..., str]) -> None:
    result = run_module("frontend_check", public_url=frontend(serve, "auto"), pages=["/nope"])
    assert result["failed"] and result["verdict"]["kind"] == "not_found"
