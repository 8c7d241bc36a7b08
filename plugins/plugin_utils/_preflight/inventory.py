# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the inventory: its groups, and variables that are misspelt or cannot be resolved."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from ...module_utils._application.assignment import DOOR, GROUP, group_of
from .model import COMPONENTS, PREFIX, Context, Problem

# Variables that an operator sets; a name that is nearly one of these is a mistake.
PUBLIC_VARIABLES = frozenset(
    f"{PREFIX}_{name}"
    for name in (
        "acme_contact",
        "acme_directory",
        "acme_key",
        "acme_key_id",
        "additional_environment",
        "adopt",
        "allowed_networks",
        "api_url",
        "auth_mode",
        "backend_bind",
        "backend_environment",
        "backend_port",
        "backup",
        "backup_calendar",
        "backup_wal",
        "backup_credentials",
        "backup_drill_calendar",
        "backup_environment",
        "backup_keep",
        "backup_known_hosts",
        "backup_password",
        "backup_password_file",
        "backup_repository",
        "backup_ssh_key",
        "boards",
        "bundle",
        "certificate",
        "certificate_key",
        "clerk_publishable_key",
        "clerk_secret_key",
        "closed_paths",
        "cors_origins",
        "database_extensions",
        "database_name",
        "database_password",
        "database_url",
        "database_user",
        "deploy_in_maintenance",
        "download_environment",
        "firewall",
        "firewall_allowed",
        "front_door",
        "frontend_bind",
        "frontend_environment",
        "frontend_port",
        "gateway_bind",
        "gateway_ca_path",
        "gateway_configuration",
        "gateway_port",
        "gateway_public_url",
        "gateway_token",
        "gateway_url",
        "gateway_user",
        "gateway_version",
        "gateways",
        "group",
        "hsts",
        "insecure_http",
        "private_network",
        "public_url",
        "redis_url",
        "restore",
        "revision",
        "secret_settings",
        "source",
        "source_checksum",
        "tls",
        "token",
        "user",
    )
)


def suggest(name: str, known: Iterable[str], prefix: str = PREFIX) -> str | None:
    """The known name that was probably meant."""
    # The prefix, common to many, would make all of them alike.
    choices = {_bare(choice, prefix): choice for choice in known}
    near = difflib.get_close_matches(_bare(name, prefix), choices, n=1, cutoff=0.75)
    return choices[near[0]] if near else None


def _bare(name: str, prefix: str) -> str:
    return name.lower().removeprefix(f"{prefix}_")


def undefined_variables(context: Context) -> Iterator[Problem]:
    for name, why in context.undefined.items():
        yield Problem(
            "undefined_variables",
            name,
            message=f"cannot be resolved: {why}",
            remedy="define what it refers to, for example in the vault",
        )


def changing_variables(context: Context) -> Iterator[Problem]:
    """Each task asks anew: what is a token for one would be another for the services."""
    for name in context.changing:
        yield Problem(
            "changing_variables",
            name,
            message="gives another value each time it is asked for, and a deployment asks several times",
            remedy="keep what was made once: in the vault, or in a file, as "
            "lookup('ansible.builtin.password', 'credentials/token') does with a path of its own",
        )


# --- names ---------------------------------------------------------------------------------------


def inventory_groups(context: Context) -> Iterator[Problem]:
    yield from _unknown_groups(context)
    everyone = set(context.groups.get(GROUP, ()))
    for component in (*COMPONENTS, DOOR):
        # The hosts of a play are those of the one group, so this one is not the host that is missing there.
        outside = sorted(set(context.groups.get(group_of(component), ())) - everyone)
        group = group_of(component, context.group)
        if everyone and outside:
            yield Problem(
                "inventory_groups",
                f"group {context.group}",
                message=f"lacks {', '.join(outside)}, which {'is' if len(outside) == 1 else 'are'} in "
                f"{group}",
                remedy=f"make {group} a child of {context.group}",
            )
    door = context.hostname in context.groups.get(group_of(DOOR), ())
    if context.hostname in everyone and not context.components and not door:
        yield Problem(
            "inventory_groups",
            f"host {context.hostname}",
            message="runs nothing: every part has a group of its own and the host is in none of them",
            remedy="put it into one of them, or take it out of the inventory",
            warning=True,
        )


def _unknown_groups(context: Context) -> Iterator[Problem]:
    """Names that begin as ours do; where the operator chose how, only those that are nearly one of ours."""
    own = {GROUP, *(group_of(component) for component in (*COMPONENTS, DOOR))}
    known = {context.group, *(group_of(component, context.group) for component in (*COMPONENTS, DOOR))}
    for name in sorted(set(context.groups) - own):
        if not name.startswith(context.group):
            continue
        meant = suggest(name, known, context.group)
        if meant or context.group == GROUP:
            yield Problem(
                "inventory_groups",
                f"group {name}",
                message="is not a group of this collection",
                remedy=f"did you mean {meant}?"
                if meant
                else f"known are {', '.join(sorted(known))}; the group of another deployment has a name that "
                f"does not begin so",
            )


def variable_names(context: Context) -> Iterator[Problem]:
    for name in sorted(context.names):
        if name.startswith(f"{PREFIX}_") and name not in PUBLIC_VARIABLES:
            meant = suggest(name, PUBLIC_VARIABLES)
            if meant is not None and meant not in context.names:
                yield Problem(
                    "variable_names",
                    name,
                    message="is not a variable of this collection",
                    remedy=f"did you mean {meant}?",
                )
