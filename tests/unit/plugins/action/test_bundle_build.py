"""The controller's half of bundle_build: what the building host may call its bundle."""

from __future__ import annotations

import pytest
from ansible_collections.openclaw.mission_control.plugins.action.bundle_build import NAME


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("mission-control-1.2.3+g0-debian13-amd64.tar", True),
        ("a.tar", True),
        ("ansible.cfg", False),
        (".ssh.tar", False),
        ("-rf.tar", False),
        ("", False),
        ("..", False),
        ("a/b.tar", False),
        ("a\n.tar", False),
        ("a.tar\n", False),
        ("a\x1b[2J.tar", False),
    ],
)
def test_names_of_bundles(name: str, good: bool) -> None:
    assert bool(NAME.fullmatch(name)) is good
