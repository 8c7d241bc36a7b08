# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose installation a host has: what root has written, and nobody else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.installed_user import (
    installed_user,
)


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (json.dumps({"user": "nobody", "root": "/x"}), "nobody"),
        (json.dumps({"user": "somebody-who-left", "root": "/x"}), ""),
        (json.dumps({"user": 7}), ""),
        ("[]", ""),
        ("{", ""),
    ],
)
def test_it_is_what_the_host_command_is_for(tmp_path: Path, text: str, user: str) -> None:
    path = tmp_path / "command.json"
    assert installed_user(path) == ""
    path.write_text(text)
    assert installed_user(path) == user


def test_only_root_can_say_so(tmp_path: Path) -> None:
    path = tmp_path / "command.json"
    path.write_text(json.dumps({"user": "nobody"}))
    os.chown(path, 65534, 65534)
    assert installed_user(path) == ""
    path.unlink()
    os.mkfifo(path)
    assert installed_user(path) == ""
