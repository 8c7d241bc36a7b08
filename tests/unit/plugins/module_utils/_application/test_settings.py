# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application.frontend_settings import (
    derived_api_url,
)

ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize(
    ("public", "port", "derived"),
    [
        ("http://mc.example.com:3000", None, "http://mc.example.com:8000"),
        ("http://mc.example.com:3000", "", "http://mc.example.com:8000"),
        ("http://mc.example.com:3000", 8001, "http://mc.example.com:8001"),
        # A front door serves both at one origin, whatever the backend's own port is.
        ("https://mc.example.com", "8001", "https://mc.example.com"),
        ("https://mc.example.com:8443", None, "https://mc.example.com:8443"),
        ("http://[fd00::2]:3000", 8001, "http://[fd00::2]:8001"),
        ("", 8001, ""),
    ],
)
def test_the_address_of_the_api_follows_the_backends_port(public: str, port: Any, derived: str) -> None:
    assert derived_api_url(public, port) == derived


def test_whoever_derives_the_address_names_the_port() -> None:
    uses = [
        (path.relative_to(ROOT), found)
        for folder in ("roles", "playbooks")
        for path in sorted((ROOT / folder).rglob("*.yml"))
        for found in re.findall(
            r"openclaw\.mission_control\.api_url\b(\([^)]*_backend_port)?", path.read_text()
        )
    ]
    assert len(uses) >= 3
    assert [path for path, port in uses if not port] == []
