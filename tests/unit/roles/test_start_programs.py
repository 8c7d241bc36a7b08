"""The small programs between systemd and the application, each run for real."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

ROLES = Path(__file__).resolve().parents[3] / "roles"
WAIT_FOR = ROLES / "backend/files/wait-for.py"
RUN_WORKER = ROLES / "worker/files/run-worker.py"
LISTEN = ROLES / "frontend/files/listen.cjs"
FONTS = ROLES / "frontend/files/google-fonts.cjs"
PROGRAMS = (RUN_WORKER, ROLES / "backend/files/serve.py")
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
needs_notify = pytest.mark.skipif(
    shutil.which("systemd-notify") is None, reason="there is no systemd-notify on this machine"
)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def systemd(directory: Path) -> Iterator[socket.socket]:
    """What listens to notifications."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(directory / "notify"))
        channel.settimeout(20)
        yield channel


def wait_for(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(WAIT_FOR), *arguments],
        env={"PATH": os.defpath, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_database_that_listens_is_there(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    done = wait_for("database", DATABASE_URL=f"postgresql+psycopg://u:secret@127.0.0.1:{port}/d")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_database_behind_a_unix_socket_is_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()
        done = wait_for("database", DATABASE_URL=f"postgresql+psycopg:///d?host={tmp_path}")
    assert done.returncode == 0, done.stderr


def test_a_database_that_does_not_come_up_is_named_without_its_password() -> None:
    done = wait_for("--timeout", "0.2", "database", DATABASE_URL="postgresql://u:secret@127.0.0.1:1/d")
    assert done.returncode == 1
    assert done.stderr == "Not there after 0.2 s: PostgreSQL at 127.0.0.1:1: Connection refused\n"


def test_waiting_ends_when_everything_is_there_or_at_the_deadline() -> None:
    module = load(WAIT_FOR)
    answers = {"database": iter(["down", "down", ""]), "redis": iter(["", "", ""])}
    probes = {name: (lambda found=found: next(found)) for name, found in answers.items()}
    slept: list[float] = []
    assert module.wait(["database", "redis"], 60, probes, clock=lambda: 0.0, sleep=slept.append) == []
    assert slept == [0.5, 0.5]
    ticks = iter(range(100))
    reasons = module.wait(
        ["redis"], 3, {"redis": lambda: "down"}, clock=lambda: next(ticks), sleep=slept.append
    )
    assert reasons == ["down"]
    assert next(ticks) < 10


WORKER = """
import sys
print("settings are read")
{mistake}
def main():
    print("working", *sys.argv[1:], __name__, sys.path[0])
    return 5
if __name__ == "__main__":
    sys.exit("must not be run before it was loaded")
"""


def run_worker(directory: Path, program: str) -> subprocess.CompletedProcess[str]:
    (directory / "rq").write_text(program)
    return subprocess.run(
        [sys.executable, str(RUN_WORKER), "rq", "worker"],
        cwd=directory,
        env={"PATH": os.defpath, "NOTIFY_SOCKET": str(directory / "notify")},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_worker_is_ready_when_its_program_is_loaded(tmp_path: Path) -> None:
    with systemd(tmp_path) as channel:
        done = run_worker(tmp_path, WORKER.format(mistake=""))
        assert channel.recv(100) == b"READY=1\nSTATUS=Working"
    assert done.returncode == 5
    assert done.stdout.splitlines() == [
        "settings are read",
        f"working worker mission_control_worker {tmp_path}",
    ]


@pytest.mark.parametrize(
    "program", [WORKER.format(mistake="raise SystemExit('bad settings')"), "main = None\n"]
)
def test_a_worker_that_cannot_be_loaded_is_never_ready(tmp_path: Path, program: str) -> None:
    with systemd(tmp_path) as channel:
        done = run_worker(tmp_path, program)
        channel.settimeout(0.2)
        with pytest.raises(TimeoutError):
            channel.recv(100)
    assert done.returncode == 1


SERVER = """
const http = require("node:http");
const names = () => Object.keys(process.env).filter((name) => /NOTIFY|LISTEN_/.test(name));
let seen = 0;
const server = http.createServer((request, answer) => {
  answer.statusCode = (seen += 1) <= 2 ? 500 : 200;
  answer.end(JSON.stringify({ seen, leaked: names() }));
});
server.listen(PORT, "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => process.exit(7)));
"""
# As systemd does it: the socket is descriptor 3, and LISTEN_PID is the process itself.
START = 'exec 3<&"$FD"; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'


@contextmanager
def node_server(
    directory: Path, port: int, handed: socket.socket | None, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    program = directory / "server.js"
    program.write_text(SERVER.replace("PORT", str(port)))
    command = [str(NODE), "--require", str(LISTEN), str(program)]
    fds: tuple[int, ...] = ()
    if handed is not None:
        fds = (handed.fileno(),)
        command = ["bash", "-c", START, "start", *command]
        environment["FD"] = str(handed.fileno())
    with subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        pass_fds=fds,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def get(port: int) -> dict[str, object]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
            if answer:
                body: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
                return body
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


@needs_node
@needs_notify
def test_a_node_server_takes_the_socket_over_and_is_ready_when_it_answers(
    tmp_path: Path, listening: socket.socket
) -> None:
    port = listening.getsockname()[1]
    with (
        systemd(tmp_path) as channel,
        # Port 1 is not what it will listen on: the socket that is handed over counts.
        node_server(tmp_path, 1, listening, NOTIFY_SOCKET=str(tmp_path / "notify")),
    ):
        told = channel.recv(200)
        assert b"READY=1" in told and b"STATUS=Serving requests" in told
        body = get(port)
    # Two errors and then a page: ready was told after the third request, not after the first.
    assert body == {"seen": 4, "leaked": []}


@needs_node
def test_a_node_server_without_systemd_is_an_ordinary_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with node_server(tmp_path, port, None, LISTEN_PID="1", LISTEN_FDS="1"):
        assert get(port) == {"seen": 1, "leaked": []}


@needs_node
def test_a_connection_accepted_just_before_the_end_is_still_served(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with node_server(tmp_path, port, None) as process:
        get(port)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            assert get(port)["seen"] == 2  # so the connection before this one has been accepted
            process.terminate()
            time.sleep(0.05)
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            assert process.wait(timeout=10) == 7


@needs_node
@pytest.mark.parametrize(
    ("source", "found"),
    [
        (
            'import { Inter } from "next/font/google";\nconst a = Inter({ subsets: ["latin"] });',
            [{"function": "Inter", "argument": {"subsets": ["latin"]}}],
        ),
        (
            "import { Open_Sans as Body, Sora } from 'next/font/google';\n"
            "// Sora(x) in a comment\n"
            "const b = Body({ weight: ['400', \"(7)00\"], /* ) */ display: `swap` }),\n"
            "  s = Sora();",
            [
                {"function": "Open_Sans", "argument": {"weight": ["400", "(7)00"], "display": "swap"}},
                {"function": "Sora"},
            ],
        ),
        ('import local from "next/font/local";\nlocal({ src: "x" });', []),
    ],
)
def test_font_calls_are_found_in_the_sources(source: str, found: list[dict[str, object]]) -> None:
    program = (
        f"const {{ calls }} = require({json.dumps(str(FONTS))});"
        "process.stdout.write(JSON.stringify(calls(require('node:fs').readFileSync(0, 'utf8'))));"
    )
    done = subprocess.run(
        [str(NODE), "-e", program], input=source, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == found


@needs_node
def test_a_style_sheet_takes_fonts_from_the_readers_computer_only() -> None:
    program = (
        f"const {{ styleSheet }} = require({json.dumps(str(FONTS))});"
        "const axes = { wght: ['400', '100..900'], ital: ['0', '1'] };"
        "process.stdout.write(styleSheet('Open Sans', axes, 'swap'));"
    )
    text = subprocess.run([str(NODE), "-e", program], capture_output=True, text=True, check=True).stdout
    assert text.count("@font-face") == 4 and text.count("font-style: italic") == 2
    assert "font-weight: 100 900;" in text and "src: local('Open Sans');" in text
    assert "url(" not in text


def test_what_is_local_is_kept_from_a_proxy_of_the_hosts_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "mirror.example.com")
    worker = load(RUN_WORKER)
    worker.ask_directly()
    assert os.environ["no_proxy"] == "mirror.example.com"
    assert urllib.request.getproxies()["http"] and not urllib.request.proxy_bypass("127.0.0.1:18789")
    monkeypatch.setenv("MISSION_CONTROL_DIRECT", "localhost,127.0.0.1,mirror.example.com")
    worker.ask_directly()
    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "mirror.example.com,localhost,127.0.0.1"
    assert urllib.request.proxy_bypass("127.0.0.1:18789")
    assert not urllib.request.proxy_bypass("example.org")
    # The backend's program has the same words.
    texts = [path.read_text().partition("def ask_directly")[2].partition("\n\n\n")[0] for path in PROGRAMS]
    assert texts[0] == texts[1] != ""


@needs_node
def test_the_frontends_program_keeps_what_is_local_from_a_proxy() -> None:
    assert NODE is not None
    done = subprocess.run(
        [NODE, "--require", str(LISTEN), "-e", "console.log(process.env.no_proxy, process.env.NO_PROXY)"],
        env={"PATH": os.defpath, "NO_PROXY": "a", "MISSION_CONTROL_DIRECT": "a,localhost"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["a,localhost", "a,localhost"]
