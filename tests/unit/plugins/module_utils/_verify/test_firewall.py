# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of the table that closes ports behind a door on another host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._verify.firewall import (
    judge_firewall,
)

WANTED = [{"port": 8000, "sources": ["10.0.0.9", "10.0.0.2"]}]


def look(state: str, ports: list[dict[str, Any]] | None = None, refusal: str = "") -> dict[str, Any]:
    return {"state": state, "ports": ports or [], "refusal": refusal}


@pytest.mark.parametrize(
    ("found", "state", "kind", "says"),
    [
        (look("loaded", WANTED), "pass", "", "port 8000 for the front door alone"),
        (look("absent"), "fail", "firewall_absent", "port 8000 can be reached by everybody"),
        (look("absent", refusal="Protocol not supported"), "fail", "firewall_absent", "not loaded"),
        (look("other"), "fail", "firewall_differs", "than it shall"),
        (look("loaded", []), "fail", "firewall_differs", "than it shall"),
        (
            look("loaded", [{"port": 8000, "sources": ["10.0.0.9"]}, {"port": 22, "sources": []}]),
            "fail",
            "firewall_differs",
            "than it shall (22, 8000)",
        ),
        (look("absent", refusal="Operation not permitted"), "skip", "", "only root sees"),
    ],
)
def test_a_table_is_judged(found: dict[str, Any], state: str, kind: str, says: str) -> None:
    verdict = judge_firewall(WANTED, lambda: found)
    assert (verdict.state, verdict.kind) == (state, kind)
    assert says in verdict.summary
    assert bool(verdict.remedy) is bool(kind)
