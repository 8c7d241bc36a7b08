"""What goes along into a process that has become a user, and what stays of it: no keys, no process."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import common, terminal
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import (
    command_stream,
    commands,
    enclosure,
    leaving,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.privileges import as_user
from border import NAME, needs_root
from source_tree import FILES

pytestmark = needs_root

KEYCTL = 250 if os.uname().machine == "x86_64" else 219
# Says which session keyring it has.
PROGRAM = f"import ctypes; print(ctypes.CDLL(None).syscall({KEYCTL}, 0, ctypes.c_long(-3), 0), flush=True)"
# Ours may lie where only root may go.
ARGV = ["/usr/bin/python3", "-S", "-c", PROGRAM]
# A process of its own session, which nobody waits for: its number comes first.
LEFT = ["/bin/sh", "-c", "setsid sleep 300 >/dev/null 2>&1 & echo $!"]
ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def keyring(*more: int) -> int:
    arguments = [ctypes.c_long(number) for number in (*(more or (0, -3)), 0)]
    return int(ctypes.CDLL(None).syscall(ctypes.c_long(KEYCTL), *arguments))


def apart(work: Callable[[], Any]) -> str:
    """What the work says, in a process of root's that has a session keyring with something in it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.dup2(writer, 1)
            sys.stdout = os.fdopen(1, "w", buffering=1)
            assert keyring(1) > 0
            print(f"root {keyring()}", flush=True)
            said = work()
            if said is not None:
                print(said, flush=True)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


def streamed() -> str:
    with command_stream.stream(ARGV, account=find_account(NAME)) as lines:
        return b"".join(lines).decode()


def conversed() -> None:
    terminal.converse(ARGV, ENVIRONMENT, find_account(NAME))


def become_for_good() -> str:
    common.become(find_account(NAME))
    return str(keyring())


WAYS: dict[str, Callable[[], Any]] = {
    "as_user": lambda: as_user(NAME, lambda _account: keyring()),
    "run": lambda: commands.run(ARGV, account=find_account(NAME)).stdout,
    "stream": streamed,
    "relay": lambda: (terminal.relay(ARGV, ENVIRONMENT, find_account(NAME)), None)[1],
    "converse": conversed,
    "become": become_for_good,
}


@pytest.mark.parametrize("way", WAYS)
def test_roots_keys_stay_with_root(way: str) -> None:
    if keyring() < 0:
        pytest.skip("this kernel has no keys, or does not let us use them")
    first, *others = apart(WAYS[way]).split("\n")
    theirs = [int(text) for text in others if text.strip()]
    # A keyring, and not root's.
    assert len(theirs) == 1 and theirs[0] > 0 and f"root {theirs[0]}" != first


@pytest.mark.parametrize(
    ("number", "goes_on"), [(errno.ENOSYS, True), (errno.EPERM, True), (errno.EDQUOT, False)]
)
def test_without_keys_it_goes_on_and_else_it_does_not(
    monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def refuse(*_arguments: object) -> int:
        ctypes.set_errno(number)
        return -1

    monkeypatch.setattr(leaving, "_SYSCALL", refuse)
    if goes_on:
        leaving._leave_keys()
    else:
        with pytest.raises(OSError, match="keyring"):
            leaving._leave_keys()


def has_groups() -> bool:
    with enclosure.enclosure() as group:
        return group is not None


needs_groups = pytest.mark.skipif(
    os.geteuid() != 0 or not has_groups(), reason="this machine has no control groups for us"
)


def gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    return False


def left_by_work(_account: Account) -> int:
    return int(subprocess.run(LEFT, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT).stdout)


def left_by_stream() -> int:
    with command_stream.stream(LEFT, account=find_account(NAME)) as lines:
        return int(next(iter(lines)))


def left_by(talk: Callable[..., int]) -> int:
    return int(apart(lambda: (talk(LEFT, ENVIRONMENT, find_account(NAME)), None)[1]).split("\n")[1])


LEAVING: dict[str, Callable[[], int]] = {
    "as_user": lambda: int(as_user(NAME, left_by_work)),
    "run": lambda: int(commands.run(LEFT, account=find_account(NAME)).stdout),
    "stream": left_by_stream,
    "relay": lambda: left_by(lambda *given: terminal.relay(*given)),
    "converse": lambda: left_by(lambda *given: terminal.converse(*given)),
}


@needs_groups
@pytest.mark.parametrize("way", LEAVING)
def test_what_a_users_program_leaves_behind_ends_with_it(way: str) -> None:
    before = groups()
    assert gone(LEAVING[way]())
    assert groups() == before


def groups() -> set[str]:
    return {
        str(path)
        for place in enclosure._PLACES
        for path in Path(f"{place}{enclosure._own()}").glob(f"mission-control-{os.getpid()}-*")
    }


@needs_groups
def test_what_is_to_stay_stays() -> None:
    found = [int(commands.run(LEFT, account=find_account(NAME), enclosed=False).stdout)]
    found.append(int(as_user(NAME, left_by_work, enclosed=False)))
    for pid in found:
        assert Path(f"/proc/{pid}").exists()
        os.kill(pid, signal.SIGKILL)


def test_a_host_without_a_place_for_groups_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosure, "_PLACES", ("/nowhere",))
    assert commands.run(["id", "-u"], account=find_account(NAME)).stdout == f"{find_account(NAME).uid}\n"
    assert as_user(NAME, lambda _account: os.getuid()) == find_account(NAME).uid


def test_rights_are_given_up_in_one_place() -> None:
    """Else root's keys would go along."""
    given_up = re.compile(r"\bos\.set(res|re)?[ug]id\(|\bextra_groups\b")
    found = {name for name, path in FILES.items() if given_up.search(path.read_text(encoding="utf-8"))}
    assert found == {"module_utils._host.leaving"}
