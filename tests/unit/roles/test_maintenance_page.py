"""The stand-in of a service during maintenance, run for real on a socket that was handed over."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.notice import (
    HEADER,
    notice_of,
)

PROGRAM = Path(__file__).resolve().parents[3] / "roles/deployment/files/maintenance.py"
# As systemd does: the socket as descriptor 3, and the process's own number in LISTEN_PID.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-I", *sys.argv[2:]])
"""
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Ask:
    """Asks the stand-in."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address

    def __call__(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(*self.address, timeout=20)
        with contextlib.closing(connection):
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, names)
            answer = connection.getresponse()
            return answer, answer.read()


@pytest.fixture
def notice(tmp_path: Path) -> Path:
    path = tmp_path / "maintenance.json"
    told = {"since": "2026-11-24T18:00:00Z", "reason": "New disks", "until": "", "by": "ann@desk"}
    path.write_text(json.dumps(told))
    return path


@contextlib.contextmanager
def standing_in(kind: str, notice: Path, directory: Path) -> Iterator[tuple[Ask, subprocess.Popen[bytes]]]:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        channel.bind(str(directory / "notify"))
        channel.settimeout(20)
        process = subprocess.Popen(
            [sys.executable, "-c", HAND_OVER, str(listener.fileno()), str(PROGRAM), kind, str(notice)],
            env={"PATH": os.defpath, "NOTIFY_SOCKET": str(directory / "notify")},
            pass_fds=(listener.fileno(),),
        )

        try:
            assert channel.recv(100) == b"READY=1\nSTATUS=In maintenance"
            yield Ask(listener.getsockname()), process
        finally:
            process.terminate()
            assert process.wait(20) in (0, -15)


def test_programs_get_the_reason_as_json(notice: Path, tmp_path: Path) -> None:
    with standing_in("api", notice, tmp_path) as (ask, _):
        for path in ("/health", "/readyz", "/api/v1/boards?limit=5"):
            answer, body = ask(path=path, Accept="application/json")
            assert answer.status == 503 and answer.headers["Retry-After"] == "120"
            told = json.loads(body)
            assert told["ok"] is False
            assert told["detail"] == "Mission Control is in maintenance: New disks"
            assert told["maintenance"] == {
                "since": "2026-11-24T18:00:00Z",
                "until": None,
                "reason": "New disks",
            }
        # Who began it is for operators.
        assert b"ann@desk" not in body and "ann@desk" not in str(answer.headers)
        found = notice_of(answer.headers[HEADER])
        assert found is not None and found.sentence == "in maintenance since 2026-11-24T18:00:00Z: New disks"
        answer, body = ask("POST", "/api/v1/boards", b"x" * 300_000)
        assert answer.status == 503 and json.loads(body)["ok"] is False
        answer, body = ask("HEAD", "/health")
        assert (answer.status, body) == (503, b"") and int(answer.headers["Content-Length"]) > 0


def test_people_get_a_page_that_needs_nothing_else(notice: Path, tmp_path: Path) -> None:
    with standing_in("page", notice, tmp_path) as (ask, _):
        answer, body = ask(path="/boards", **BROWSER)
        text = body.decode()
        assert answer.status == 503 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert '<p class="reason">New disks</p>' in text
        assert '<time datetime="2026-11-24T18:00:00+00:00">2026-11-24 18:00 UTC</time>' in text
        assert "Expected back" not in text and "@" not in text.split("</style>")[1]
        assert not any(word in text for word in ("http:", "https:", "src=", "href=", "url("))
        assert ask()[1] == body, "a page is what a browser without wishes gets here"
        assert json.loads(ask(Accept="application/json")[1])["ok"] is False


def test_what_is_told_may_change_and_is_no_markup(notice: Path, tmp_path: Path) -> None:
    with standing_in("page", notice, tmp_path) as (ask, _):
        until = datetime.now(UTC) + timedelta(minutes=10)
        reason = "<script>alert(1)</script> & more\nsoon"
        notice.write_text(json.dumps({"since": "", "reason": reason, "until": until.isoformat()}))
        answer, body = ask(**BROWSER)
        assert 500 < int(answer.headers["Retry-After"]) <= 600
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more\nsoon" in body.decode()
        assert "Expected back" in body.decode() and "Since" not in body.decode()
        notice.write_text("{half")
        answer, body = ask(**BROWSER)
        assert answer.status == 503 and b"in maintenance</h1>" in body
        notice.unlink()
        assert ask(**BROWSER)[0].status == 503


def test_pages_that_are_open_may_read_the_reason(notice: Path, tmp_path: Path) -> None:
    origin = {"Origin": "https://ui.example"}
    with standing_in("api", notice, tmp_path) as (ask, _):
        answer, _body = ask(
            "OPTIONS",
            "/api/v1/boards",
            Access_Control_Request_Method="PATCH",
            Access_Control_Request_Headers="authorization",
            **origin,
        )
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Methods"] == "PATCH"
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization"
        answer, _body = ask(path="/api/v1/boards", **origin)
        assert answer.status == 503
        assert answer.headers["Access-Control-Allow-Origin"] == "https://ui.example"
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("sent", [b"\0\xff nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, b""])
def test_nonsense_harms_nobody_else(notice: Path, tmp_path: Path, sent: bytes) -> None:
    with standing_in("api", notice, tmp_path) as (ask, process):
        with socket.create_connection(ask.address, timeout=20) as rude, contextlib.suppress(ConnectionError):
            rude.sendall(sent)
            rude.shutdown(socket.SHUT_WR)
            while rude.recv(65536):
                pass
        assert ask()[0].status == 503 and process.poll() is None


def test_the_worker_stands_still_until_it_is_stopped(notice: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(20)
        process = subprocess.Popen(
            [sys.executable, "-I", str(PROGRAM), "idle", str(notice)],
            env={"PATH": os.defpath, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        assert channel.recv(100) == b"READY=1\nSTATUS=In maintenance"
        assert process.poll() is None
        process.terminate()
        assert process.wait(20) == 0


def test_without_a_socket_it_says_what_is_missing(notice: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM), "page", str(notice)],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stderr == "No socket was handed over: start the socket unit first.\n"
