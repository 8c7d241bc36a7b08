# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The action as a play runs it; its rules are tested with the pure functions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def play(tmp_path: Path, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    playbook = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            # Nothing may be asked of a host: this connection leads nowhere.
            "vars": {"ansible_connection": "ssh", "ansible_port": 1},
            "tasks": [{"name": "check", "openclaw.mission_control.gateway_preflight": arguments}],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(playbook))
    return subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-v",
            "-i",
            "localhost,",
            str(tmp_path / "play.yml"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(tmp_path),
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        },
        cwd=tmp_path,
    )


def test_a_pair_that_cannot_talk_stops_the_play_before_any_host_is_asked(tmp_path: Path) -> None:
    done = play(tmp_path, {"version": "2026.9.6", "port": 0, "token": "s3cr3t and more"})
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert "gateway protocol 4" in output and "2026.2.9 to 2026.5.7" in output
    assert "gateway_port (0)" in output and "gateway_token" in output
    assert "s3cr3t" not in output and "UNREACHABLE" not in output


def test_a_good_inventory_passes_with_its_warnings(tmp_path: Path) -> None:
    done = play(
        tmp_path,
        {"version": "2026.9.6", "policy": "warn", "registrations": [{"name": "a", "url": "ws://a:1"}]},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "protocol mismatch" in done.stdout + done.stderr
