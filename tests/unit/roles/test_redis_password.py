"""When the role redis has its server ask for the password, on a real server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles/redis"
PASSWORD = "generated-once"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server without a password."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server (apt-get install redis-server)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [program, "--port", str(number), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--save", ""],
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while "PONG" not in cli(number, "PING"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield number
    server.terminate()
    server.wait()


def cli(port: int, *lines: str) -> str:
    done = subprocess.run(
        ["redis-cli", "-p", str(port), "--raw"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def play(port: int, tmp_path: Path, tasks: list[dict[str, Any]], **variables: Any) -> str:
    role = {"name": "openclaw.mission_control.redis", "public": True}
    tasks = [
        {"ansible.builtin.include_vars": str(ROLE / "defaults/main.yml")},
        {"ansible.builtin.include_vars": str(ROLE / "vars/main.yml")},
        {
            "ansible.builtin.command": {
                "argv": ["redis-cli", "-p", str(port), "--raw"],
                "stdin": "{{ (['PING'] + __redis_login + __redis_question) | join('\n') }}",
            },
            "register": "__redis_running",
        },
        *(
            {"ansible.builtin.include_role": {**role, "tasks_from": task["role"]}} if "role" in task else task
            for task in tasks
        ),
    ]
    (tmp_path / "play.yml").write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])
    )
    files = {
        str(tmp_path / "mission-control.conf"): {"exists": False},
        "/var/lib/mission-control/redis-password": {"exists": True},
    }
    given = {
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "common_host": {"packages": {"redis-server": "7"}, "files": files, "system_units": {}},
        "redis_port": port,
        "__redis_drop_in": str(tmp_path / "mission-control.conf"),
        "__redis_password": PASSWORD,
        **variables,
    }
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(given)],
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
    port: int, tmp_path: Path
) -> None:
    cli(port, "RPUSH default job")
    with socket.create_connection(("127.0.0.1", port)) as worker:
        worker.sendall(b"PING\r\n")
        assert worker.recv(100).startswith(b"+PONG")
        deferred = conditions("__redis_open", "__redis_deferred", "not __redis_closed")
        play(port, tmp_path, [deferred], redis_password_deferred=True)
        # The address that the services get works before and after.
        assert "job" in cli(port, f"AUTH default {PASSWORD}", "LRANGE default 0 -1")
        play(port, tmp_path, [{"role": "close"}])
        worker.sendall(b"LLEN default\r\n")
        assert worker.recv(100).startswith(b":1")
    assert "NOAUTH" in cli(port, "LRANGE default 0 -1")
    assert "job" in cli(port, f"AUTH default {PASSWORD}", "LRANGE default 0 -1")
    written = tmp_path / "mission-control.conf"
    assert f"requirepass {PASSWORD}\n" in written.read_text() and written.stat().st_mode & 0o777 == 0o640
    # From now on it is as it shall be, whoever asks.
    closed = conditions("not __redis_open", "not __redis_deferred", "__redis_closed")
    play(port, tmp_path, [closed], redis_password_deferred=True)


@pytest.mark.parametrize(
    ("variables", "that"),
    [
        ({}, ["__redis_closed", "not __redis_right"]),
        ({"redis_require_password": False}, ["not __redis_closed", "not __redis_secured"]),
        ({"redis_require_password": False, "redis_password": PASSWORD}, ["__redis_closed"]),
        ({"redis_require_password": False, "redis_bind": ["*"]}, ["__redis_closed"]),
    ],
)
def test_whether_it_shall_ask(port: int, tmp_path: Path, variables: dict[str, Any], that: list[str]) -> None:
    play(port, tmp_path, [conditions("__redis_open", *that)], **variables)
