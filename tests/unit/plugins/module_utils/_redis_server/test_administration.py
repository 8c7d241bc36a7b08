"""What a real server is asked and told, and that nobody else is."""

from __future__ import annotations

import os
import pwd
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server import (
    administration,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server import server as way
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server.administration import (
    add_password,
    leave_alone,
    look,
    persist,
    wait,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server.server import (
    Server,
    server_of,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.redis import Redis, RedisError
from redis_server import RedisServer, running

SETTINGS = ("port", "appendonly", "maxmemory-policy")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running(tmp_path) as found:
        yield found


def server(redis: RedisServer) -> Server:
    """As its file has it."""
    return server_of(redis.own.read_text() if redis.own.exists() else "", redis.port)


def test_what_it_runs_with(redis: RedisServer) -> None:
    found = look(server(redis), ["guessed"], SETTINGS)
    assert found["running"] and found["open"] and found["known"] and not found["hides"]
    assert found["in_force"] == {
        "port": str(redis.port),
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
    }
    assert (found["foreign"], found["passwords"], found["transport"]) == ([], 0, "plain")
    redis.call("CONFIG", "SET", "requirepass", "word")
    found = look(server(redis), ["guessed"], SETTINGS)
    assert (found["running"], found["open"], found["known"]) == (True, False, False)
    redis.write("requirepass word", f"unixsocket {redis.socket}")
    found = look(server(redis), ["guessed", "word"], SETTINGS)
    assert (found["open"], found["known"], found["transport"]) == (False, True, "socket")


def test_one_that_hides_its_settings_says_what_it_is(redis: RedisServer) -> None:
    redis.call("SET", "key", "value")
    redis.call("ACL", "SETUSER", "default", "-config", "-acl")
    found = look(server(redis), [], SETTINGS)
    assert found["hides"] and found["in_force"] == {}
    assert found["itself"] == {"maxmemory-policy": "noeviction", "appendonly": "no", "keys": True}
    with pytest.raises(HostError, match="does not do ACL LIST"):
        leave_alone(server(redis), [], "new")


def test_one_that_is_down_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    down = server_of("", port)
    assert not look(down, ["word"], SETTINGS)["running"]
    with pytest.raises(HostError, match="cannot be asked"):
        add_password(down, ["word"], "new")


def test_the_append_only_file_is_written(redis: RedisServer) -> None:
    persist(server(redis), [])
    assert list(redis.directory.glob("appendonlydir/*.aof"))
    wait(server(redis), [])


def test_wait_ends(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(administration, "STARTING", 0.0)
    redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(HostError, match="its maxmemory-policy is allkeys-lru"):
        wait(server(redis), [])


# --- who may enter ---


def test_both_passwords_and_then_one(redis: RedisServer) -> None:
    redis.write("requirepass before")
    redis.call("CONFIG", "SET", "requirepass", "before")
    add_password(server(redis), ["before"], "after")
    assert redis.lets_in("before") and redis.lets_in("after")
    assert look(server(redis), ["after"], SETTINGS)["passwords"] == 2
    leave_alone(server(redis), ["before"], "after", disconnect=True)
    assert not redis.lets_in("before") and redis.lets_in("after")


@pytest.mark.parametrize("name", [b"evil", b"evil\xff\xfe"])
def test_whoever_had_the_old_one_is_out(redis: RedisServer, name: bytes) -> None:
    redis.call("CONFIG", "SET", "requirepass", "before")
    redis.write("requirepass before", "user monitor on >seen +info")
    text = name.decode("utf-8", "surrogateescape")
    for user in (text, "monitor"):
        redis.call("ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all", login=("default", "before"))
    # Connected, subscribed, and with a second password of default's.
    held = [Redis(f"redis://127.0.0.1:{redis.port}/0", 60) for _ in range(3)]
    held[0].call("AUTH", text, "pw")
    held[1].call("AUTH", "default", "before")
    held[2].call("AUTH", text, "pw")
    held[2].call("SUBSCRIBE", "x")
    redis.call("ACL", "SETUSER", "default", ">another", login=("default", "before"))
    found = look(server(redis), ["before"], SETTINGS)
    assert len(found["foreign"]) == 1 and found["passwords"] == 2
    done = leave_alone(server(redis), ["before"], "after")
    assert done["removed"] == found["foreign"]
    for word in ("before", "another"):
        assert not redis.lets_in(word)
    assert redis.lets_in("after") and "redis_version" in str(redis.call("INFO", login=("monitor", "seen")))
    # As the file has it again: neither that password nor PING.
    assert not redis.lets_in("pw", "monitor") and not redis.lets_in("seen", "monitor")
    assert not redis.lets_in("pw", text)
    for connection in held:
        with pytest.raises(RedisError, match=r"closed|reset|[Bb]roken"):
            connection.call("PING")
        connection.close()


def test_who_stays_is_not_disconnected(redis: RedisServer) -> None:
    worker = Redis(f"redis://127.0.0.1:{redis.port}/0", 60)
    leave_alone(server(redis), ["before"], "after")
    assert worker.call("LLEN", "default") == 0
    worker.close()
    assert "NOAUTH" in str(redis.call("PING"))


def test_somebody_who_makes_users_all_the_time_is_out_in_the_end(redis: RedisServer) -> None:
    over = threading.Event()

    def make(login: list[str]) -> None:
        number = 0
        while not over.is_set():
            try:
                enemy = Redis(f"redis://127.0.0.1:{redis.port}/0", 60)
            except RedisError:
                continue
            try:
                enemy.call("AUTH", *login)
                while True:
                    number += 1
                    name = f"{threading.get_ident()}-{number}"
                    enemy.call("ACL", "SETUSER", name, "on", ">pw", "~*", "&*", "+@all")
                    login = [name, "pw"]
            except RedisError:
                continue
            finally:
                enemy.close()

    redis.call("CONFIG", "SET", "requirepass", "before")
    threads = [threading.Thread(target=make, args=(["default", "before"],)) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        done = leave_alone(server(redis), ["before"], "after")
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert done["removed"]
    assert look(server(redis), ["after"], SETTINGS)["foreign"] == []


# --- whoever else listens ---


@pytest.fixture
def stranger() -> Iterator[tuple[int, str, list[bytes]]]:
    """Nobody's program, at a port and at a socket, which notes what it is told."""
    heard: list[bytes] = []
    reading, writing = os.pipe()
    directory = Path(f"/tmp/stranger-{os.getpid()}")
    directory.mkdir()
    directory.chmod(0o777)
    child = os.fork()
    if child == 0:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setresgid(nobody.pw_gid, nobody.pw_gid, nobody.pw_gid)
        os.setresuid(nobody.pw_uid, nobody.pw_uid, nobody.pw_uid)
        by_port, by_path = socket.socket(), socket.socket(socket.AF_UNIX)
        by_port.bind(("127.0.0.1", 0))
        by_path.bind(f"{directory}/redis.sock")
        for one in (by_port, by_path):
            one.listen()
        os.write(writing, f"{by_port.getsockname()[1]}\n".encode())

        def serve(listening: socket.socket) -> None:
            while True:
                connection, _ = listening.accept()
                with connection:
                    if data := connection.recv(4096):
                        os.write(writing, data)

        for one in (by_port, by_path):
            threading.Thread(target=serve, args=(one,)).start()
        threading.Event().wait()
    os.close(writing)
    port = int(os.read(reading, 100))
    try:
        yield port, f"{directory}/redis.sock", heard
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        while data := os.read(reading, 4096):
            heard.append(data)
        os.close(reading)
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()
    assert heard == []


@pytest.mark.skipif(
    "redis" not in {entry.pw_name for entry in pwd.getpwall()},
    reason="needs redis-server (apt-get install it)",
)
@pytest.mark.parametrize("listening", ["port", "socket"])
def test_nobody_else_is_told_anything(stranger: tuple[int, str, list[bytes]], listening: str) -> None:
    port, path, _heard = stranger
    text = f"port {port}\n" if listening == "port" else f"port 0\nunixsocket {path}\n"
    for ask in (
        lambda: look(server_of(text, 1), ["SECRET"], SETTINGS),
        lambda: add_password(server_of(text, 1), ["SECRET"], "new"),
        lambda: leave_alone(server_of(text, 1), ["SECRET"], "new"),
        lambda: wait(server_of(text, 1), ["SECRET"]),
    ):
        with pytest.raises(HostError, match=r"somebody else .nobody listens there, which is for redis"):
            ask()


def test_tls_that_fails_is_not_tried_in_clear(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file names a port with TLS: what answers there without it, or not at all, is told nothing."""
    monkeypatch.setattr(way, "PATIENCE", 2.0)
    redis.call("CONFIG", "SET", "requirepass", "word")
    plain = server_of(f"port {redis.port}\ntls-port {redis.port}\n", redis.port)
    found = look(plain, ["word"], SETTINGS)
    assert not found["running"] and found["why"]
