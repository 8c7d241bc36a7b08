"""The border: what a user's process may do, what it may ask root, and how a user's files are read."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    journal,
    journal_from_root,
    privileges,
    root_questions,
    root_side,
    user_entries,
    user_file_status,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.listeners import listeners
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.privileges import as_user
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.processes import process_evidence
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.user_files import UserFiles
from border import KINDS, NAME, SECRET, Intruder, intruder, needs_root

__all__ = ["intruder"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_stands_in_a_files_place(intruder: Intruder, kind: str) -> None:
    intruder.replace(intruder.env_file, kind)
    files, started = UserFiles(intruder.account), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if kind == "garbled":
        assert "garbled" in files.read(intruder.env_file)
    else:
        with pytest.raises(OSError) as refused:
            files.read(intruder.env_file)
        assert refused.value.errno in (errno.EACCES, errno.EINVAL, errno.EFBIG, errno.EISDIR)
        assert SECRET not in str(refused.value)
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before < 64 << 10


def test_a_linked_directory_leads_no_farther_than_the_user_may_go(intruder: Intruder) -> None:
    closed = intruder.victim.parent / "closed"
    closed.mkdir(mode=0o700)
    (closed / "backend").mkdir()
    (closed / "backend" / ".env").write_text(SECRET)
    (intruder.root / "current").unlink()
    (intruder.root / "current").symlink_to(closed)
    files = UserFiles(intruder.account)
    assert not files.exists(intruder.root / "current" / "backend" / ".env")
    with pytest.raises(PermissionError):
        files.read(intruder.root / "current" / "backend" / ".env")
    with pytest.raises(PermissionError):
        user_file_status.status_of(files, intruder.root / "current" / "backend")


def test_what_is_there_is_told(intruder: Intruder) -> None:
    intruder.write(intruder.env_file, "A=1\n")
    files = UserFiles(intruder.account)
    assert files.read(intruder.env_file) == "A=1\n"
    assert files.target(intruder.root / "current") == "releases/one"
    assert files.resolved(intruder.root / "current") == intruder.root / "releases/one"
    status = user_file_status.status_of(files, intruder.env_file)
    assert status.regular and not status.directory and abs(status.changed - time.time()) < 60
    assert user_file_status.is_there(files, intruder.root / "current") and not user_file_status.is_there(
        files, intruder.root / "nothing"
    )
    assert user_entries.texts(files, intruder.backend, ".e*") == {".env": "A=1\n"}
    assert [age < 60 for age in user_entries.ages(files, intruder.root, time.time())] == [True] * 3


@needs_root
def test_a_look_that_hangs_is_ended() -> None:
    started = time.monotonic()
    with pytest.raises(HostError) as late:
        as_user(NAME, lambda _account: time.sleep(60), deadline=0.5)
    assert late.value.kind == "timeout" and time.monotonic() - started < 10


@needs_root
@pytest.mark.parametrize("how", ["stopped", "deaf"])
def test_whoever_stops_the_child_keeps_root_from_nothing(
    intruder: Intruder, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The user can stop the process that works as him, or have it hear no signal but the last."""
    monkeypatch.setattr(privileges, "_LOOK", 0.05)
    monkeypatch.setattr(privileges, "_PATIENCE", 3.0)
    child = intruder.root / "child"

    def work(_account: Account) -> None:
        child.write_text(str(os.getpid()))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if how == "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(600)

    with pytest.raises(HostError) as caught:
        as_user(NAME, work, deadline=None if how == "stopped" else 3)
    assert caught.value.kind == ("stopped" if how == "stopped" else "timeout")
    assert not Path(f"/proc/{child.read_text()}").exists()


@needs_root
def test_a_process_that_has_become_a_user_has_no_terminal() -> None:
    own = os.getsid(0)
    found = as_user(NAME, lambda account: [os.getuid(), os.getgid(), os.getsid(0), os.fstat(0).st_rdev])
    assert found[0] == 65534 and found[2] not in (0, own)
    assert found[3] == Path(os.devnull).stat().st_rdev


@needs_root
def test_blanks_in_an_answer_are_no_signs_of_life() -> None:
    """As many as are read at one go, and more."""
    text = f"a{' ' * (1 << 20)}b"

    def work(_account: Account) -> str:
        os.write(privileges.signs[0], privileges.SIGN)
        return text

    assert as_user("nobody", work, deadline=20) == text


