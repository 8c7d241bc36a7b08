# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of the tests of the sandbox hosts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[3] / "molecule" / "shared"
sys.path.insert(0, str(SHARED))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sandbox: boots real hosts, needs root and systemd-nspawn")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What boots hosts takes longest, so it begins first where there are several workers."""
    items.sort(key=lambda item: item.get_closest_marker("sandbox") is None)


@pytest.fixture(scope="session")
def cli() -> Path:
    return SHARED / "sandbox.py"
