"""Work by a user who may make it endless."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import owners
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import locks
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import Account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
# It says where it is, and hears no signal but the last.
HANGS = """
import os, pathlib, signal, sys, time, types
from ansible_collections.openclaw.mission_control.plugins.module_utils._backup import owners, repository
def hang(account):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(said, str(os.getpid()).encode() + bytes([10]))
    time.sleep(600)
said = os.dup(1)
with repository.alone(types.SimpleNamespace(directory=pathlib.Path(sys.argv[1])), "a backup"):
    owners.by_owner("nobody", hang, keep=[said])
"""


def test_work_that_goes_on_has_its_time_anew() -> None:
    """All of it takes longer than a silence may."""

    def work(_account: Account) -> str:
        for _ in range(6):
            time.sleep(1)
            owners.alive()
        return "done"

    assert owners.by_owner("nobody", work, silence=4) == "done"


def test_work_that_hangs_is_ended_and_told() -> None:
    with pytest.raises(DeploymentError, match="nothing has come of what belongs to nobody") as stalled:
        owners.by_owner("nobody", lambda _account: time.sleep(600), silence=0.5)
    assert stalled.value.kind == "stalled" and "DATABASE_URL" in stalled.value.remedy


def test_a_process_that_hangs_keeps_no_other_run_away(tmp_path: Path) -> None:
    """Also where whoever waited for it was killed, of which it does not hear."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    lock = tmp_path / "lock"
    try:
        with pytest.raises(HostError, match="holds"), locks.deployment_lock(lock, purpose="2", timeout=0):
            pass
        process.kill()
        process.wait()
        with locks.deployment_lock(lock, purpose="the next", timeout=0):
            assert Path(f"/proc/{child}").exists()
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def test_who_watches_ends_what_has_no_end() -> None:
    """The user's work goes on and says so; what it takes of root's disk is for root to see."""
    looks = []

    def full() -> None:
        looks.append(1)
        if len(looks) > 2:
            raise DeploymentError("The disk is full.", kind="no_room")

    def work(_account: Account) -> None:
        while True:
            time.sleep(0.1)
            owners.alive()

    with pytest.raises(DeploymentError, match="disk is full"):
        owners.by_owner("nobody", work, watch=full)
