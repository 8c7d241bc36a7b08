# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Mission Control's gateways and boards for tests, over HTTP on the loopback interface.

It answers as the recorded product does: pages, tokens in clear text, a gateway that is stored before its
agent is provisioned (so that a refusal may leave it behind), 422 with a list or a string as its detail.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

RESPONSES = Path(__file__).resolve().parents[2] / "fixtures" / "responses"
TOKEN = "the-token-of-mission-control-0123456789-0123456789"


def recorded(name: str) -> Any:
    return json.loads((RESPONSES / f"{name}.json").read_text())["body"]


class MissionControl:
    """Keeps gateways and boards; `refusals` are answered first, one a request that changes something."""

    def __init__(self) -> None:
        self.gateways: list[dict[str, Any]] = recorded("gateways-list")["items"]
        self.boards: list[dict[str, Any]] = recorded("boards-list")["items"]
        self.refusals: list[tuple[int, Any, bool]] = []
        self.requests: list[tuple[str, str, Any]] = []
        self.page = 200
        control = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                parts = urlsplit(self.path)
                control.requests.append((self.command, parts.path, body))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    self.answer(401, {"detail": "Unauthorized", "request_id": "1"})
                    return
                pieces = parts.path.strip("/").split("/")
                kept = {"gateways": control.gateways, "boards": control.boards}.get(pieces[2])
                if kept is None:
                    self.answer(404, {"detail": "Not Found", "request_id": "1"})
                    return
                if self.command == "GET":
                    query = parse_qs(parts.query)
                    offset = int(query.get("offset", ["0"])[0])
                    limit = min(control.page, int(query.get("limit", ["200"])[0]))
                    page = kept[offset : offset + limit]
                    self.answer(200, {"items": page, "total": len(kept), "limit": limit, "offset": offset})
                    return
                self.answer(*control.change(self.command, pieces[2], kept, pieces[3:], body))

            do_GET = do_POST = do_PATCH = do_DELETE = serve  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def change(
        self, method: str, kind: str, kept: list[dict[str, Any]], rest: list[str], body: Any
    ) -> tuple[int, Any]:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal and not refusal[2]:
            return refusal[0], refusal[1]
        if method == "POST":
            needed = (
                ("name", "url", "workspace_root") if kind == "gateways" else ("name", "slug", "description")
            )
            missing = [name for name in needed if not body.get(name)]
            if missing:
                return 422, {"detail": [{"loc": ["body", name], "msg": "Field required"} for name in missing]}
            item = {**body, "id": str(uuid4()), "organization_id": "org"}
            kept.append(item)
        else:
            item = next((entry for entry in kept if entry["id"] == rest[0]), {})
            if not item:
                return 404, {"detail": f"{kind} not found"}
            if method == "DELETE":
                kept.remove(item)
                return 200, {"ok": True}
            item.update(body)
        return (refusal[0], refusal[1]) if refusal else (200, item)

    def changes(self) -> list[tuple[str, str, Any]]:
        return [request for request in self.requests if request[0] != "GET"]

    def __enter__(self) -> MissionControl:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
