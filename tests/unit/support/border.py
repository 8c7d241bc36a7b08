"""A second, real account and its directory: what the user can do, and root must not fall for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import (
    Account,
    find_account,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.acting_as import acting_as

NAME = "nobody"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another account")


class Intruder:
    """The account, a directory of its own, and a victim that only root may read."""

    def __init__(self, home: Path, victim: Path) -> None:
        self.home = home
        self.victim = victim
        self.root = home / "app"
        self.backend = self.root / "releases" / "one" / "backend"
        with acting_as(self.account):
            self.backend.mkdir(parents=True)
            (self.root / "shared").mkdir()
            (self.root / "current").symlink_to("releases/one")

    @property
    def account(self) -> Account:
        return find_account(NAME)

    @property
    def env_file(self) -> Path:
        return self.backend / ".env"

    def write(self, path: Path, text: str) -> None:
        with acting_as(self.account):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def replace(self, path: Path, kind: str) -> None:
        """Put something else in a file's place: a link to the victim, a pipe, a device, a directory, much."""
        with acting_as(self.account):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            if kind == "link":
                path.symlink_to(self.victim)
            elif kind == "pipe":
                os.mkfifo(path)
            elif kind == "device":
                path.symlink_to("/dev/zero")
            elif kind == "directory":
                path.mkdir()
            elif kind == "large":
                with path.open("wb") as file:
                    file.truncate(10 << 30)
            else:
                path.write_bytes(b"\xff\xfe\x00garbled\x9b\n" * 100)


KINDS = ("link", "pipe", "device", "directory", "large", "garbled")
SECRET = "only-root-may-know-this-0123456789"


@pytest.fixture
def intruder() -> Iterator[Intruder]:
    if os.geteuid() != 0:
        pytest.skip("only root can act for another account")
    # Not below pytest's own directory, which is closed to others.
    place = Path(tempfile.mkdtemp(prefix="mission-control-border-"))
    place.chmod(0o755)
    home = place / "home"
    home.mkdir(mode=0o700)
    account = find_account(NAME)
    os.chown(home, account.uid, account.gid)
    victim = place / "victim"
    victim.write_text(f"LOCAL_AUTH_TOKEN={SECRET}\nDATABASE_URL=postgresql://u:{SECRET}@127.0.0.1:1/x\n")
    victim.chmod(0o600)
    before = (victim.read_bytes(), victim.stat().st_mode, victim.stat().st_uid, victim.stat().st_mtime_ns)
    yield Intruder(home, victim)
    after = (victim.read_bytes(), victim.stat().st_mode, victim.stat().st_uid, victim.stat().st_mtime_ns)
    shutil.rmtree(place)
    assert after == before, "the victim was touched"
