"""Fixtures for modules and checks: servers on loopback, a recorded API, a module run in this process."""

from __future__ import annotations

import http.server
import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible.module_utils.testing import patch_module_args

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from controller import received  # noqa: E402


@pytest.fixture
def upstream_paths() -> dict[str, Any]:
    return dict(json.loads((FIXTURES / "openapi-upstream.json").read_text())["paths"])


Handler = Callable[[http.server.BaseHTTPRequestHandler], None]


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Checks ask at the same time. With a shorter queue a busy machine drops some, and they come late.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], str]]:
    """Start a server on loopback whose every request goes to the given function."""
    servers: list[http.server.HTTPServer] = []

    def start(handle: Handler) -> str:
        class Here(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def _any(self) -> None:
                handle(self)

            do_GET = do_OPTIONS = do_HEAD = do_POST = _any  # noqa: N815

            def log_message(self, *_arguments: Any) -> None:
                pass

        server = _Quiet(("127.0.0.1", 0), Here)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def recorded(name: str) -> dict[str, Any]:
    return dict(json.loads((FIXTURES / "responses" / f"{name}.json").read_text()))


def _recording(handler: http.server.BaseHTTPRequestHandler, token: str) -> str:
    """The name of the recorded answer to a request."""
    parts = urlsplit(handler.path)
    path, query = parts.path, parse_qs(parts.query)
    origin = handler.headers.get("Origin", "")
    allowed = origin == "http://72.62.201.147"
    if handler.command == "OPTIONS":
        return "cors-allowed" if allowed else "cors-denied"
    if origin and path == "/healthz":
        return "cors-simple-get-allowed" if allowed else "cors-simple-get-denied"
    if path in ("/health", "/healthz", "/readyz"):
        return path.strip("/")
    if not handler.headers.get("Authorization"):
        return "member-no-token"
    if handler.headers["Authorization"] != f"Bearer {token}":
        return "member-wrong-token"
    simple = {
        "/api/v1/organizations/me/member": "member-owner",
        "/api/v1/agents": "agents",
        "/api/v1/boards": "boards-list",
        "/api/v1/gateways": "gateways-list",
        "/api/v1/gateways/status": "gateway-status-by-board",
        "/api/v1/gateways/sessions": "sessions",
        "/api/v1/gateways/sessions/agent%3Amc-demo-1%3Amain": "session-detail",
        "/api/v1/gateways/sessions/agent%3Amc-demo-1%3Amain/history": "session-history",
    }
    if path in simple:
        return simple[path]
    if path == "/api/v1/metrics/dashboard":
        return f"metrics-{query.get('range_key', ['24h'])[0]}"
    if path.endswith("/history"):
        return "session-history-unknown"
    if "/sessions/" in path:
        return "session-detail-unknown"
    return "gateway-singular-path"


@pytest.fixture
def recorded_api(serve: Callable[[Handler], str]) -> Callable[..., str]:
    """A backend that gives the recorded answers. `replace` maps a recording's name to another one."""

    def start(token: str, **replace: str) -> str:
        openapi = (FIXTURES / "openapi-upstream.json").read_bytes()

        def handle(handler: http.server.BaseHTTPRequestHandler) -> None:
            if handler.path == "/openapi.json":
                status, headers, body = 200, {"content-type": "application/json"}, openapi
            else:
                name = _recording(handler, token)
                answer = recorded(replace.get(name.replace("-", "_"), name))
                status = answer["status"]
                headers = {
                    key: value
                    for key, value in answer["headers"].items()
                    if key not in ("content-length", "connection", "date", "server")
                }
                text = answer["body"]
                body = text.encode() if isinstance(text, str) else json.dumps(text).encode()
            handler.send_response(status)
            for key, value in headers.items():
                handler.send_header(key, value)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        return serve(handle)

    return start


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Run a module of the collection in this process, as Ansible would, and return its result."""

    def run(name: str, *, check_mode: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
        module = importlib.import_module(
            f"ansible_collections.openclaw.mission_control.plugins.modules.{name}"
        )
        given = {**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
        with patch_module_args(given), pytest.raises(SystemExit) as ended:
            module.main()
        result: dict[str, Any] = json.loads(received(capsys.readouterr().out))
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result

    return run
