"""What the tests of the daily commands share."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import testinfra

sys.path.insert(0, str(Path(__file__).parent))

from operations_support import USER, Play, on_host, run_playbook, ssh_command


@pytest.fixture(scope="module")
def host(_testinfra_host: Any) -> Any:
    """The host over plain SSH: a module of Ansible for each command would take ten times as long."""
    *ssh, target = ssh_command(_testinfra_host.backend.host)
    return testinfra.get_host(f"ssh://{target}", ssh_extra_args=shlex.join(ssh[1:]))


@pytest.fixture(scope="session")
def play() -> Play:
    """Runs one of the shipped playbooks on the scenario's hosts."""
    return run_playbook


@pytest.fixture(scope="module")
def as_user(_testinfra_host: Any) -> Callable[[str], Any]:
    """Types a command as the application's user, who has logged in over SSH."""
    *ssh, target = ssh_command(_testinfra_host.backend.host)
    address = target.rpartition("@")[2]
    # A connection of its own: the shared one is root's.
    extra = shlex.join(["-o", "ControlPath=none", *ssh[1:]])
    found = testinfra.get_host(f"ssh://{USER}@{address}", ssh_extra_args=extra)
    return lambda command: found.run(command)


@pytest.fixture
def environment(host: Any) -> dict[str, str]:
    """The deployed environment file."""
    text = host.file(f"/home/{USER}/mission-control/current/backend/.env").content_string
    found = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found[name] = shlex.split(value)[0] if value.strip() else ""
    return found


@pytest.fixture(scope="session")
def secrets() -> dict[str, str]:
    """Token and database password of the deployed host, which no output may show."""
    text = on_host("operations-one", f"cat /home/{USER}/mission-control/current/backend/.env")
    token = re.search(r"^LOCAL_AUTH_TOKEN=\"?([^\"\n]+)", text, re.MULTILINE)
    password = re.search(r"^DATABASE_URL=\"?[^:]+://[^:]+:([^@]+)@", text, re.MULTILINE)
    assert token and password
    return {"token": token[1], "password": password[1]}
