"""What programs of another user say is handed on: cleaned, and where they said it."""

from __future__ import annotations

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


def test_lines_without_end_are_cut(capfd: pytest.CaptureFixture[str]) -> None:
    program = f"head -c {3 * terminal.LONGEST} /dev/zero | tr '\\0' x; echo; echo after"
    for seconds in (None, 60.0):
        terminal.relay(["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin"}, seconds=seconds)
        out = capfd.readouterr().out
        assert len(out) < terminal.LONGEST + 70_000 and out.endswith("bytes left out)\nafter\n")
