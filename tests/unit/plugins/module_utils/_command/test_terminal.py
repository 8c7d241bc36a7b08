"""What programs of another user say is handed on: cleaned, and where they said it."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._command import terminal


def test_output_and_complaints_stay_apart(capfd: pytest.CaptureFixture[str]) -> None:
    program = "printf 'said\\033[31m\\n'; printf 'complained\\033]0;x\\007\\n' >&2; exit 3"
    status = terminal.relay(["/bin/sh", "-c", program], {"PATH": "/usr/bin:/bin"})
    out, err = capfd.readouterr()
    assert status == 3
    assert out.startswith("said") and err.startswith("complained")
    assert "\x1b" not in out + err and "complained" not in out
