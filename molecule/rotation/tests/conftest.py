"""A host, the shipped playbooks, and two releases of the reference application."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "releases/tests"))
sys.path.insert(0, str(Path(__file__).parent))

from releases_support import Applications, Data, data
from rotation_support import Installation


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Applications:
    """Sources to deploy."""
    return Applications(tmp_path_factory.mktemp("applications"))


@pytest.fixture(scope="session")
def installation() -> Installation:
    """What the inventory says of the token, as the tests change it."""
    return Installation()


@pytest.fixture(scope="session")
def written() -> Data:
    """Data that was written before everything else."""
    return data(write=True)
