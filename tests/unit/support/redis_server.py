"""A real Redis, which runs as root: without a password, listening at a port and a socket."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError


@dataclass
class RedisServer:
    """Where it listens, and its files."""

    port: int
    directory: Path

    @property
    def main(self) -> Path:
        return self.directory / "redis.conf"

    @property
    def own(self) -> Path:
        return self.directory / "mission-control.conf"

    @property
    def socket(self) -> Path:
        return self.directory / "redis.sock"

    def call(self, *words: str, login: tuple[str, str] | None = None) -> object:
        """What a client is told; an error is returned as its text."""
        redis = Redis(f"redis://127.0.0.1:{self.port}/0", 60)
        try:
            if login:
                redis.call("AUTH", *login)
            return redis.call(*words)
        except RedisError as error:
            return str(error)
        finally:
            redis.close()

    def lets_in(self, password: str, user: str = "default") -> bool:
        return self.call("PING", login=(user, password)) == "PONG"

    def write(self, *settings: str) -> None:
        """Our own file."""
        self.own.write_text("".join(f"{line}\n" for line in (f"port {self.port}", *settings)))


@contextlib.contextmanager
def running(directory: Path) -> Iterator[RedisServer]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = RedisServer(int(probe.getsockname()[1]), directory)
    server.main.write_text(
        f"port {server.port}\nbind 127.0.0.1\ndir {directory}\nsave ''\n"
        f"unixsocket {server.socket}\nunixsocketperm 777\n"
    )
    process = subprocess.Popen([program, str(server.main)], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                if server.call("PING") == "PONG":
                    break
            except RedisError:
                assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        process.wait()
