"""The controller's half: whose run it is, what is shown. The lock itself is tested with the module."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.action import deployment

REFUSED = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - openclaw.mission_control.deployment:
        state: ended
        root: {root}
        user: {user}
        result: returned
        reason: health did not pass
"""


def test_a_run_is_named_by_its_process() -> None:
    mine = deployment.run_identifier(os.getpid())
    assert mine == deployment.run_identifier(os.getpid())
    with subprocess.Popen(["sleep", "60"]) as other:
        assert deployment.run_identifier(other.pid) != mine
        other.kill()


def test_what_runs_on_the_host_is_quoted() -> None:
    command = deployment.holding_command("o'brien", "host/1/2 x")
    assert "'host/1/2 x'" in command
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True
    )
    assert words.stdout.splitlines()[4] == "/var/lib/mission-control/deployment-o'brien.json"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"result": "deployed"}, "h: release a serves; 7 s"),
        ({"result": "unchanged"}, "h: nothing to do, release a serves; 7 s"),
        ({"result": "returned", "release": "b"}, "h: release b failed, a serves again; 7 s"),
        ({"result": "failed"}, "h: failed, a serves; 7 s"),
    ],
)
def test_the_end_in_one_line(line: dict[str, Any], said: str) -> None:
    assert deployment.sentence("h", {"current": "a", "seconds": 7, **line}) == said


def test_the_watcher_ends_with_the_process_it_watches() -> None:
    """In a group of its own, with a command that would run on for a long time."""
    code = (
        "import subprocess, sys\n"
        "from ansible_collections.openclaw.mission_control.plugins.action.deployment import _end_with\n"
        "subprocess.Popen(['sleep', '600'])\n"
        "_end_with(int(sys.argv[1]))\n"
    )
    with subprocess.Popen(["sleep", "600"]) as main:
        watcher = subprocess.Popen([sys.executable, "-c", code, str(main.pid)], start_new_session=True)
        assert watcher.poll() is None
        main.kill()
        main.wait()
    assert watcher.wait(timeout=60) == -15
    with pytest.raises(ProcessLookupError):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            os.killpg(watcher.pid, 0)
            time.sleep(0.05)


def test_a_run_that_never_began_is_not_recorded_but_fails_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(REFUSED.format(root=tmp_path, user="nobody-of-that-name"))
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.returncode == 2 and "health did not pass" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")) == ["play.yml"]
