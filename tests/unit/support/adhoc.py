"""A module of this collection called as a user would: by Ansible, here over its local connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ANSIBLE = Path(sys.executable).with_name("ansible")


def adhoc(module: str, arguments: Mapping[str, Any], directory: Path, *more: str) -> dict[str, Any]:
    """The module's result; Ansible's own files go below the directory."""
    command = [
        str(ANSIBLE),
        "localhost",
        "-i",
        "localhost,",
        "-c",
        "local",
        "-e",
        f"ansible_python_interpreter={sys.executable}",
        "-m",
        f"openclaw.mission_control.{module}",
        "-a",
        json.dumps(arguments),
        *more,
    ]
    environment = {
        **os.environ,
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOCAL_TEMP": str(directory / "local"),
        "ANSIBLE_REMOTE_TEMP": str(directory / "remote"),
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "{" in done.stdout, done.stdout + done.stderr
    # A configuration may enable callbacks that print something before and after.
    told, _end = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("{") :])
    result: dict[str, Any] = told["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result
