# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All rules, and what they find together, so that an operator learns of all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from . import access, addresses, bundle, database, gateway, host, inventory, settings
from .model import Context, Problem

Rule = Callable[[Context], Iterable[Problem]]

# In the order in which problems are told.
RULES: tuple[Rule, ...] = (
    inventory.undefined_variables,
    addresses.public_url,
    addresses.api_url,
    addresses.binds,
    addresses.cors_origins,
    access.authentication,
    inventory.inventory_groups,
    inventory.variable_names,
    settings.secret_settings,
    settings.environment,
    settings.source,
    database.database,
    database.queue,
    host.user,
    host.operating_system,
    host.python,
    host.port_numbers,
    host.ports_free,
    host.adoption,
    host.service_ports,
    host.gateway_authority,
    host.maintenance,
    host.disk_space,
    host.memory,
    bundle.bundle,
    gateway.gateway_settings,
    gateway.gateway_version,
    gateway.gateway_listening,
    gateway.gateway_access,
    gateway.gateway_registrations,
    gateway.gateway_boards,
)


def check(context: Context) -> list[Problem]:
    """All problems of all rules, in the order of the rules."""
    found: list[Problem] = []
    for rule in RULES:
        for problem in rule(context):
            if problem not in found:
                found.append(problem)
    return found
