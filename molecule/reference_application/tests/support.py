"""What the tests share: the services they run against, and the application's processes."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

ROOT = Path(__file__).resolve().parents[1]
BACKEND = ROOT / "backend"
FIXTURES = ROOT.parents[1] / "tests" / "fixtures"
TOKEN = "reference-application-test-token-0123456789-0123456789"
ORIGIN = "http://72.62.201.147"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
# An idle machine needs seconds; one where scenarios run too has the time that it needs.
PATIENCE = 120.0


def crowd() -> float:
    """How many tasks want each processor, at least one: so many times longer takes what is promised."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class NotInstalledError(Exception):
    pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def _unprivileged() -> dict[str, Any]:
    """Who runs the services: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _program(name: str, *places: Path) -> str:
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise NotInstalledError(
            f"{name} was not found: install the packages postgresql and redis-server for these tests"
        )
    return found


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _own(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    account = _unprivileged()
    if account:
        os.chown(directory, account["user"], account["group"])


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """A PostgreSQL of our own; yields the address up to the database's name."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    places = tuple(reversed(versions))
    _own(directory)
    account = _unprivileged()
    with (directory / "initdb.log").open("wb") as log:
        command = [_program("initdb", *places), "--pgdata", str(directory / "data"), "--username", "postgres"]
        command += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(command, check=True, stdout=log, cwd=directory, **account)
        port = free_port()
        command = [_program("postgres", *places), "-D", str(directory / "data"), "-p", str(port)]
        command += [
            "-h",
            "127.0.0.1",
            "-k",
            str(directory),
            "-c",
            "fsync=off",
            "-c",
            "timezone=America/New_York",
        ]
        address = f"postgresql://postgres@127.0.0.1:{port}/"
        with running(command, stdout=log, stderr=log, cwd=directory, **account):
            wait_until(lambda: _answers(f"{address}postgres"), "PostgreSQL")
            yield address


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


class Redis:
    """A Redis of our own, which can be taken away and come back at the same port."""

    def __init__(self, directory: Path) -> None:
        _own(directory)
        self.directory, self.port = directory, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.program = _program("redis-server")

    def start(self) -> None:
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(
            [*command, "--dir", str(self.directory)],
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            **_unprivileged(),
        )
        wait_until(self._accepts, "Redis")

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Application:
    """One configuration of the application: its environment, and its programs run in it."""

    def __init__(self, directory: Path, database: str, redis: str, **settings: str) -> None:
        directory.mkdir(exist_ok=True)
        self.directory, self.database = directory, database
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(directory / "pycache")),
            "PYTHONUNBUFFERED": "1",
            "ENVIRONMENT": "test",
            "AUTH_MODE": "local",
            "LOCAL_AUTH_TOKEN": TOKEN,
            "BASE_URL": "http://127.0.0.1:8000",
            "DATABASE_URL": database,
            "CORS_ORIGINS": f"{ORIGIN}, https://console.example",
            "RQ_REDIS_URL": redis,
            "RQ_DISPATCH_THROTTLE_SECONDS": "0",
            "RQ_DISPATCH_RETRY_BASE_SECONDS": "0.2",
            "OPENCLAW_GATEWAY_DEVICE_IDENTITY_PATH": str(directory / "identity" / "device.json"),
            **settings,
        }

    def run(self, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command],
            cwd=BACKEND,
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def migrate(self, *target: str) -> None:
        done = self.run("-m", "alembic", *(target or ("upgrade", "head")))
        assert done.returncode == 0, done.stderr

    def seed(self, *options: str) -> dict[str, Any]:
        done = self.run("-m", "app.seed", *options)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    @contextmanager
    def backend(self, **settings: str) -> Iterator[Backend]:
        port = free_port()
        log = self.directory / f"backend-{port}.log"
        command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
        with (
            log.open("wb") as output,
            running(
                command,
                cwd=BACKEND,
                env={**self.environment, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=40) as client,
        ):
            backend = Backend(client, log)
            try:
                wait_until(lambda: process.poll() is not None or backend.answers(), "the backend")
                assert process.poll() is None, "the backend ended"
            except (AssertionError, TimeoutError) as error:
                raise AssertionError(f"{error}\n{log.read_text()}") from error
            yield backend

    @contextmanager
    def worker(self, **settings: str) -> Iterator[Worker]:
        log = self.directory / f"worker-{time.monotonic_ns()}.log"
        with (
            log.open("wb") as output,
            running(
                [sys.executable, "../scripts/rq", "worker"],
                cwd=BACKEND,
                env={**self.environment, **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            worker = Worker(process, log)
            worker.wait_for("queue.worker.batch_started")
            yield worker

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with psycopg.connect(self.database, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query, values).fetchall()

    def change(self, query: str, *values: object) -> None:
        with psycopg.connect(self.database) as connection:
            connection.execute(query, values)


class Backend:
    def __init__(self, client: httpx.Client, log: Path) -> None:
        self.client, self.log_file = client, log

    def answers(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.client.get(path, params=parameters or None, headers=AUTHORIZED)

    def read(self, path: str, **parameters: str) -> Any:
        response = self.get(path, **parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.client.request(method, path, json=body, headers=AUTHORIZED)

    def log(self) -> str:
        return self.log_file.read_text()


class Worker:
    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log_file = process, log

    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for(self, text: str, seconds: float = PATIENCE) -> None:
        try:
            wait_until(lambda: text in self.log(), text, seconds)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.log()}") from error

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)
