"""The module redis_server, run as Ansible runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer, running

Run = Callable[..., dict[str, Any]]
SECRET = "redis-password-0123456789"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with running(tmp_path) as found:
        yield found


def test_files_users_and_passwords_from_the_first_run_on(run_module: Run, server: RedisServer) -> None:
    place = {"configuration": str(server.own), "main": str(server.main), "port": server.port}
    asked = run_module("redis_server", **place, settings=["appendonly"])
    assert (asked["running"], asked["open"], asked["kept"]) == (True, True, False), asked
    text = f"port {server.port}\nrequirepass {SECRET}\n"
    for check in (True, False):
        done = run_module("redis_server", **place, state="configured", content=text, check_mode=check)
        assert done["changed"] and server.own.exists() is not check and SECRET not in str(done)
    for state in ("both", "alone"):
        done = run_module("redis_server", **place, state=state, passwords=["old"], password=SECRET)
        assert done["changed"] and SECRET not in str(done), done
    server.call("ACL", "SETUSER", "evil", "on", ">x", login=("default", SECRET))
    asked = run_module("redis_server", **place, passwords=[SECRET])
    assert asked["kept"] and asked["stated"] and asked["foreign"] == ["evil"] and SECRET not in str(asked)


def test_what_fails_tells_no_password(run_module: Run, server: RedisServer) -> None:
    server.call("CONFIG", "SET", "requirepass", "another")
    place = {"configuration": str(server.own), "main": str(server.main), "port": server.port}
    done = run_module("redis_server", **place, state="both", passwords=[SECRET], password=f"{SECRET}-new")
    assert done["failed"] and done["kind"] == "redis_login" and SECRET not in str(done)
