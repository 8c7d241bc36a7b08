# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks belong on which host, and what the roles verify and command tell them of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..module_utils._application.components import PORTS

# Whose the servers' ports are, as the distribution's packages have it.
SERVERS = {"postgresql": ["postgres"], "redis": ["redis", "valkey"]}

# What asks the API is checked where the backend runs.
CHECKS_OF = {
    "backend": (
        "health",
        "cors",
        "membership",
        "agents",
        "gateway",
        "sessions",
        "session",
        "metrics",
        "database",
        "queue",
        "configuration",
    ),
    "frontend": ("frontend",),
}
CHECKS_OF_EVERY_HOST = ("service", "log", "host", "backup")
# These stay out of the configuration of the host command.
SECRET_OPTIONS = ("token", "secrets", "gateway_token", "database_url", "redis_url")


def redis_users(settings: Mapping[str, Any]) -> list[str]:
    """Who may enter the deployment's own Redis.

    :param settings: further ones of its configuration, among them `user`, with a user's name and what he may.
    """
    named = str(settings.get("user") or "").split()
    return ["default", *named[:1]]


def host_checks(components: Collection[str]) -> list[str]:
    """The checks that belong on a host with these components."""
    found = [name for component, names in CHECKS_OF.items() if component in components for name in names]
    return [*found, *CHECKS_OF_EVERY_HOST]


def listening_ports(settings: Mapping[str, Any], components: Collection[str]) -> list[dict[str, Any]]:
    """The ports on which something has to listen on this host, and for whom.

    :param settings: `backend_bind`, `backend_port`, `frontend_bind` and `frontend_port` as the operator set
      them; `alone`, whether everything is on one host; `database_url` and `redis_url`, where those are
      elsewhere, else `postgresql_port` and `redis_port`, where they are not the default ones.
    :param components: what the host runs.
    """
    found = [
        {
            "port": int(settings[f"{name}_port"]),
            "bind": settings[f"{name}_bind"],
            "unit": f"mission-control-{name}",
        }
        for name in ("backend", "frontend")
        if name in components
    ]
    # What other hosts must not reach is told only where everything is on one host.
    for url, server in (("database_url", "postgresql"), ("redis_url", "redis")):
        if settings["alone"] and not settings[url]:
            port = int(settings.get(f"{server}_port") or PORTS[server])
            found.append({"port": port, "bind": "loopback", "unit": "", "users": SERVERS[server]})
    return found


def check_options(
    defaults: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Mapping[str, Any]],
    checks: Collection[str],
) -> dict[str, dict[str, Any]]:
    """Options by check for the host command, without secrets: those stay out of its configuration.

    :param defaults: what the role knows of the host.
    :param settings: what the operator set; it goes above the defaults.
    :param checks: those that the command runs.
    """
    found = {}
    for check in checks:
        own = {name: value for name, value in settings.get(check, {}).items() if name not in SECRET_OPTIONS}
        options = {**defaults.get(check, {}), **own}
        if options:
            found[check] = options
    return found
