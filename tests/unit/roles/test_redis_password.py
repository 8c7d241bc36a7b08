"""When the role redis has its server ask for the password, on a real server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis_server import RedisServer, running

ROLE = Path(__file__).resolve().parents[3] / "roles/redis"
PASSWORD = "generated-once"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server without a password, whose files the role has."""
    with running(tmp_path) as found:
        yield found


def play(server: RedisServer, tasks: list[dict[str, Any]], *, bare: bool = False, **variables: Any) -> str:
    """Some tasks as if the role had asked the server; bare, as if it had not."""
    role = {"name": "openclaw.mission_control.redis", "public": True}
    asked: list[dict[str, Any]] = [
        {"ansible.builtin.include_vars": str(ROLE / "defaults/main.yml")},
        {"ansible.builtin.include_vars": str(ROLE / "vars/main.yml")},
        {
            "openclaw.mission_control.redis_server": {
                "configuration": "{{ __redis_drop_in }}",
                "main": "{{ __redis_main }}",
                "port": "{{ redis_port }}",
                "passwords": "{{ __redis_known_passwords }}",
                "settings": "{{ __redis_asked }}",
            },
            "register": "__redis_reply",
        },
    ]
    tasks = [
        *([] if bare else asked),
        *(
            {"ansible.builtin.include_role": {**role, "tasks_from": task["role"]}} if "role" in task else task
            for task in tasks
        ),
    ]
    (server.directory / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    )
    files = {
        str(server.own): {"exists": False},
        "/var/lib/mission-control/redis-password": {"exists": True},
    }
    given = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "common_host": {"packages": {"redis-server": "7"}, "files": files, "system_units": {}},
        "redis_port": server.port,
        # The port alone is ours: no socket, which its own file has.
        "redis_socket": "",
        "__redis_drop_in": str(server.own),
        "__redis_main": str(server.main),
        **({} if bare else {"__redis_password": PASSWORD}),
        **variables,
    }
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(server.directory / "play.yml"), "-e", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout
    return done.stdout


def conditions(*that: str) -> dict[str, Any]:
    return {"ansible.builtin.assert": {"that": list(that)}}


def test_a_server_in_use_stays_open_until_it_is_closed_and_nobody_is_disconnected(
    server: RedisServer,
) -> None:
    server.call("RPUSH", "default", "job")
    with socket.create_connection(("127.0.0.1", server.port)) as worker:
        worker.sendall(b"PING\r\n")
        assert worker.recv(100).startswith(b"+PONG")
        deferred = conditions("__redis_open", "__redis_deferred", "not __redis_closed")
        play(server, [deferred], redis_password_deferred=True)
        # The address that the services get works before and after.
        assert server.call("LRANGE", "default", "0", "-1", login=("default", PASSWORD)) == ["job"]
        play(server, [{"role": "close"}])
        worker.sendall(b"LLEN default\r\n")
        assert worker.recv(100).startswith(b":1")
    assert "NOAUTH" in str(server.call("LRANGE", "default", "0", "-1"))
    assert server.call("LRANGE", "default", "0", "-1", login=("default", PASSWORD)) == ["job"]
    assert f"requirepass {PASSWORD}\n" in server.own.read_text()
    for path in (server.own, server.main):
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, 0o640)
    assert server.main.read_text().endswith(f"\ninclude {server.own}\n")
    # From now on it is as it shall be, whoever asks.
    closed = conditions("not __redis_open", "not __redis_deferred", "__redis_closed")
    play(server, [closed], redis_password_deferred=True)


@pytest.mark.parametrize(
    ("variables", "that"),
    [
        ({}, ["__redis_closed", "not __redis_right"]),
        ({"redis_require_password": False}, ["not __redis_closed", "not __redis_secured"]),
        ({"redis_require_password": False, "redis_password": PASSWORD}, ["__redis_closed"]),
        ({"redis_require_password": False, "redis_bind": ["*"]}, ["__redis_closed"]),
    ],
)
def test_whether_it_shall_ask(server: RedisServer, variables: dict[str, Any], that: list[str]) -> None:
    play(server, [conditions("__redis_open", *that)], **variables)


# --- another password ---


def asking(server: RedisServer) -> None:
    """The server asks for a password, as an earlier run has left it."""
    server.write("appendonly yes", "requirepass before")
    server.call("CONFIG", "SET", "requirepass", "before")


def rotate(server: RedisServer, *entries: str) -> None:
    given = {"redis_password": PASSWORD, "redis_password_file": str(server.directory / "redis-password")}
    play(server, [{"role": entry} for entry in entries], bare=True, **given)


