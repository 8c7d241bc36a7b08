"""A host with a release that serves, to which each test comes back, and the upgrade to interrupt."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "releases/tests"))
sys.path.insert(0, str(Path(__file__).parent))

from interruptions_support import UPGRADE, Course, sandbox, serving_within, undisturbed
from releases_support import HOST, Applications, current, data, play


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Applications:
    """Sources to deploy."""
    return Applications(tmp_path_factory.mktemp("applications"))


@pytest.fixture(scope="session")
def old(applications: Applications) -> str:
    """The release that serves, kept as the host's starting point, with data in its database."""
    done = play("deploy.yml", source=applications.get("plain"))
    assert done.returncode == 0, done.output
    assert data(write=True).boards > 0
    sandbox("snapshot", HOST, f"{HOST}-old", "--replace")
    return current()


@pytest.fixture
def host(old: str) -> str:
    """The host as it was before anything was interrupted."""
    sandbox("reset", HOST)
    serving_within(90)
    return old


@pytest.fixture(scope="session")
def course(old: str, applications: Applications) -> Course:
    """The upgrade when nobody disturbs it: when its steps began, and the state at its end."""
    # Other tests may have come before.
    sandbox("reset", HOST)
    serving_within(90)
    return undisturbed(applications.get(UPGRADE))
