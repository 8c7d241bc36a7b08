"""The host command, called by root, where the application's user is hostile."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import common, main, services
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.main import CommandError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import accounts
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.common_options import COMMON
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.options import defaults
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.suite import run_suite
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.verdict import Verdict
from border import KINDS, NAME, SECRET, Intruder, intruder

__all__ = ["intruder"]
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp"


@pytest.fixture
def configuration(intruder: Intruder) -> str:
    path = intruder.victim.parent / "command.json"
    data = {
        "user": NAME,
        "gateway_user": "",
        "root": str(intruder.root),
        "services": ["backend", "worker", "frontend"],
        "verify": {"checks": ["health"], "options": {"url": "http://127.0.0.1:1", "timeout": 2}},
    }
    path.write_text(json.dumps(data))
    path.chmod(0o640)
    return str(path)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Whatever somebody says to a port of the user's."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _address = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    heard.append(connection.recv(65536))
                    # As PostgreSQL does that wants no TLS and a password in clear.
                    if heard[-1][4:8] == b"\x04\xd2\x16\x2f":
                        connection.sendall(b"N")
                        heard.append(connection.recv(65536))
                        connection.sendall(b"R\0\0\0\x08\0\0\0\x03")
                        heard.append(connection.recv(65536))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], heard


def test_a_configuration_that_the_user_can_change_is_refused(intruder: Intruder, configuration: str) -> None:
    assert main.load_configuration(configuration).user == NAME
    os.chown(configuration, intruder.account.uid, 0)
    with pytest.raises(CommandError, match="can be changed by others than root"):
        main.load_configuration(configuration)
    os.chown(configuration, 0, 0)
    Path(configuration).chmod(0o666)
    with pytest.raises(CommandError, match="can be changed by others than root"):
        main.load_configuration(configuration)


@pytest.mark.parametrize("name", ["user", "gateway_user"])
def test_root_is_nobodys_application_user(configuration: str, name: str) -> None:
    data = {**json.loads(Path(configuration).read_text()), name: "root"}
    Path(configuration).write_text(json.dumps(data))
    with pytest.raises(CommandError, match="names root"):
        main.load_configuration(configuration)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "arguments", [["db", "-c", "select 1"], ["restart"], ["verify", "health"], ["releases"]]
)
def test_whatever_stands_where_the_environment_file_was(
    intruder: Intruder,
    configuration: str,
    kind: str,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in (
        intruder.env_file,
        intruder.root / "shared" / "maintenance.json",
        intruder.root / "releases" / "one" / "release.json",
    ):
        intruder.replace(path, kind)
    started = time.monotonic()
    status = main.main(arguments, configuration)
    said = "".join(capsys.readouterr())
    assert status in (0, 1, 2) and time.monotonic() - started < 15
    assert SECRET not in said and "Traceback" not in said
    assert not any(letter in said for letter in "\x1b\x9b\x07")


def test_a_linked_token_goes_nowhere(
    intruder: Intruder, configuration: str, listener: tuple[int, list[bytes]]
) -> None:
    port, heard = listener
    intruder.replace(intruder.env_file, "link")
    data = json.loads(Path(configuration).read_text())
    data["verify"] = {
        "checks": ["health", "membership", "metrics"],
        "options": {"url": f"http://127.0.0.1:{port}", "timeout": 2},
    }
    Path(configuration).write_text(json.dumps(data))
    assert main.main(["verify"], configuration) != 0
    assert heard, "the checks asked nothing at all"
    assert not any(SECRET.encode() in said for said in heard)


def test_roots_passwords_stay_at_home(
    intruder: Intruder,
    configuration: str,
    listener: tuple[int, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("psycopg2")
    port, heard = listener
    passwords = intruder.victim.parent / "pgpass"
    passwords.write_text(f"*:*:*:*:{SECRET}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    for query in ("?hostaddr=127.0.0.1", f"?passfile={passwords}", ""):
        host = "db.internal.invalid" if "hostaddr" in query else "127.0.0.1"
        intruder.write(intruder.env_file, f"DATABASE_URL=postgresql://u@{host}:{port}/x{query}\n")
        assert main.main(["verify", "database"], configuration) != 0
    assert not any(SECRET.encode() in said for said in heard)
    assert SECRET not in "".join(capsys.readouterr())


def test_checks_run_as_the_user(intruder: Intruder) -> None:
    def look(_context: Any, _options: Any) -> Verdict:
        return Verdict("health", summary=f"{os.getuid()} {os.getgid()} {os.environ['HOME']} {os.getsid(0)}")

    options = {**defaults(COMMON), "user": NAME, "root": str(intruder.root)}
    report = run_suite({"health": look}, options)
    uid, gid, home, session = report["verdicts"][0]["summary"].split()
    assert (uid, gid, home) == ("65534", "65534", intruder.account.home)
    assert int(session) != os.getsid(0)


def test_the_process_that_looks_may_be_ended_by_the_user(intruder: Intruder) -> None:
    def end(_context: Any, _options: Any) -> Verdict:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    options = {**defaults(COMMON), "user": NAME, "root": str(intruder.root)}
    report = run_suite({"health": end}, options)
    assert (report["state"], report["verdicts"][0]["kind"]) == ("error", "killed")


def test_a_notice_of_maintenance_moves_no_cursor(
    intruder: Intruder, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    notice = {"since": HOSTILE, "reason": HOSTILE, "by": HOSTILE}
    intruder.write(intruder.root / "shared/maintenance.json", json.dumps(notice))
    services.tell_maintenance(common.load_configuration(configuration))
    assert main.main(["restart"], configuration) != 0
    captured = capsys.readouterr()
    assert "in maintenance since" in captured.out
    assert not any(letter in captured.out + captured.err for letter in "\x1b\x9b\x07\u202e")


# -- psql on a terminal of its own ---------------------------------------------------------------

PSQL = """#!/usr/bin/python3
import fcntl, os, sys, termios
own = os.ttyname(0)
open("/dev/tty", "rb", buffering=0)
print("arguments", *sys.argv[1:], flush=True)
print("uid", os.getuid(), "terminal", own, "size", *os.get_terminal_size(0), flush=True)
for letter in b"injected\\n":
    try:
        fcntl.ioctl(0, termios.TIOCSTI, bytes([letter]))
    except OSError as error:
        print("refused", error.errno, flush=True)
        break
