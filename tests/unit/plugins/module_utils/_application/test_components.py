# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which host runs which component, and by which units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from ansible_collections.openclaw.mission_control.plugins.module_utils._application import (
    assignment,
    service_order,
)

ONE = {"mission_control": ["mc1"]}
SPREAD = {
    "mission_control": ["app", "ui", "data"],
    "mission_control_backend": ["app"],
    "mission_control_frontend": ["ui"],
    "mission_control_postgresql": ["data"],
    "mission_control_redis": [],
    "mission_control_gateway": ["app"],
}


@pytest.mark.parametrize(
    ("component", "groups", "hosts"),
    [
        ("backend", ONE, ["mc1"]),
        ("gateway", ONE, []),
        ("backend", SPREAD, ["app"]),
        ("gateway", SPREAD, ["app"]),
        # A group that is missing or empty means all hosts.
        ("worker", SPREAD, ["app", "ui", "data"]),
        ("redis", SPREAD, ["app", "ui", "data"]),
        ("backend", {}, []),
    ],
)
def test_the_hosts_of_a_component(
    component: str, groups: Mapping[str, Sequence[str]], hosts: list[str]
) -> None:
    assert assignment.hosts_of(component, groups) == hosts


def test_a_role_in_somebody_elses_playbook_works_on_the_host_that_it_is_given() -> None:
    assert assignment.hosts_of("backend", {"servers": ["a", "b"]}, "b") == ["b"]
    assert assignment.hosts_of("gateway", {"servers": ["a", "b"]}, "b") == []
    assert assignment.hosts_of("backend", SPREAD, "other") == ["app"]
    assert assignment.components_of("b", {}, alone=True) == [
        "postgresql",
        "redis",
        "backend",
        "worker",
        "frontend",
    ]
    assert assignment.components_of("b", {}) == []


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("app", ["redis", "backend", "worker", "gateway"]),
        ("ui", ["redis", "worker", "frontend"]),
        ("data", ["postgresql", "redis", "worker"]),
        ("other", []),
    ],
)
def test_the_components_of_a_host(host: str, found: list[str]) -> None:
    assert assignment.components_of(host, SPREAD) == found


def test_what_listens_is_stopped_before_what_answers() -> None:
    assert service_order.unit_names(["backend", "worker", "frontend"]) == [
        "mission-control-frontend.socket",
        "mission-control-frontend.service",
        "mission-control-worker.service",
        "mission-control-backend.socket",
        "mission-control-backend.service",
    ]
    assert service_order.unit_names(["gateway"]) == ["openclaw-gateway.service"]
