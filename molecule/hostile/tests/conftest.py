"""The host, and the program on it that replaces things."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile_support import Replacer, recover


@pytest.fixture(scope="session")
def replacer() -> Iterator[Replacer]:
    """Everything is put back at the end, and serves."""
    with Replacer() as found:
        yield found
    recover()


@pytest.fixture
def marker() -> str:
    """A secret of root's."""
    return f"SECRET-{secrets.token_hex(12)}"
