"""Whose Redis' files are. As root."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.errors import HostError
from ansible_collections.openclaw.mission_control.plugins.module_utils._redis_server.files import (
    Files,
    arrange,
    overrides,
)

LISTED = "root ssl-cert 710 /etc/ssl/private\nredis redis 640 {main}\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """As the distribution's package has them."""
    try:
        user = pwd.getpwnam("redis")
    except KeyError:
        pytest.skip("needs the user redis (apt-get install redis-server)")
    directory = tmp_path / "redis"
    directory.mkdir()
    main = directory / "redis.conf"
    main.write_text("port 6379\nuser evil on #abc\nrequirepass OLD-SECRET\n")
    main.chmod(0o640)
    directory.chmod(0o2770)
    for path in (main, directory):
        os.chown(path, user.pw_uid, user.pw_gid)
    return Files(main, directory / "mission-control.conf")


class Dpkg:
    """Notes what it is told."""

    def __init__(self, files: Files) -> None:
        self.listed = LISTED.format(main=files.main)
        self.told: list[str] = []

    def __call__(self, argv: Sequence[str]) -> tuple[int, str, str]:
        if "--list" not in argv:
            self.told.append(" ".join(argv[-4:]))
            self.listed = "".join(f"{line}\n" for line in self.told)
        return 0, self.listed, ""


def rights(path: Path) -> tuple[int, str, int]:
    status = path.stat()
    return status.st_uid, grp.getgrgid(status.st_gid).gr_name, status.st_mode & 0o7777


def test_the_server_may_read_and_not_write(files: Files) -> None:
    dpkg = Dpkg(files)
    predicted = arrange(files, "port 6379\n", dpkg, check=True)
    assert predicted["changed"] and rights(files.main)[0] != 0 and not files.own.exists() and not dpkg.told
    done = arrange(files, "port 6379\n", dpkg)
    assert done == predicted and "SECRET" not in str(done) and "user evil" in done["warnings"][0]
    assert rights(files.main) == rights(files.own) == (0, "redis", 0o640)
    assert rights(files.main.parent) == (0, "redis", 0o750)
    assert files.main.read_text() == f"port 6379\ninclude {files.own}\n"
    assert dpkg.told == [f"root redis 750 {files.main.parent}", f"root redis 640 {files.main}"]
    # There is nothing to do any more, whatever of our own file is wanted.
    assert not arrange(files, "port 6379\n", dpkg)["changed"] and not arrange(files, None, dpkg)["changed"]


def test_nothing_is_included_that_is_not_there(files: Files) -> None:
    arrange(files, None, Dpkg(files))
    assert files.main.read_text() == "port 6379\n"


def test_a_link_leads_nowhere(files: Files, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("root's\n")
    before = victim.stat()
    for path in files:
        path.unlink(missing_ok=True)
        path.symlink_to(victim)
        with pytest.raises(HostError, match="not an ordinary file"):
            arrange(files, "port 1\n", Dpkg(files))
        path.unlink()
        files.main.write_text("port 1\n")
    assert (victim.read_text(), victim.stat().st_uid) == ("root's\n", before.st_uid)


def test_dpkg_is_told_only_of_what_its_package_made() -> None:
    assert overrides(Path("/x"), Path("/x/redis.conf"), "root root 755 /usr/bin/x\n") == []
