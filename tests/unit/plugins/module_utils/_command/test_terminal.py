"""What programs of another user say is handed on: cleaned, and where they said it."""

from __future__ import annotations

import contextlib
import os
import pty
import sys
import time

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import terminal
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError


def test_output_and_complaints_stay_apart(capfd: pytest.CaptureFixture[str]) -> None:
    program = "printf 'said\\033[31m\\n'; printf 'complained\\033]0;x\\007\\n' >&2; exit 3"
    status = terminal.relay(["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin"})
    out, err = capfd.readouterr()
    assert status == 3
    assert out.startswith("said") and err.startswith("complained")
    assert "\x1b" not in out + err and "complained" not in out


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("echo said; kill -STOP $$; echo more", "stopped"),
        ("echo said; exec sleep 60", "timeout"),
        ("echo said; while echo x; do :; done", "timeout"),
    ],
)
def test_a_program_that_does_not_end_is_ended(
    program: str, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with pytest.raises(HostError) as told:
        terminal.relay(["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin"}, seconds=1)
    assert told.value.kind == kind and time.monotonic() - began < 20
    assert capfd.readouterr().out.startswith("said\n")


def test_a_pipe_that_somebody_holds_open_is_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(HostError):
        terminal.relay(["/bin/sh", "-c", "setsid sleep 30 & exit 0"], {"PATH": "/usr/bin:/bin"}, seconds=1)
    assert time.monotonic() - began < 20


# Talks with a program as `mission-control db` does, and says when that has ended.
CONVERSING = """
import sys
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import terminal
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
status = terminal.converse(["/bin/sh", "-c", sys.argv[1]], {"PATH": "/usr/bin:/bin"}, find_account())
print(f"ended with {status}", flush=True)
"""


def test_who_holds_its_terminal_open_goes_on_talking_to_nobody() -> None:
    """Else his prompt would look like ours, and he would be told what is typed at it."""
    said = "exec 2>&1; setsid sh -c 'sleep 3; echo password:; sleep 40' & echo 42; exit 3"
    heard = b""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", CONVERSING, said])  # noqa: S606 (a shell of its own)
    began = time.monotonic()
    with contextlib.suppress(OSError):  # EIO: it has ended
        while piece := os.read(master, 4096):
            heard += piece
    os.close(master)
    os.waitpid(pid, 0)
    assert time.monotonic() - began < 30
    assert b"42" in heard and b"ended with 3" in heard and b"password:" not in heard


def test_what_a_program_said_last_is_shown_whole() -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", CONVERSING, "seq 20000"])  # noqa: S606 (as above)
    heard = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 1 << 16):
            heard += piece
    os.close(master)
    os.waitpid(pid, 0)
    assert [line for line in heard.split() if line.isdigit()][:20000] == [b"%d" % n for n in range(1, 20001)]


def test_lines_without_end_are_cut(capfd: pytest.CaptureFixture[str]) -> None:
    program = f"head -c {3 * terminal.LONGEST} /dev/zero | tr '\\0' x; echo; echo after"
    for seconds in (None, 60.0):
        terminal.relay(["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin"}, seconds=seconds)
        out = capfd.readouterr().out
        assert len(out) < terminal.LONGEST + 70_000 and out.endswith("bytes left out)\nafter\n")
