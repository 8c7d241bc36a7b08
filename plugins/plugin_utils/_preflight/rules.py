# SPDX-License-Identifier: GPL-3.0-or-later
"""All rules, and what they find together, so that an operator learns of all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from . import (
    access,
    addresses,
    backup,
    bundle,
    database,
    door_access,
    firewall,
    front_door,
    gateway,
    gateway_door,
    host,
    inventory,
    settings,
    transport,
    users,
)
from .model import Context, Problem

Rule = Callable[[Context], Iterable[Problem]]

# In the order in which problems are told.
RULES: tuple[Rule, ...] = (
    inventory.undefined_variables,
    inventory.changing_variables,
    addresses.public_url,
    addresses.api_url,
    addresses.binds,
    addresses.cors_origins,
    front_door.whose_door,
    front_door.plain_http,
    front_door.door_apart,
    front_door.acme,
    front_door.certificate,
    door_access.door_access,
    firewall.firewall,
    access.authentication,
    inventory.inventory_groups,
    inventory.variable_names,
    settings.secret_settings,
    settings.environment,
    settings.source,
    database.database,
    database.queue,
    transport.encryption,
    transport.plain_addresses,
    users.user,
    users.user_ageing,
    host.operating_system,
    host.python,
    host.interpreter,
    host.port_numbers,
    host.ports_free,
    front_door.door_ports,
    gateway_door.gateway_door,
    host.other_installation,
    host.adoption,
    host.service_ports,
    host.gateway_authority,
    host.maintenance,
    host.disk_space,
    host.noexec,
    host.journal_storage,
    host.memory,
    backup.backup_repository,
    backup.backup_settings,
    bundle.bundle,
    gateway.gateway_settings,
    gateway.gateway_user,
    gateway.gateway_version,
    gateway.gateway_listening,
    gateway.gateway_access,
    gateway.gateway_registrations,
    gateway.gateway_boards,
)


# What is known only when the source is on the host.
RULES_OF_THE_SOURCE: tuple[Rule, ...] = (gateway.gateway_support,)


def check(context: Context, rules: Sequence[Rule] = RULES) -> list[Problem]:
    """All problems of some rules, in their order."""
    found: list[Problem] = []
    for rule in rules:
        for problem in rule(context):
            if problem not in found:
                found.append(problem)
    return found
