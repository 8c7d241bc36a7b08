"""What crosses a network between the hosts of a deployment, and to servers that are not its own."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openclaw.mission_control.plugins.plugin_utils._preflight import model, transport

APART = {
    "mission_control": ["data", "one"],
    "mission_control_postgresql": ["data"],
    "mission_control_redis": ["data"],
    "mission_control_backend": ["one"],
    "mission_control_worker": ["one"],
    "mission_control_frontend": ["one"],
}
PLACES = {"data": "10.0.0.2", "one": "10.0.0.3"}


def found(groups: dict[str, list[str]] | None = None, **variables: Any) -> list[model.Problem]:
    context = model.Context(
        variables={f"mission_control_{name}": value for name, value in variables.items()},
        groups=APART if groups is None else groups,
        components=("postgresql", "redis"),
        addresses=PLACES,
        hostname="data",
    )
    return [*transport.encryption(context), *transport.plain_addresses(context)]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"tls": True},
        {"tls": "yes"},
        {"tls": False, "private_network": "10.0.0.0/24"},
        {"tls": False, "private_network": ["192.168.0.0/16", "10.0.0.0/24"]},
        # Both servers are elsewhere, and demand TLS.
        {
            "tls": False,
            "database_url": "postgresql://u:p@db.example/d?sslmode=verify-full",
            "redis_url": "rediss://:p@queue.example:6380/0",
        },
        {"database_url": "postgresql://u:p@localhost/d", "redis_url": "redis://127.0.0.1:6379/0"},
        {"database_url": "postgresql://u:p@/d?host=/run/postgresql", "redis_url": "unix:///run/redis.sock"},
        {
            "database_url": "postgresql://u:p@10.0.0.9/d",
            "redis_url": "redis://10.0.0.9/0",
            "private_network": "10.0.0.0/24",
        },
    ],
)
def test_what_is_as_it_should_be(variables: dict[str, Any]) -> None:
    assert found(**variables) == []


def test_one_host_needs_no_tls() -> None:
    assert found({"mission_control": ["data"]}, tls=False) == []


@pytest.mark.parametrize(
    ("variables", "says", "remedy"),
    [
        ({"tls": False}, "mission_control_tls: false — other hosts use PostgreSQL and Redis", "leave it out"),
        ({"tls": "false"}, "would cross the network in clear", "mission_control_private_network"),
        ({"tls": "maybe"}, "mission_control_tls: maybe — is neither true nor false", "leave it out"),
        (
            {"tls": False, "database_url": "postgresql://u:p@db/d?sslmode=require"},
            "other hosts use Redis:",
            "leave it out",
        ),
        ({"tls": False, "private_network": "internal"}, "internal is not a network", "10.0.0.0/24"),
        ({"tls": False, "private_network": "0.0.0.0/0"}, "0.0.0.0/0 is everywhere", "10.0.0.0/24"),
        (
            {"tls": False, "private_network": "10.0.0.0/31"},
            "mission_control_private_network: 10.0.0.0/31 — data is not known to be in it: its ansible_host "
            "is 10.0.0.2",
            "leave mission_control_tls out",
        ),
    ],
)
def test_what_crosses_a_network_in_clear_is_refused(
    variables: dict[str, Any], says: str, remedy: str
) -> None:
    first = found(**variables)[0]
    assert says in str(first) and remedy in first.remedy and not first.warning


def test_a_host_that_is_known_by_name_alone_is_in_no_network() -> None:
    groups = {**APART, "mission_control_backend": ["elsewhere"], "mission_control_worker": ["elsewhere"]}
    (problem,) = found(groups, tls=False, private_network="10.0.0.0/24")
    assert "elsewhere is not known to be in it" in str(problem)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"database_url": "postgresql://u:Secret@db/d"},
            "database_url — does not demand TLS",
        ),
        ({"database_url": "postgresql://u:Secret@db/d?sslmode=prefer"}, "to db in clear"),
        ({"redis_url": "redis://:Secret@10.1.1.1:6379/0"}, "mission_control_redis_url — does not demand TLS"),
        ({"redis_url": "redis://:Secret@10.1.1.1/0", "private_network": "10.0.0.0/24"}, "to 10.1.1.1 in"),
    ],
)
def test_an_external_server_without_tls_is_told(variables: dict[str, Any], says: str) -> None:
    (problem,) = found(**variables)
    assert says in str(problem) and problem.warning and "Secret" not in str(problem.as_dict())
