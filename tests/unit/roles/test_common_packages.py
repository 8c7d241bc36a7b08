"""What the role common finds to be missing on a host decides whether, and when, it is installed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "common"
POSTPONED = ["git", "python3-requests"]
PACKAGES = {"python3-venv": "3", "git": "2", "python3-requests": "2"}


def evaluate(tmp_path: Path, that: list[str], packages: dict[str, str | None], **variables: Any) -> None:
    """Ansible evaluates the conditions over the role's variables, for a host that lacks nothing else."""
    home = "/home/mission-control"
    directory = {"exists": True, "kind": "directory", "owner": "mission-control"}
    paths = ("releases", "shared", "shared/identity", "shared/backups")
    host = {
        "packages": packages,
        "files": {f"{home}/mission-control/{path}": directory for path in paths},
        "user": {
            "exists": True,
            "home": home,
            "group": "mission-control",
            "lingering": True,
            "comment": "OpenClaw Mission Control",
            "ageing": {"must_change": False, "password": ""},
            "manager": {"running": True},
        },
        "journal": {"persistent": True},
    }
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")],
        "tasks": [{"ansible.builtin.assert": {"that": that}}],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    given = {
        "common_host": host,
        "common_postponed_packages": POSTPONED,
        "common_journal_persistent": False,
        **variables,
    }
    done = subprocess.run(
        ["ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-e", json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("missing", "variables", "at_once", "later"),
    [
        ([], {}, [], []),
        (["git", "python3-requests", "python3-venv"], {}, ["python3-venv"], ["git", "python3-requests"]),
        # As after a first deployment that failed before they were installed.
        (["git"], {}, [], ["git"]),
        (["git"], {"common_additional_packages": ["git"]}, ["git"], []),
        # A proxy's password is in a file as long as packages are installed.
        (
            ["git"],
            {"common_download_environment": {"https_proxy": "http://me:secret@proxy:3128"}},
            ["git"],
            [],
        ),
    ],
    ids=["nothing", "bare", "failed", "asked for by the operator", "proxy with a password"],
)
def test_what_is_missing(
    tmp_path: Path, missing: list[str], variables: dict[str, Any], at_once: list[str], later: list[str]
) -> None:
    packages = {name: None if name in missing else version for name, version in PACKAGES.items()}
    conditions = [
        f"__common_work | bool == {bool(missing)}",
        f"__common_missing_packages | sort == {at_once}",
        f"common_postponed | sort == {later}",
    ]
    evaluate(tmp_path, conditions, packages, **variables)
