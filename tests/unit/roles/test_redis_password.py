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


def play(
    port: int, tmp_path: Path, tasks: list[dict[str, Any]], *, bare: bool = False, **variables: Any
) -> str:
    """Some tasks as if the role had asked the server; bare, as if it had not."""
    role = {"name": "openclaw.mission_control.redis", "public": True}
    asked: list[dict[str, Any]] = [
        {"ansible.builtin.include_vars": str(ROLE / "defaults/main.yml")},
        {"ansible.builtin.include_vars": str(ROLE / "vars/main.yml")},
        {
            "ansible.builtin.command": {
                "argv": ["redis-cli", "-p", str(port), "--raw"],
                "stdin": "{{ (['PING'] + __redis_login + __redis_question) | join('\n') }}",
            },
            "register": "__redis_running",
        },
    ]
    tasks = [
        *([] if bare else asked),
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
        **({} if bare else {"__redis_password": PASSWORD}),
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


# --- another password ---


def lets_in(port: int, password: str) -> bool:
    return cli(port, f"AUTH default {password}").startswith("OK")


def asking(port: int, tmp_path: Path) -> None:
    """The server asks for a password, as an earlier run has left it."""
    (tmp_path / "mission-control.conf").write_text("appendonly yes\nrequirepass before\n")
    cli(port, "CONFIG SET requirepass before")


def rotate(port: int, tmp_path: Path, *entries: str) -> None:
    given = {"redis_password": PASSWORD, "redis_password_file": str(tmp_path / "redis-password")}
    play(port, tmp_path, [{"role": entry} for entry in entries], bare=True, **given)


def test_a_server_takes_both_passwords_until_the_new_one_is_the_only_one(port: int, tmp_path: Path) -> None:
    asking(port, tmp_path)
    rotate(port, tmp_path, "asked", "rotate", "both")
    assert lets_in(port, "before") and lets_in(port, PASSWORD) and not lets_in(port, "guessed")
    assert "requirepass before" in (tmp_path / "mission-control.conf").read_text()
    # Again, as after an interruption.
    rotate(port, tmp_path, "asked", "rotate", "both", "rotated")
    assert not lets_in(port, "before") and lets_in(port, PASSWORD)
    assert f"requirepass {PASSWORD}\n" in (tmp_path / "mission-control.conf").read_text()


def test_a_rotation_that_fails_leaves_the_old_password_alone(port: int, tmp_path: Path) -> None:
    asking(port, tmp_path)
    rotate(port, tmp_path, "asked", "rotate", "both", "unrotate")
    assert lets_in(port, "before") and not lets_in(port, PASSWORD)


def test_a_generated_password_is_kept_beside_until_it_counts(port: int, tmp_path: Path) -> None:
    asking(port, tmp_path)
    kept, new = tmp_path / "kept/redis-password", tmp_path / "kept/redis-password.new"
    entries = [{"role": entry} for entry in ("asked", "rotate", "both")]
    for _ in range(2):
        play(port, tmp_path, entries, bare=True, redis_password_file=str(kept))
        made = new.read_text().strip()
        assert len(made) == 48 and lets_in(port, made) and not kept.exists()
        assert new.stat().st_mode & 0o777 == 0o600
    play(port, tmp_path, [*entries, {"role": "rotated"}], redis_password_file=str(kept), bare=True)
    assert kept.read_text().strip() == made and not new.exists()
    assert lets_in(port, made) and not lets_in(port, "before")


# --- TLS for other hosts --------------------------------------------------------------------------

BY_TLS = {
    "ansible.builtin.command": {"argv": "{{ __redis_cli_tls }}", "stdin": "PING"},
    "register": "__redis_by_tls",
    "failed_when": False,
}


def test_a_server_that_speaks_no_tls_yet_is_asked_without(port: int, tmp_path: Path) -> None:
    # redis-cli ends with status 0 although nothing listens there.
    asked = conditions(
        "__redis_by_tls.rc == 0",
        "not __redis_encrypted",
        "__redis_cli == __redis_cli_plain",
        f"__redis_in_force.port == '{port}'",
        # What only this host reached has no clients elsewhere that would be cut off.
        "not __redis_plain",
        "__redis_own.port == 0",
    )
    play(port, tmp_path, [BY_TLS, asked], redis_tls=True, redis_tls_port=1, redis_tls_deferred=True)


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
    port: int, tmp_path: Path, variables: dict[str, Any], that: list[str]
) -> None:
    open_to_all = {"port": str(port), "bind": "* -::*"}
    given = {"redis_tls": True, "redis_bind": ["*", "-::*"], "__redis_in_force": open_to_all, **variables}
    play(port, tmp_path, [conditions(*that)], **given)
