# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    accounts,
    acting_as,
    command_stream,
    commands,
    environment_digest,
    environment_file,
    errors,
    listeners,
    proc_files,
    processes,
    processor_time,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    process_environment as environ,
)
from hypothesis import given
from hypothesis import strategies as st

STATUS = "Name:\tuvicorn\nUid:\t1000\t1000\t1000\t1000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
# 52 fields as the kernel prints them; the name holds blanks and a parenthesis on purpose.
STAT = (
    "{pid} (odd) name (x) S 7 1 1 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 5 0 "
    "{start} 1000000 {rss} 18446744073709551615" + " 0" * 27
)
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1
   1: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4343 1
   2: 0100007F:1F40 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4444 1
"""
TCP6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:18EB 00000000000000000000000000000000:0000 0A 0:0 0:0 0 109 0 5555 1
   1: 0000000000000000FFFF00000100007F:18EC 00000000000000000000000000000000:0000 0A 0:0 0:0 0 109 0 5656 1
"""


def make_process(
    proc: Path,
    pid: int,
    *,
    name: str = "uvicorn",
    environ: bytes = b"",
    cgroup: str = "",
    sockets: tuple[int, ...] = (),
    uid: int = 1000,
    cwd: str = "/srv/releases/abc/backend",
) -> None:
    directory = proc / str(pid)
    (directory / "fd").mkdir(parents=True)
    (directory / "ns").mkdir()
    (directory / "stat").write_text(STAT.format(pid=pid, start=3000, rss=10))
    (directory / "status").write_text(STATUS.replace("uvicorn", name).replace("\t1000\t", f"\t{uid}\t"))
    (directory / "cmdline").write_bytes(b"/venv/bin/python\0-m\0uvicorn\0")
    (directory / "environ").write_bytes(environ)
    (directory / "cgroup").write_text(cgroup)
    (directory / "cwd").symlink_to(cwd)
    (directory / "exe").symlink_to("/usr/bin/python3.13")
    (directory / "ns" / "user").symlink_to("user:[4026531837]")
    for number, inode in enumerate(sockets):
        (directory / "fd" / str(number)).symlink_to(f"socket:[{inode}]")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "stat").write_text("cpu 1 2 3\nbtime 1700000000\n")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TCP)
    (tmp_path / "net" / "tcp6").write_text(TCP6)
    return tmp_path


BACKEND = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/mission-control-backend.service\n"


def test_evidence_of_a_process(proc: Path) -> None:
    make_process(proc, 42, environ=b"A=1\0TOKEN=secret\0INVOCATION_ID=x\0", cgroup=BACKEND)
    evidence = processes.process_evidence(42, proc)
    assert evidence is not None
    assert evidence.ppid == 7
    assert evidence.uid == 1000
    assert evidence.name == "uvicorn"
    assert evidence.command == ("/venv/bin/python", "-m", "uvicorn")
    assert evidence.cwd == "/srv/releases/abc/backend"
    assert evidence.started == pytest.approx(1700000000 + 3000 / os.sysconf("SC_CLK_TCK"))
    assert evidence.rss_bytes == 10 * os.sysconf("SC_PAGE_SIZE")
    assert evidence.cpu_seconds == pytest.approx(200 / os.sysconf("SC_CLK_TCK"))
    assert evidence.threads == 5
    assert (evidence.seccomp, evidence.no_new_privs) == (2, True)
    assert evidence.namespaces == {"user": 4026531837}
    assert evidence.unit == "mission-control-backend.service"
    assert evidence.deleted is False
    assert "secret" not in repr(evidence)


def test_of_a_process_that_shows_much_more_than_it_was_started_with_little_is_read(proc: Path) -> None:
    """It can have both lead to any part of its memory, also to what it has only reserved."""
    make_process(proc, 42)
    for name, most in (("cmdline", 1 << 16), ("environ", 8 << 20)):
        with (proc / "42" / name).open("r+b") as file:
            file.truncate(most * 8)
    evidence = processes.process_evidence(42, proc)
    assert evidence is not None and evidence.command[:3] == ("/venv/bin/python", "-m", "uvicorn")
    with (proc / "42" / "cmdline").open("r+b") as file:
        file.write(b"x" * (1 << 19))
    evidence = processes.process_evidence(42, proc)
    assert evidence is not None and sum(map(len, evidence.command)) <= 1 << 16
    assert environ.read_environment(42, proc) is None


