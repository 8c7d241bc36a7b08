# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a command together with what it has started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from . import reading


def stopped(pid: int) -> bool:
    """Whether a signal has stopped a process, or somebody traces it."""
    try:
        text = reading.read_regular(Path(f"/proc/{pid}/stat"))
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in ("T", "t")


def kill(process: subprocess.Popen[Any]) -> None:
    """End a command that leads a process group of its own, with all that it has not sent away, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
