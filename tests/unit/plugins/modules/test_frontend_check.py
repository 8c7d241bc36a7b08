"""The module frontend_check, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def test_no_page(run_module: Run, serve: Callable[..., str]) -> None:
    result = run_module("frontend_check", public_url=frontend(serve, "auto"), pages=["/nope"])
    assert result["failed"] and result["verdict"]["kind"] == "not_found"