def test_what_shows_a_processs_memory_is_read_in_one_place() -> None:
    package = Path(processes.__file__).parents[2]
    found = {
        path.name
        for path in package.rglob("*.py")
        if re.search(r"[\"']/?(cmdline|environ)[\"']\)?\s*\)?\.(read_|open)", path.read_text())
    }
    assert found == set(), "proc_files.beginning_of reads it"


def test_evidence_says_when_the_directory_is_gone(proc: Path) -> None:
    make_process(proc, 42, cwd="/srv/releases/abc/backend (deleted)")
    evidence = processes.process_evidence(42, proc)
    assert evidence is not None
    assert evidence.deleted is True
    assert evidence.cwd == "/srv/releases/abc/backend"


def test_a_process_that_is_gone_is_none(proc: Path) -> None:
    assert processes.process_evidence(43, proc) is None


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        (BACKEND, "mission-control-backend.service"),
        ("0::/user.slice/user-0.slice/session-3.scope\n", "session-3.scope"),
        ("12:pids:/x\n1:name=systemd:/system.slice/ssh.service\n0::/\n", "ssh.service"),
        ("0::/user.slice/user@1000.service/init.scope\n", "init.scope"),
        ("0::/\n", None),
        ("", None),
        # A user names the groups below his own: only a line feed, which he cannot put in, ends a line.
        *(
            (f"0::/user@1000.service/a{end}0::/x/backend.service/b\n", "backend.service")
            for end in "\x85\r\x1d"
        ),
        *((f"0::/user@1000.service/a{end}b\n", "user@1000.service") for end in "\x85\r\x0b\u2028"),
    ],
)
def test_unit_of_a_process(proc: Path, text: str, unit: str | None) -> None:
    make_process(proc, 50, cgroup=text)
    assert proc_files.unit_of_process(50, proc) == unit


def test_a_name_adds_nothing_to_what_the_kernel_says(proc: Path) -> None:
    make_process(proc, 50, name="odd\x85Uid:\t0\rCapEff:\t0\u2028Seccomp:\t9")
    assert set(proc_files.status_of(50, proc)) - {""} == {"Name", "Uid", "NoNewPrivs", "Seccomp"}


def test_processes_of_a_unit(proc: Path) -> None:
    make_process(proc, 42, cgroup=BACKEND)
    make_process(proc, 43, cgroup=BACKEND)
    make_process(proc, 44, cgroup="0::/system.slice/ssh.service\n")
    own = (proc / "42").stat().st_uid
    assert processes.processes_of_unit("mission-control-backend.service", own, proc) == [42, 43]
    assert processes.processes_of_unit("mission-control-backend.service", own + 1, proc) == []


def test_listeners_name_the_service_before_the_manager(proc: Path) -> None:
    make_process(proc, 30, name="systemd", cgroup="0::/x/user@1000.service/init.scope\n", sockets=(4242,))
    make_process(proc, 42, name="uvicorn", cgroup=BACKEND, sockets=(9, 4242))
    found = listeners.listeners(proc)
    assert [(entry.port, entry.protocol, entry.address) for entry in found] == [
        (3000, "tcp", "0.0.0.0"),
        (6379, "tcp6", "::1"),
        (6380, "tcp6", "127.0.0.1"),
        (8000, "tcp", "127.0.0.1"),
    ]
    backend = found[-1]
    assert (backend.pid, backend.pids, backend.command) == (42, (42, 30), "uvicorn")
    evidence = processes.process_evidence(42, proc)
    assert evidence is not None
    assert (backend.state, backend.started) == (evidence.state, evidence.started)
    assert backend.unit == "mission-control-backend.service"
    assert backend.uid == 1000
    assert (found[0].pid, found[0].command, found[0].unit) == (None, "", None)


def listener_at(proc: Path, port: int) -> listeners.Listener:
    return next(entry for entry in listeners.listeners(proc) if entry.port == port)


