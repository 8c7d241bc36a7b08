# SPDX-License-Identifier: GPL-3.0-or-later
"""The components of Mission Control as they run on hosts: their units and their ports."""

from __future__ import annotations

# What runs on hosts, in the order in which it is shown.
SERVICES = ("gateway", "backend", "worker", "frontend")
# Those of the application, which "all" means. The gateway's agents are at work: it is restarted by name only.
APPLICATION = ("backend", "worker", "frontend")
# Where they listen where nothing else is said. Defaults of roles and modules repeat it, and a test compares.
PORTS = {
    "postgresql": 5432,
    "redis": 6379,
    "redis_tls": 6380,
    "backend": 8000,
    "frontend": 3000,
    "gateway": 18789,
    "proxy_http": 80,
}
# Seconds after its start in which a service may be slow, or not there yet.
SETTLES = {"backend": 20.0, "worker": 20.0, "frontend": 20.0, "gateway": 60.0}
# What all of the application's units belong to.
TARGET = "mission-control.target"
_NAMES = {"gateway": "openclaw-gateway"}


def service_unit(service: str) -> str:
    """The unit of a service."""
    return f"{_NAMES.get(service, f'mission-control-{service}')}.service"
