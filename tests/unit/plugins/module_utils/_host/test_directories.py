# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Directories below a place that a user can change, with a real user: what root must not be led to."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._host import own_places
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.accounts import find_account
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.deployment_errors import (
    DeploymentError,
)
from ansible_collections.openclaw.mission_control.plugins.module_utils._host.directories import (
    Directory,
    ensure,
)

USER = find_account("nobody")


@pytest.fixture
def base() -> Iterator[Path]:
    """A place that root alone can change; the test's own directories are below its user's private ones."""
    path = Path(tempfile.mkdtemp(prefix="mission-control-test-", dir="/var/lib"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(base: Path) -> Path:
    path = base / "home"
    path.mkdir()
    os.chown(path, USER.uid, USER.gid)
    return path


@pytest.fixture
def victim(base: Path) -> Path:
    path = base / "victim"
    path.mkdir(0o700)
    return path


def state(path: Path) -> tuple[int, int, int, list[str]]:
    found = path.stat()
    return found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode), [child.name for child in path.iterdir()]


def make(root: Path, *below: str, check: bool = False) -> list[str]:
    wanted = [Directory(str(root / name), 0o700 if name.endswith("backups") else 0o755) for name in below]
    return ensure(wanted, USER, USER.name, str(root), check=check)


def test_they_are_the_users_and_a_second_run_makes_nothing(home: Path) -> None:
    root = home / "application"
    names = ("releases", "shared", "shared/backups")
    predicted = make(root, *names, check=True)
    assert not root.exists()
    made = make(root, *names)
    assert set(made) == set(predicted) == {str(root), *(str(root / name) for name in names)}
    for name in (".", *names):
        assert state(root / name)[:3] == (USER.uid, USER.gid, 0o700 if name == "shared/backups" else 0o755)
    assert make(root, *names) == []


def test_an_existing_one_keeps_its_permissions(home: Path) -> None:
    make(home, "shared/backups")
    (home / "shared/backups").chmod(0o750)
    assert make(home, "shared/backups") == []
    assert stat.S_IMODE((home / "shared/backups").stat().st_mode) == 0o750


@pytest.mark.parametrize("linked", ["application/shared/backups", "application/shared", "application"])
@pytest.mark.parametrize("check", [False, True])
def test_what_a_users_link_leads_to_stays_roots(home: Path, victim: Path, linked: str, check: bool) -> None:
    (home / linked).parent.mkdir(parents=True, exist_ok=True)
    for place in ((home / linked).parent, *(home / linked).parents):
        if place.is_relative_to(home):
            os.chown(place, USER.uid, USER.gid)
    (home / linked).symlink_to(victim)
    os.lchown(home / linked, USER.uid, USER.gid)
    victim.chmod(0o755)
    before = state(victim)
    with pytest.raises(DeploymentError, match="is a link") as refused:
        make(home / "application", "releases", "shared/backups", check=check)
    assert refused.value.kind == "link"
    assert str(home / linked) in refused.value.message and str(victim) in refused.value.message
    assert "common_root" in refused.value.remedy
    assert state(victim) == before


def test_a_link_that_root_made_is_meant(base: Path, home: Path) -> None:
    disk = base / "disk"
    disk.mkdir()
    os.chown(disk, USER.uid, USER.gid)
    (home / "application").symlink_to(disk)
    (base / "names").symlink_to("home")
    assert make(base / "names" / "application", "shared") == [str(disk / "shared")]
    assert state(disk / "shared")[0] == USER.uid


def test_behind_roots_link_the_user_has_no_more_rights_than_before(home: Path, victim: Path) -> None:
    (home / "application").symlink_to(victim)
    before = state(victim)
    with pytest.raises(DeploymentError) as refused:
        make(home / "application", "shared")
    assert refused.value.kind == "not_permitted"
    assert state(victim) == before


def test_outside_of_the_home_what_is_above_the_root_is_roots(base: Path) -> None:
    root = base / "srv" / "mission-control"
    predicted = make(root, "releases", check=True)
    assert list(base.iterdir()) == []
    assert make(root, "releases") == predicted == [str(base / "srv"), str(root), str(root / "releases")]
    assert state(base / "srv")[:3] == (0, 0, 0o755)
    assert state(root)[:3] == (USER.uid, USER.gid, 0o755)


def test_root_makes_nothing_where_others_can_change_what_lies_there(base: Path) -> None:
    common = base / "common"
    common.mkdir()
    common.chmod(0o1777)
    made = make(common / "application", "shared")
    assert state(Path(made[0]))[0] == USER.uid
    common.chmod(0o775)
    with pytest.raises(DeploymentError) as refused:
        make(common / "other", "shared")
    assert refused.value.kind == "not_permitted" and "namei" in refused.value.remedy


def test_a_directory_of_somebody_elses_is_not_given_away(home: Path) -> None:
    (home / "shared").mkdir()
    with pytest.raises(DeploymentError, match="belongs to root, not to nobody") as refused:
        make(home, "shared")
    assert "chown -h nobody:" in refused.value.remedy
    assert (home / "shared").stat().st_uid == 0


@pytest.mark.parametrize("obstacle", [Path.touch, os.mkfifo])
def test_what_is_no_directory_is_in_the_way(home: Path, obstacle: Callable[[Path], Any]) -> None:
    obstacle(home / "shared")
    with pytest.raises(DeploymentError, match="not a directory") as refused:
        make(home, "shared/backups")
    assert refused.value.kind == "in_the_way"


@pytest.mark.parametrize("path", ["shared", "/srv/../etc"])
def test_a_path_is_plain(path: str) -> None:
    with pytest.raises(DeploymentError, match="not an absolute path"):
        ensure([], USER, USER.name, path)


def test_links_in_a_circle_end(base: Path) -> None:
    (base / "a").symlink_to("b")
    (base / "b").symlink_to("a")
    with pytest.raises(DeploymentError, match="too many links"):
        make(base / "a", "shared")


def refused_place(path: Path, **options: Any) -> str:
    try:
        own_places.refuse_interference(str(path), "mission_control_backup_repository", **options)
    except DeploymentError as error:
        return f"{error.kind}: {error.message} {error.remedy}"
    return ""


def test_roots_own_places_are_no_ones_else(base: Path) -> None:
    (base / "srv/backups").mkdir(parents=True)
    (base / "link").symlink_to(base / "srv")
    for place in ("srv/backups", "srv/new/deep", "link/backups", "link/new"):
        assert refused_place(base / place) == "", place


def test_what_others_can_change_is_no_place_for_root(base: Path, home: Path) -> None:
    (home / "backups").mkdir()
    (base / "shared/of_root").mkdir(parents=True)
    (base / "shared").chmod(0o775)
    (base / "sticky/of_root").mkdir(parents=True)
    (base / "sticky").chmod(0o1777)
    (base / "of_user").symlink_to(base)
    os.lchown(base / "of_user", USER.uid, USER.gid)
    (base / "file").write_text("")
    for place in (home / "backups", home / "new", home, base / "shared/of_root", base / "sticky/new"):
        said = refused_place(place)
        assert said.startswith("not_permitted: mission_control_backup_repository: ") and "namei -l" in said
    assert refused_place(base / "sticky/of_root") == ""
    assert refused_place(base / "of_user/new").startswith("link: ")
    assert refused_place(base / "file/new").startswith("in_the_way: ")


def test_the_last_one_may_be_somebodys_who_is_known(base: Path, home: Path) -> None:
    (base / "wal").mkdir()
    os.chown(base / "wal", USER.uid, USER.gid)
    known = frozenset({0, USER.uid})
    assert refused_place(base / "wal") and refused_place(base / "wal", last=known) == ""
    assert refused_place(home / "wal", last=known) != ""
    (base / "wal").chmod(0o770)
    assert refused_place(base / "wal", last=known) != ""