def test_who_listens_is_looked_for_with_the_users_who_do_and_root(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else is on the host may have as many files open as he likes."""
    make_process(proc, 30, uid=0, sockets=(5555,))
    make_process(proc, 42, uid=1000, sockets=(4242,))
    make_process(proc, 50, uid=1234, sockets=(*range(100), 4242))
    looked: list[int] = []
    scandir = os.scandir

    def watched(path: object) -> object:
        if str(path).endswith("/fd"):
            looked.append(int(Path(str(path)).parent.name))
        return scandir(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", watched)
    found = listeners.listeners(proc)
    assert set(looked) == {30, 42}
    assert [entry.pid for entry in found] == [None, 30, None, 42] and not any(
        entry.unknown for entry in found
    )


def test_a_user_with_too_many_files_open_hides_no_other(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "DESCRIPTORS", 300, raising=False)
    make_process(proc, 30, uid=109, sockets=(5555,))
    for pid in range(40, 50):
        make_process(proc, pid, uid=1000, sockets=tuple(range(100)))
    # After all of those, and beyond what is looked at: its first descriptors as well.
    make_process(proc, 60, uid=1000, sockets=(4242,))
    hidden, other = listener_at(proc, 8000), listener_at(proc, 6379)
    assert (hidden.pid, hidden.pids, hidden.command, hidden.unit, hidden.unknown) == (
        None,
        (),
        "",
        None,
        True,
    )
    assert (other.pid, other.unknown) == (30, False)


def test_who_listens_is_found_among_many_connections(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process opened first is looked at first."""
    monkeypatch.setattr(listeners, "DESCRIPTORS", 300, raising=False)
    make_process(proc, 41, uid=1000, sockets=tuple(range(1000)))
    make_process(proc, 60, uid=1000, sockets=(4242,))
    assert (listener_at(proc, 8000).pid, listener_at(proc, 8000).unknown) == (60, False)
    assert listener_at(proc, 3000).unknown


def test_a_look_at_descriptors_takes_no_longer_than_it_may(proc: Path) -> None:
    make_process(proc, 42, uid=1000, sockets=tuple(range(50)))
    moments = iter(range(10_000))
    found = listeners.listeners(proc, clock=lambda: next(moments) * 0.3)
    assert [entry.unknown for entry in found if entry.uid == 1000] == [True, True]
    assert next(moments) < 20


def test_listeners_of_some_ports(proc: Path) -> None:
    assert [entry.port for entry in listeners.listeners(proc, {8000, 1})] == [8000]


def test_listeners_of_this_machine_agree_with_a_real_socket() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        (found,) = listeners.listeners(ports={port})
    assert (found.address, found.pid, found.uid) == ("127.0.0.1", os.getpid(), os.geteuid())


def test_cpu_shares_of_a_busy_and_an_idle_process() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    idle = subprocess.Popen(["sleep", "60"])
    try:
        # Long enough for a busy one to get its turn where others want the processor too.
        shares = processor_time.cpu_shares([busy.pid, idle.pid, 2**22 + 1], 2.0)
    finally:
        for child in (busy, idle):
            child.kill()
            child.wait()
    # Of each processor it gets what the others that want one leave it.
    waiting = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / 2)
    assert shares[busy.pid] > 0.15 / waiting
    assert shares[idle.pid] < 0.05
    assert set(shares) == {busy.pid, idle.pid}


