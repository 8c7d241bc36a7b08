"""A Git server on the host of the database, with an application whose health depends on a file."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "rotation/tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "front_door/tests"))
sys.path.insert(0, str(Path(__file__).parent))

from distributed_support import CHECKOUT, DATA, address, on_host

GIT = ["git", "-c", "user.name=Distributed", "-c", "user.email=distributed@example.com"]


@dataclass(frozen=True)
class Repository:
    """What the Git server has: the application as it is (tag), after it one that a file breaks (branch)."""

    url: str
    tagged: str
    head: str
    tag: str = "v1.0.0"
    branch: str = "main"
    # Where this file is, a release from the branch answers its health path with 500.
    breaks: str = "/etc/break-mission-control"


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    tree = tmp_path_factory.mktemp("git") / "application"
    shutil.copytree(CHECKOUT / ".cache/reference_application", tree, symlinks=True)

    def git(*words: str) -> str:
        done = subprocess.run([*GIT, *words], cwd=tree, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q", "-b", Repository.branch)
    git("add", "--all", "--force")
    git("commit", "-q", "-m", "As it is")
    git("tag", "-a", "-m", "As it is", Repository.tag)
    tagged = git("rev-parse", "HEAD")
    main = tree / "backend/app/main.py"
    text = main.read_text()
    assert "    return Ok()" in text
    broken = (
        "    import os\n\n"
        f'    if os.path.exists("{Repository.breaks}"):\n        raise RuntimeError("made to be unhealthy")\n'
    )
    main.write_text(text.replace("    return Ok()", broken + "    return Ok()"))
    git("commit", "-q", "-a", "-m", "Let a file break it")
    bundle = tree.with_name("application.bundle")
    git("bundle", "create", "-q", str(bundle), "--all")
    on_host(DATA, "base64 -d > /srv/application.bundle", base64.b64encode(bundle.read_bytes()).decode())
    on_host(
        DATA,
        "rm -rf /srv/git && git clone -q --bare /srv/application.bundle /srv/git/application.git"
        # Objects by their id, as the large hosting services allow it.
        " && git -C /srv/git/application.git config uploadpack.allowAnySHA1InWant true"
        " && systemctl reset-failed test-git.service 2>/dev/null; systemctl is-active -q test-git.service"
        " || systemd-run -q --unit=test-git /usr/bin/git daemon --base-path=/srv/git --export-all",
    )
    return Repository(f"git://{address(DATA)}/application.git", tagged, git("rev-parse", "HEAD"))