@needs_root
def test_a_process_that_has_become_a_user_has_nothing_that_root_has_open(tmp_path: Path) -> None:
    """Neither a lock, nor the terminal, nor what a caller reads: but for what it is given."""

    def work(_account: Account) -> list[str]:
        return [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]

    with (tmp_path / "roots").open("w") as roots, (tmp_path / "given").open("w") as given:
        found = as_user("nobody", work, keep=[given.fileno()])
        assert roots.fileno() != given.fileno()
    files = [path for path in found if not path.startswith(("pipe:", "socket:", "/proc/"))]
    assert sorted(set(files)) == [os.devnull, str(tmp_path / "given")]
    assert sum(path.startswith("pipe:") for path in found) == 1


@needs_root
def test_root_answers_what_is_marked() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd="/root")
    try:
        without = as_user(NAME, lambda _account: getattr(process_evidence(child.pid), "cwd", None))
        with_it = as_user(
            NAME, lambda _account: getattr(process_evidence(child.pid), "cwd", None), questions=root_side
        )
    finally:
        child.communicate(b"\n")
    assert (without, with_it) == (None, "/root")


@needs_root
def test_root_answers_questions_one_after_the_other_and_refuses_what_is_none() -> None:
    def ask(_account: object) -> list[object]:
        line = root_questions._line
        assert line is not None
        found: list[object] = [len(listeners()) >= 0, getattr(process_evidence(1), "pid", None)]
        for name, arguments in (
            ("processes.process_evidence", ["../home/nobody"]),
            ("journal_from_root._close_journal", [1]),
        ):
            try:
                found.append(line.ask(name, arguments, {}))
            except HostError as error:
                found.append(error.message.split(":")[0])
        return found

    assert as_user(NAME, ask, questions=root_side) == [
        True,
        1,
        "processes.process_evidence",
        "journal_from_root._close_journal",
    ]


@needs_root
def test_an_answer_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's processes may make looking at them take as long as they like."""
    monkeypatch.setitem(root_questions.QUESTIONS, "test.slow", lambda: time.sleep(8))
    monkeypatch.setattr(root_side, "PATIENCE", 0.3)

    def ask(_account: Account) -> list[object]:
        line = root_questions._line
        assert line is not None
        try:
            line.ask("test.slow", [], {})
        except HostError as error:
            return [error.kind, getattr(process_evidence(1), "pid", None)]
        return ["answered"]

    started = time.monotonic()
    assert as_user(NAME, ask, questions=root_side) == ["timeout", 1]
    assert time.monotonic() - started < 6


@needs_root
def test_questions_do_not_put_off_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(root_questions.QUESTIONS, "test.slow", lambda: time.sleep(0.2))

    def ask(_account: Account) -> None:
        line = root_questions._line
        assert line is not None
        # Without waiting for what is answered: the next one is always there.
        question = b'["test.slow", [], {}]'
        line._connection.sendall((len(question).to_bytes(4, "big") + question) * 40)
        time.sleep(10)

    started = time.monotonic()
    with pytest.raises(HostError) as late:
        as_user(NAME, ask, deadline=1, questions=root_side)
    assert late.value.kind == "timeout" and time.monotonic() - started < 6


@needs_root
def test_what_is_no_question_ends_the_conversation() -> None:
    def ask(_account: object) -> str:
        assert root_questions._line is not None
        try:
            root_questions._line.ask("os.system", ["id"], {})
        except (OSError, EOFError):
            return "refused"
        return "answered"

    assert as_user(NAME, ask, questions=root_side) == "refused"


@needs_root
def test_the_journal_comes_from_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "journalctl"
    program.write_text(
        '#!/bin/sh\nprintf \'{"__REALTIME_TIMESTAMP":"1000000","MESSAGE":"%s %s"}\\n\' "$(id -u)" "$*"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(journal_from_root, "SEARCH_PATH", f"{tmp_path}:/usr/bin:/bin")

    def read(account: Account) -> list[str]:
        entries = journal.read_journal(account, ["backend"], from_root=journal_from_root.from_root(account))
        return [entry.message for entry in entries]

    lines = as_user(NAME, read, questions=root_side)
    assert len(lines) == 1 and lines[0].startswith("0 ")
    assert "_UID=65534" in lines[0] and "--user" not in lines[0]


@needs_root
def test_a_journal_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "journalctl"
    program.write_text("#!/bin/sh\necho out of order >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(journal_from_root, "SEARCH_PATH", f"{tmp_path}:/usr/bin:/bin")

    def read(account: Account) -> list[journal.JournalEntry]:
        return list(journal.read_journal(account, from_root=journal_from_root.from_root(account)))

    with pytest.raises(HostError, match="out of order"):
        as_user(NAME, read, questions=root_side)
