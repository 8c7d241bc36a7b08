"""The first authenticated call, against a server that answers as the product does."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import owner
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.owner import Answer
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

RESPONSES = Path(__file__).resolve().parents[4] / "fixtures" / "responses"
OWNER: dict[str, Any] = json.loads((RESPONSES / "member-owner.json").read_text())
REFUSED: dict[str, Any] = json.loads((RESPONSES / "member-wrong-token.json").read_text())


def recorded(clock: str) -> owner.Ask:
    body = json.dumps(OWNER["body"])

    def ask(path: str) -> Answer:
        return Answer(200, '{"ok":true}', clock) if path == owner.HEALTH else Answer(OWNER["status"], body)

    return ask


@pytest.mark.parametrize(
    ("clock", "created"),
    [
        ("Tue, 24 Nov 2026 12:57:09 GMT", True),
        ("Tue, 24 Nov 2026 12:57:08 GMT", True),
        ("Tue, 24 Nov 2026 12:57:10 GMT", False),
        ("Wed, 25 Nov 2026 00:00:00 GMT", False),
        ("", False),
    ],
)
def test_the_owner_is_new_when_the_membership_is(clock: str, created: bool) -> None:
    answer = owner.first_call(recorded(clock))
    assert answer["created"] is created
    assert answer["role"] == "owner"
    assert answer["user_id"] == OWNER["body"]["user_id"]


def test_a_refused_token_names_the_setting() -> None:
    with pytest.raises(HostError, match="401") as error:
        owner.first_call(lambda _path: Answer(REFUSED["status"], json.dumps(REFUSED["body"])))
    assert "mission_control_token" in error.value.remedy


@pytest.mark.parametrize(
    "answer", [Answer(500, "oops"), Answer(200, "[]"), Answer(200, "{}"), Answer(302, "")]
)
def test_another_answer_is_told(answer: Answer) -> None:
    with pytest.raises(HostError, match=f"answers {answer.status}"):
        owner.first_call(lambda _path: answer)


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    seen: list[tuple[str, str | None]] = []

    class Product(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("Authorization")))
            if self.path == "/elsewhere/healthz":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                return
            body = json.dumps(OWNER["body"]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Product) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", seen
        running.shutdown()
        thread.join()


def test_the_token_goes_only_where_it_is_needed(server: tuple[str, list[tuple[str, str | None]]]) -> None:
    url, seen = server
    owner.first_call(owner.caller(url + "/", "t0ken", 5, None))
    assert seen == [("/healthz", None), ("/api/v1/organizations/me/member", "Bearer t0ken")]


def test_a_redirection_is_not_followed(server: tuple[str, list[tuple[str, str | None]]]) -> None:
    url, _seen = server
    assert owner.caller(url + "/elsewhere", "t0ken", 5, None)("/healthz").status == 302


def test_an_unreachable_backend_points_to_its_journal() -> None:
    with pytest.raises(HostError, match=r"cannot be reached: .*refused") as error:
        owner.caller("http://127.0.0.1:1", "t0ken", 5, None)("/healthz")
    assert "journalctl --user -u mission-control-backend" in error.value.remedy
