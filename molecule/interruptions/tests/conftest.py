"""A host with a release that serves, to which each test comes back, and the upgrade to interrupt."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "releases/tests"))
sys.path.insert(0, str(Path(__file__).parent))

from interruptions_support import UPGRADE, Course, sandbox, serving_within, undisturbed
from releases_support import HOST, ROOT, Applications, current, on_host, play, variables


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Applications:
    """Sources to deploy."""
    return Applications(tmp_path_factory.mktemp("applications"))


@pytest.fixture(scope="session")
def old(applications: Applications) -> str:
    """The release that serves, with data in its database: what the host was created with."""
    if f"//{variables()['ansible_host']}:" not in on_host(f"cat {ROOT}/current/backend/.env"):
        # It has another address than when the snapshot was made.
        done = play("deploy.yml", source=applications.get("plain"))
        assert done.returncode == 0, done.output
        sandbox("snapshot", HOST, f"{HOST}-old", "--replace")
    return current()


@pytest.fixture(scope="session")
def take_back(old: str) -> Callable[[], None]:
    """Takes the host back to its starting point, where it is the first time."""
    times = itertools.count()

    def action() -> None:
        if next(times):
            sandbox("reset", HOST)
        # Nothing here asks the snapshot's gateway, and its start at each boot takes seconds of the processor.
        on_host("systemctl --user -M openclaw@ disable --quiet --now openclaw-gateway")
        serving_within(90)

    return action


@pytest.fixture
def host(old: str, take_back: Callable[[], None]) -> str:
    """The host as it was before anything was interrupted."""
    take_back()
    return old


@pytest.fixture(scope="session")
def course(take_back: Callable[[], None], applications: Applications) -> Course:
    """The upgrade when nobody disturbs it: when its steps began, and the state at its end."""
    take_back()
    return undisturbed(applications.get(UPGRADE))


@pytest.fixture
def upgraded(course: Course, take_back: Callable[[], None], applications: Applications) -> str:
    """A host after the upgrade: as the test before left it, or made."""
    new = str(course.state["links"]["current"]).rpartition("/")[2]
    if current() != new:
        take_back()
        done = play("deploy.yml", source=applications.get(UPGRADE))
        assert done.returncode == 0, done.output
    return new