def test_cpu_share_uses_the_time_that_really_passed(proc: Path) -> None:
    make_process(proc, 42)
    times = iter([10.0, 12.0])

    def sleep(_seconds: float) -> None:
        text = (proc / "42" / "stat").read_text().replace(" 150 50 ", " 250 50 ")
        (proc / "42" / "stat").write_text(text)

    shares = processor_time.cpu_shares([42], 1.0, clock=lambda: next(times), sleep=sleep, proc=proc)
    assert shares == {42: pytest.approx(100 / os.sysconf("SC_CLK_TCK") / 2.0)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\nB=two words\n", {"A": "1", "B": "two words"}),
        ("# no\n; no\n\n  A=1  \n", {"A": "1"}),
        ('A="x # y"\nB=x # y\n', {"A": "x # y", "B": "x # y"}),
        ("A='it''s'\n", {"A": "its"}),
        ('A="a\\"b\\\\c\\$d\\n"\n', {"A": 'a"b\\c$d\\n'}),
        ("A=a\\b\n", {"A": "ab"}),
        ("A=one\\\ntwo\n", {"A": "onetwo"}),
        ('A=" padded "\n', {"A": " padded "}),
        ("A=\nB=\n", {"A": "", "B": ""}),
        ("no assignment\nA=1", {"A": "1"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("# comment\\\nA=1\nB=2\n", {"B": "2"}),
        ("URL=postgresql+psycopg://u:p@h/d?x=y\n", {"URL": "postgresql+psycopg://u:p@h/d?x=y"}),
    ],
)
def test_environment_files_are_read_as_systemd_reads_them(text: str, expected: dict[str, str]) -> None:
    assert environment_file.parse_environment_file(text) == expected


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True),
        st.from_regex(r"[A-Za-z0-9_./:@,=-]{0,20}", fullmatch=True),
    )
)
def test_plain_environment_files_round_trip(values: dict[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    assert environment_file.parse_environment_file(text) == values


@given(st.text(alphabet="AB= \n\\\"'#;\t$", max_size=30))
def test_any_environment_file_is_read_to_its_end(text: str) -> None:
    assert all("\n" not in name for name in environment_file.parse_environment_file(text))


def test_environment_digest_ignores_what_each_start_changes() -> None:
    first = environment_digest.environment_digest({"A": "1", "INVOCATION_ID": "a", "WATCHDOG_PID": "7"})
    second = environment_digest.environment_digest({"A": "1", "INVOCATION_ID": "b"})
    assert first == second == hashlib.sha256(b"A=1\0").hexdigest()
    assert environment_digest.environment_digest({"A": "2"}) != first


def test_environment_digest_of_names_tells_unset_from_empty() -> None:
    assert environment_digest.environment_digest({"A": ""}, ["A"]) != environment_digest.environment_digest(
        {}, ["A"]
    )
    assert environment_digest.environment_digest(
        {"A": "1", "B": "2"}, ["A"]
    ) == environment_digest.environment_digest({"A": "1", "B": "3"}, ["A"])


def test_environment_differences_name_only_names() -> None:
    child = subprocess.Popen(["sleep", "60"], env={"A": "1", "B": "secret"})
    try:
        deadline = time.monotonic() + 5
        while environ.read_environment(child.pid) != {"A": "1", "B": "secret"}:
            assert time.monotonic() < deadline
        assert environ.environment_differences(child.pid, {"A": "1", "B": "other", "C": "x"}) == [
            "B",
            "C",
        ]
    finally:
        child.kill()
        child.wait()
    assert environ.environment_differences(2**22 + 1, {"A": "1"}) is None


def test_an_unknown_user_is_named_with_a_remedy() -> None:
    with pytest.raises(errors.HostError, match="no user nobody-here") as caught:
        accounts.find_account("nobody-here")
    assert caught.value.kind == "no_such_user"
    assert "Create it" in caught.value.remedy


def test_home_is_the_accounts_own() -> None:
    account = accounts.Account("x", 1234, 1234, "/home/x")
    assert accounts.expand_home("~/a", account) == "/home/x/a"
    assert accounts.expand_home("~", account) == "/home/x"
    assert accounts.expand_home("/srv/~", account) == "/srv/~"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="acting for another user needs root")


@needs_root
def test_commands_run_as_the_account_in_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAK", "1")
    nobody = accounts.find_account("nobody")
    done = commands.run(["sh", "-c", "id -u; id -G; env"], account=nobody)
    lines = done.stdout.splitlines()
    assert lines[0] == str(nobody.uid)
    assert lines[1].split() == [str(group) for group in nobody.groups]
    assert f"XDG_RUNTIME_DIR=/run/user/{nobody.uid}" in lines
    assert not any(line.startswith("LEAK=") for line in lines)


@needs_root
def test_files_are_touched_with_the_rights_of_the_account(tmp_path: Path) -> None:
    nobody = accounts.find_account("nobody")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret").chmod(0o600)
    with acting_as.acting_as(nobody), pytest.raises(PermissionError):
        (tmp_path / "secret").read_text()
    assert (tmp_path / "secret").read_text() == "x"
    assert os.geteuid() == 0


@pytest.mark.parametrize(
    ("argv", "timeout", "kind"),
    [(["no-such-command-here"], 5.0, "no_such_command"), (["sleep", "30"], 0.2, "timeout")],
)
def test_commands_that_cannot_run_are_explained(argv: list[str], timeout: float, kind: str) -> None:
    with pytest.raises(errors.HostError) as caught:
        commands.run(argv, timeout=timeout)
    assert caught.value.kind == kind
    assert caught.value.remedy


def test_a_stream_ends_its_command_when_it_is_left() -> None:
    with command_stream.stream(["sh", "-c", "echo $$; exec yes"]) as lines:
        pid = int(next(iter(lines)))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_stream_that_fails_says_why() -> None:
    with (
        command_stream.stream(["sh", "-c", "echo out; echo why >&2; exit 3"]) as lines,
        pytest.raises(errors.HostError, match="why"),
    ):
        assert list(lines) == ["never"]