print("typed", sys.stdin.readline().strip(), flush=True)
os.write(1, b"\\x1b]0;title\\x07\\x1b[6n\\x1b[1mbold\\x1b[0m ")
sys.exit(7)
"""


def talk(program: str, master: int, child: int, keys: bytes) -> tuple[str, int]:
    said, deadline = b"", time.monotonic() + 20
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            said += part
            if keys and b"uid" in said:
                os.write(master, keys)
                keys = b""
    _pid, status = os.waitpid(child, 0)
    return said.decode("utf-8", "replace"), os.waitstatus_to_exitcode(status)


def test_db_has_a_terminal_of_its_own(
    intruder: Intruder, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = intruder.victim.parent / "psql"
    program.write_text(PSQL)
    program.chmod(0o755)
    intruder.write(intruder.env_file, "DATABASE_URL=postgresql://u:p@127.0.0.1:1/x\n")
    monkeypatch.setattr(accounts, "SEARCH_PATH", f"{program.parent}:/usr/bin:/bin")
    ours = os.getpid()
    child, master = pty.fork()
    if child == 0:
        status = 99
        try:
            # As a shell of root's would: it reads the terminal when the command has ended.
            status = main.main(["db"], configuration)
            os.write(1, b"our terminal " + os.ttyname(0).encode() + b"\n")
            os.set_blocking(0, False)
            try:
                left = os.read(0, 100)
            except BlockingIOError:
                left = b""
            os.write(1, b"left " + repr(left).encode() + b"\n")
        finally:
            os._exit(status)
    assert os.getpid() == ours
    said, status = talk(str(program), master, child, b"hello\n")
    os.close(master)
    assert status == 7, said
    assert "arguments --no-psqlrc" in said and "uid 65534" in said
    theirs = said.split("terminal ", 1)[1].split()[0]
    own = said.split("our terminal ", 1)[1].split()[0]
    assert theirs != own
    # Where the kernel lets it type into its terminal, that is not ours. Our keys may come too late for it.
    left = said.split("left ", 1)[1].split()[0]
    assert left in ("b''", repr(b"hello\n"))
    # Where it was faster than our keys, it has read what it typed itself, into its own terminal.
    assert "hello" in said or "typed injected" in said
    # It may colour what it says, and not have our terminal do or type anything.
    assert "\x1b[1mbold\x1b[0m" in said and "title" not in said and "\x1b[6n" not in said


def test_db_without_a_terminal_hands_files_on(intruder: Intruder, configuration: str, tmp_path: Path) -> None:
    program = intruder.victim.parent / "psql"
    # Data stays as it is; what goes to people does not.
    complaint = r"printf 'no \033]0;owned\007\033[2Jbase\342\200\256\n' >&2"
    program.write_text(f"#!/bin/sh\nid -u; cat; echo \"$@\"; printf '\\033\\n'; {complaint}; exit 3\n")
    program.chmod(0o755)
    intruder.write(intruder.env_file, "DATABASE_URL=postgresql://u:p@127.0.0.1:1/x\n")
    code = (
        "import sys\n"
        f"from {main.__name__} import main\n"
        f"import {accounts.__name__} as accounts\n"
        f"accounts.SEARCH_PATH = {str(program.parent)!r} + ':/usr/bin:/bin'\n"
        f"sys.exit(main(['db', '-A'], {configuration!r}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input="select 1;\n",
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[5] / ".cache/collections")},
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "65534\nselect 1;\n--no-psqlrc -A\n\x1b\n"), done.stderr
    assert done.stderr.startswith("no ") and "base" in done.stderr
    assert not any(letter in done.stderr for letter in "\x1b\x07\x9b\u202e"), done.stderr


@pytest.mark.parametrize("command", ["releases", "status", "db"])
def test_a_root_that_leads_where_the_user_may_not_look_is_told(
    intruder: Intruder, configuration: str, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    private = intruder.home.parent / "private"
    private.mkdir(mode=0o700)
    intruder.root.rename(intruder.home / "aside")
    intruder.root.symlink_to(private)
    assert main.main([command], configuration) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and said.startswith("mission-control: "), said