def test_a_server_takes_both_passwords_until_the_new_one_is_the_only_one(server: RedisServer) -> None:
    asking(server)
    rotate(server, "asked", "rotate", "both")
    assert server.lets_in("before") and server.lets_in(PASSWORD) and not server.lets_in("guessed")
    assert "requirepass before" in server.own.read_text()
    # Again, as after an interruption.
    rotate(server, "asked", "rotate", "both", "rotated")
    assert not server.lets_in("before") and server.lets_in(PASSWORD)
    assert f"requirepass {PASSWORD}\n" in server.own.read_text()


def test_who_had_the_old_password_is_out_for_good(server: RedisServer) -> None:
    """What he has made of it: a user, lines in redis.conf, and a connection."""
    asking(server)
    old = ("default", "before")
    server.call("ACL", "SETUSER", "evil", "on", ">evilpw", "~*", "&*", "+@all", login=old)
    with socket.create_connection(("127.0.0.1", server.port)) as enemy:
        enemy.sendall(b"AUTH evil evilpw\r\n")
        assert enemy.recv(100) == b"+OK\r\n"
        enemy.sendall(b"CONFIG REWRITE\r\n")
        assert enemy.recv(100) == b"+OK\r\n"
        assert re.search(r"(?m)^user evil ", server.main.read_text())
        rotate(server, "asked", "rotate", "both", "rotated")
        assert enemy.recv(100) == b""
    assert not server.lets_in("before") and not server.lets_in("evilpw", "evil") and server.lets_in(PASSWORD)
    assert "evil" not in server.main.read_text() and "before" not in server.main.read_text()


def test_what_an_enemy_has_left_is_put_right_by_the_next_deployment(server: RedisServer) -> None:
    asking(server)
    server.write("requirepass " + PASSWORD)
    # The server asks for another one than its files say: not known, and ours all the same.
    known = conditions("__redis_answer.running", "not __redis_answer.known", "__redis_answer.stated")
    play(server, [known, conditions("not __redis_right")])
    server.write("requirepass nobody-knows")
    play(server, [conditions("not __redis_answer.known", "not __redis_answer.stated")])


def test_a_rotation_that_fails_leaves_the_old_password_alone(server: RedisServer) -> None:
    asking(server)
    rotate(server, "asked", "rotate", "both", "unrotate")
    assert server.lets_in("before") and not server.lets_in(PASSWORD)


def test_a_generated_password_is_kept_beside_until_it_counts(server: RedisServer) -> None:
    asking(server)
    kept = server.directory / "kept/redis-password"
    new = kept.with_name("redis-password.new")
    entries = [{"role": entry} for entry in ("asked", "rotate", "both")]
    for _ in range(2):
        play(server, entries, bare=True, redis_password_file=str(kept))
        made = new.read_text().strip()
        assert len(made) == 48 and server.lets_in(made) and not kept.exists()
        assert new.stat().st_mode & 0o777 == 0o600
    play(server, [*entries, {"role": "rotated"}], redis_password_file=str(kept), bare=True)
    assert kept.read_text().strip() == made and not new.exists()
    assert server.lets_in(made) and not server.lets_in("before")


# --- TLS for other hosts --------------------------------------------------------------------------


def test_a_server_that_speaks_no_tls_yet_is_asked_without(server: RedisServer) -> None:
    asked = conditions(
        "__redis_answer.transport == 'plain'",
        f"__redis_in_force.port == '{server.port}'",
        # What only this host reached has no clients elsewhere that would be cut off.
        "not __redis_plain",
        "__redis_own.port == 0",
    )
    play(server, [asked], redis_tls=True, redis_tls_port=1, redis_tls_deferred=True)


def test_one_whose_file_names_tls_is_told_nothing_without(server: RedisServer) -> None:
    server.write("tls-port 1")
    asked = conditions("not __redis_answer.running", "__redis_answer.why | length > 0")
    play(server, [asked], redis_tls=True, redis_tls_port=1)


@pytest.mark.parametrize(
    ("variables", "that"),
    [
        ({"redis_tls_deferred": True}, ["__redis_plain_deferred", "__redis_own.port == redis_port"]),
        # As close.yml sees it, and a play that defers nothing.
        ({}, ["__redis_plain", "not __redis_plain_deferred", "__redis_own.port == 0"]),
        ({"redis_tls": False}, ["not __redis_plain", "'tls-port' not in __redis_values"]),
    ],
)
def test_a_server_that_others_reach_without_tls_goes_on_until_it_is_closed(
    server: RedisServer, variables: dict[str, Any], that: list[str]
) -> None:
    open_to_all = {"port": str(server.port), "bind": "* -::*"}
    given = {"redis_tls": True, "redis_bind": ["*", "-::*"], "__redis_in_force": open_to_all, **variables}
    play(server, [conditions(*that)], **given)
