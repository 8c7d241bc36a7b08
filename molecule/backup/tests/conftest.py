"""A host with backups, set up by the shipped playbooks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "releases/tests"))

from backup_support import GATEWAY_SETTINGS, deploy
from releases_support import SETTINGS


@pytest.fixture(scope="session", autouse=True)
def deployed() -> None:
    """The snapshot has been deployed without backups, or with another password."""
    SETTINGS.update(GATEWAY_SETTINGS)
    deploy()
