"""The host command from the controller's side, through Ansible itself and its local connection."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from adhoc import adhoc
from ansible_collections.openclaw.mission_control.plugins.action.host_command import problems
from ansible_collections.openclaw.mission_control.plugins.module_utils._command.archive import identity
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._command_sources import command_sources

PLUGINS = "ansible_collections.openclaw.mission_control.plugins"


def call(tmp_path: Path, *more: str, **arguments: Any) -> dict[str, Any]:
    arguments = {
        "user": find_account().name,
        "path": str(tmp_path / "bin" / "mission-control"),
        "completion_path": str(tmp_path / "completion"),
        **arguments,
    }
    return adhoc("host_command", arguments, tmp_path / "ansible", *more)


@pytest.mark.parametrize(
    ("verify", "message"),
    [
        ({"checks": ["nothing"]}, "no check 'nothing'"),
        ({"options": {"nothing": 1}}, "no option 'nothing'"),
        ({"options": {"token": "a-secret-token"}}, "token is a secret"),
        ({"check_options": {"nothing": {}}}, "no such check"),
        ({"check_options": {"health": {"nothing": 1}}}, "no option 'nothing'"),
        ({"check_options": {"database": {"database_url": "x"}}}, "database_url is a secret"),
    ],
)
def test_bad_settings(verify: dict[str, Any], message: str) -> None:
    (problem,) = problems(verify)
    assert message in problem


def test_they_are_refused_before_anything_is_changed(tmp_path: Path) -> None:
    answer = call(tmp_path, verify={"checks": ["nothing"]})
    assert "no check 'nothing'" in answer["msg"]
    assert not (tmp_path / "bin").exists() and not (tmp_path / "completion").exists()


def test_controller_and_host_read_the_same_sources() -> None:
    # Under Ansible another loader reads them than here.
    program = (
        "from ansible.plugins.loader import init_plugin_loader\ninit_plugin_loader()\n"
        f"from {PLUGINS}.plugin_utils._command_sources import command_sources\n"
        f"from {PLUGINS}.module_utils._command.archive import identity\n"
        "print(identity(command_sources()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == identity(command_sources())


def test_what_would_be_installed(tmp_path: Path) -> None:
    answer = call(tmp_path, "--check")
    assert answer["changed"]
    assert str(tmp_path / "bin" / "mission-control") in {action["path"] for action in answer["actions"]}
    assert not (tmp_path / "bin").exists() and not (tmp_path / "completion").exists()
