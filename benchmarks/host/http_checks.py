#!/usr/bin/env python3
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fifteen HTTP checks by several tools, and the host command's start, in milliseconds: http_checks.py ROUNDS.

Every tool is asked in every round. The server is another process; it must have seen just the fifteen
requests each time.
"""

from __future__ import annotations

import http.server
import json
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHECKS = 15
COMMAND = "/usr/local/bin/mission-control"
PATHS = [f"/health/{number}" for number in range(CHECKS)]
BODY = b'{"ok":true}'
# The check itself, without imports, as `verify` runs it, over connections that are new.
INSIDE = f"""
import sys, time
sys.path.insert(0, {COMMAND!r})
from mission_control._verify.standalone import run
from mission_control._http import client
from mission_control._verify import http_context
from mission_control._verify.checks import health
client.Client("http://127.0.0.1").prepare()
options = {{"options": {{"url": sys.argv[1]}}, "check_options": {{"health": {{"paths": {PATHS!r}}}}}}}
started, worked = time.perf_counter(), time.process_time()
report = run(options, ["health"], where="here")
spent, worked = time.perf_counter() - started, time.process_time() - worked
assert report["state"] == "pass", report["summary"]
print(spent * 1000, worked * 1000)
"""
# The host command with a configuration of our own, to its exit.
RUNNER = (
    f"import sys; sys.path.insert(0, {COMMAND!r}); from mission_control._command.main import main; "
    "sys.exit(main(['verify', 'health'], sys.argv[1]))"
)
# What it has loaded by then, besides its own code.
LOADED = RUNNER.replace("sys.exit(main(", "main(").replace("))", ")") + (
    "; sys.stderr.write(' '.join(sorted(name for name, module in sys.modules.items() "
    "if module is not None and not name.startswith(('mission_control', '__main__')))))"
)


def serve(delay: float) -> None:
    """Answer after a while; print the port; /count tells how many requests there were, and starts anew."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        seen = 0

        def do_GET(self) -> None:
            body = BODY
            if self.path == "/count":
                body, Handler.seen = str(Handler.seen).encode(), 0
            else:
                Handler.seen += 1
                time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


def timed(argv: list[str]) -> tuple[float, float]:
    """What a command takes: milliseconds, and those of CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    spent = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent * 1000, worked * 1000


class Served:
    def __init__(self, delay: float) -> None:
        self.child = subprocess.Popen(
            [sys.executable, __file__, "serve", str(delay)], stdout=subprocess.PIPE, text=True
        )
        if self.child.stdout is None:
            raise RuntimeError("the server has no output")
        self.url = f"http://127.0.0.1:{self.child.stdout.readline().strip()}"

    def expect(self, number: int, who: str) -> None:
        with urllib.request.urlopen(f"{self.url}/count") as answer:  # noqa: S310
            seen = int(answer.read())
        if seen != number:
            raise RuntimeError(f"{who} sent {seen} requests instead of {number}")


def main() -> None:
    if sys.argv[1] == "serve":
        serve(float(sys.argv[2]))
        return
    directory = Path(tempfile.mkdtemp())
    found: dict[str, list[tuple[float, float]]] = {}
    python = [sys.executable, "-I", "-c"]
    slow, fast = Served(0.05), Served(0)
    try:
        tools: list[tuple[Served, str, list[str]]] = []
        for served, label in ((slow, "50 ms"), (fast, "0 ms")):
            urls = [served.url + path for path in PATHS]
            gossfile = directory / f"goss-{label}.json"
            gossfile.write_text(json.dumps({"http": {url: {"status": 200, "body": ["ok"]} for url in urls}}))
            curl = ["curl", "--silent", "--fail", "--parallel", "--parallel-max", str(CHECKS)]
            outputs = [word for _ in urls for word in ("--output", "/dev/null")]
            tools += [
                (served, f"goss validate, {label}", ["goss", "--gossfile", str(gossfile), "validate"]),
                (served, f"curl --parallel, {label}", [*curl, *outputs, *urls]),
                (served, f"checks inside the process, {label}", [*python, INSIDE, served.url]),
            ]
        configuration = json.loads(Path("/etc/mission-control/command.json").read_text(encoding="utf-8"))
        configuration["verify"] = {
            "options": {"url": fast.url, "token": "none"},
            "check_options": {"health": {"paths": PATHS}},
        }
        file = directory / "command.json"
        file.write_text(json.dumps(configuration))
        answer = subprocess.run([*python, LOADED, str(file)], check=True, capture_output=True, text=True)
        fast.expect(CHECKS, "the host command")
        names = answer.stderr.split()
        imports = "import " + ", ".join(name for name in names if importable(python, name))
        for number in range(int(sys.argv[1]) + 1):
            round_: dict[str, tuple[float, float]] = {}
            for served, name, argv in tools:
                if argv[:3] == python:
                    answer = subprocess.run(argv, check=True, capture_output=True, text=True)
                    spent, worked = map(float, answer.stdout.split())
                    round_[name] = spent, worked
                else:
                    round_[name] = timed(argv)
                served.expect(CHECKS, name)
            round_["Python with the imports"] = timed([*python, imports])
            round_["host command, start to exit"] = timed([*python, RUNNER, str(file)])
            fast.expect(CHECKS, "the host command")
            # The first round warms the caches of all of them.
            if number:
                for name, figures in round_.items():
                    found.setdefault(name, []).append(figures)
    finally:
        for served in (slow, fast):
            served.child.kill()
            served.child.wait()
    sys.stdout.write(json.dumps(found) + "\n")


def importable(python: list[str], name: str) -> bool:
    """Whether a name in sys.modules can be imported by itself: some are made by other modules."""
    return subprocess.run([*python, f"import {name}"], check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    main()
