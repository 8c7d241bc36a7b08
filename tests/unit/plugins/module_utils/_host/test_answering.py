"""Who answers on this host, with real listeners of real users."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.owner import (
    MEMBERSHIP,
    caller,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.api_transport import (
    ApiError,
    RequestsTransport,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.errors import GatewayError
from ansible_collections.openclaw.mission_control.plugins.module_utils._gateway.websocket import WebSocket
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.answering import (
    StrangerError,
    answering,
    refuse_strangers,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._http.client import Client
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError

SECRET = "squatted-secret-1"
# Listens at the address of the first argument as the user of the second, and prints what it is told; with a
# third one nobody accepts.
LISTENER = """
import os, socket, sys
server = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
server = socket.create_server((sys.argv[1], 0), family=server.family, dualstack_ipv6=sys.argv[1] == "::")
print(server.getsockname()[1], flush=True)
if len(sys.argv) > 3:
    sys.stdin.read()
while True:
    connection = server.accept()[0]
    connection.settimeout(1)
    try:
        print(connection.recv(4096), flush=True)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    except OSError:
        pass
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users")


class Squatter:
    def __init__(self, user: str, address: str = "127.0.0.1", *more: str) -> None:
        uid = str(pwd.getpwnam(user).pw_uid)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LISTENER, address, uid, *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def heard(self) -> str:
        self.process.terminate()
        return self.process.communicate()[0]


@pytest.fixture
def squatter() -> Iterator[Squatter]:
    found = Squatter("nobody")
    yield found
    found.heard()


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
@pytest.mark.parametrize("accepts", [(), ("never",)])
def test_who_listens_is_found(address: str, accepts: tuple[str, ...]) -> None:
    found = Squatter("nobody", address, *accepts)
    try:
        for reached in ("::1",) if address == "::1" else ("127.0.0.1",):
            with socket.create_connection((reached, found.port)) as connection:
                assert answering(connection) == {pwd.getpwnam("nobody").pw_uid}
                refuse_strangers(connection, ["nobody"])
                refuse_strangers(connection, [])
                refuse_strangers(connection, ["no-such-user"])
                with pytest.raises(StrangerError, match="nobody listens there, which is for daemon"):
                    refuse_strangers(connection, ["daemon", ""])
    finally:
        found.heard()


def test_root_is_believed() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as connection,
    ):
        refuse_strangers(connection, ["daemon"])
        with server.accept()[0]:
            refuse_strangers(connection, ["daemon"])


def test_an_end_that_is_not_seen_is_that_of_whoever_listens(squatter: Squatter, tmp_path: Path) -> None:
    """The table is not read in one moment, so a connection may be missed in it."""
    with socket.create_connection(("127.0.0.1", squatter.port)) as connection:
        (tmp_path / "net").mkdir()
        table = Path("/proc/net/tcp").read_text().splitlines(keepends=True)
        listening = [line for line in table if line.split()[3] in ("st", "0A")]
        (tmp_path / "net/tcp").write_text("".join(listening))
        assert answering(connection, tmp_path) == {pwd.getpwnam("nobody").pw_uid}
        with pytest.raises(StrangerError):
            refuse_strangers(connection, ["daemon"], tmp_path)
        # An end that nobody has, of a socket that is gone.
        end = next(
            line.split()
            for line in table
            if line.split()[1].endswith(f":{squatter.port:04X}") and line not in listening
        )
        end[9] = "0"
        (tmp_path / "net/tcp").write_text(table[0] + " ".join(end) + "\n")
        with pytest.raises(ConnectionResetError):
            refuse_strangers(connection, ["daemon"], tmp_path)
        # Root's rules send it elsewhere: nobody listens here.
        (tmp_path / "net/tcp").write_text(table[0])
        refuse_strangers(connection, ["daemon"], tmp_path)


def test_what_is_not_this_hosts_is_not_judged() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        refuse_strangers(ours, ["daemon"])


SOCKET = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
sys.stdin.read()
"""


def test_who_listens_at_a_socket_is_told_by_the_kernel() -> None:
    uid = str(pwd.getpwnam("nobody").pw_uid)
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o777)
        path = f"{directory}/socket"
        with subprocess.Popen(
            [sys.executable, "-c", SOCKET, path, uid], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None and process.stdin is not None
            process.stdout.readline()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                refuse_strangers(connection, ["nobody"])
                with pytest.raises(StrangerError, match="nobody listens there, which is for daemon"):
                    refuse_strangers(connection, ["daemon"])
            process.stdin.close()


def test_no_token_goes_to_a_stranger(squatter: Squatter) -> None:
    url = f"http://127.0.0.1:{squatter.port}"
    client = Client(url, token=SECRET, users=["daemon"])
    # What is no secret may be asked, and the connection that it leaves behind is looked at all the same.
    assert client.request("GET", "/healthz", token="").status == 200
    answer = client.get("/api")
    assert answer.failure is not None and answer.failure.kind == "stranger"
    with pytest.raises(HostError, match="The token was not sent") as refused:
        caller(url, SECRET, 5, None, ["daemon"])(MEMBERSHIP)
    assert refused.value.kind == "stranger"
    with pytest.raises(ApiError, match="The token was not sent"):
        RequestsTransport(url, SECRET, users=["daemon"])("GET", "/api")
    with pytest.raises(RedisError) as told:
        Redis(f"redis://:{SECRET}@127.0.0.1:{squatter.port}", users=["daemon"])
    assert told.value.kind == "stranger"
    with pytest.raises(GatewayError) as closed:
        WebSocket.open(f"ws://127.0.0.1:{squatter.port}", deadline=lambda: 5.0, users=["daemon"])
    assert closed.value.kind == "stranger"
    assert SECRET not in squatter.heard()


def test_whom_it_is_for_gets_it(squatter: Squatter) -> None:
    url = f"http://127.0.0.1:{squatter.port}"
    assert Client(url, token=SECRET, users=["nobody"]).get("/api").status == 200
    assert RequestsTransport(url, SECRET, users=["nobody"])("GET", "/api").status == 200
    assert caller(url, SECRET, 5, None, ["nobody"])(MEMBERSHIP).status == 200
    assert squatter.heard().count(SECRET) == 3
