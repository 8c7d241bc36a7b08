# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules about the inventory: its groups, and variables that are misspelt or cannot be resolved."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from ...module_utils._application.components import RESERVED
from .model import COMPONENTS, PREFIX, Context, Problem

# Variables that an operator sets; a name that is nearly one of these is a mistake.
PUBLIC_VARIABLES = frozenset(
    f"{PREFIX}_{name}"
    for name in (
        "additional_environment",
        "adopt",
        "api_url",
        "auth_mode",
        "backend_bind",
        "backend_environment",
        "backend_port",
        "boards",
        "bundle",
        "clerk_publishable_key",
        "clerk_secret_key",
        "cors_origins",
        "database_name",
        "database_password",
        "database_url",
        "database_user",
        "deploy_in_maintenance",
        "download_environment",
        "frontend_bind",
        "frontend_environment",
        "frontend_port",
        "gateway_bind",
        "gateway_ca_path",
        "gateway_configuration",
        "gateway_port",
        "gateway_token",
        "gateway_url",
        "gateway_user",
        "gateway_version",
        "gateways",
        "public_url",
        "redis_url",
        "revision",
        "secret_settings",
        "source",
        "source_checksum",
        "token",
        "user",
    )
)


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    # The prefix, common to many, would make all of them alike.
    choices = {_bare(choice): choice for choice in known}
    near = difflib.get_close_matches(_bare(name), choices, n=1, cutoff=0.75)
    return choices[near[0]] if near else None


def _bare(name: str) -> str:
    return name.lower().removeprefix(f"{PREFIX}_")


def undefined_variables(context: Context) -> Iterator[Problem]:
    for name, why in context.undefined.items():
        yield Problem(
            "undefined_variables",
            name,
            message=f"cannot be resolved: {why}",
            remedy="define what it refers to, for example in the vault",
        )


# --- names ---------------------------------------------------------------------------------------


def inventory_groups(context: Context) -> Iterator[Problem]:
    known = {PREFIX, *(f"{PREFIX}_{component}" for component in COMPONENTS)}
    reserved = {f"{PREFIX}_{component}" for component in RESERVED}
    for name in sorted(context.groups):
        if name in reserved:
            yield Problem(
                rule="inventory_groups",
                variable=f"group {name}",
                message="has no effect: this collection deploys no such component yet",
                remedy="take it out of the inventory",
            )
        elif name.startswith(PREFIX) and name not in known:
            meant = suggest(name, known)
            yield Problem(
                "inventory_groups",
                f"group {name}",
                message="is not a group of this collection",
                remedy=f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(known))}",
            )
    everyone = set(context.groups.get(PREFIX, ()))
    for component in COMPONENTS:
        group = f"{PREFIX}_{component}"
        # The hosts of a play are those of the one group, so this one is not the host that is missing there.
        outside = sorted(set(context.groups.get(group, ())) - everyone)
        if everyone and outside:
            yield Problem(
                "inventory_groups",
                f"group {PREFIX}",
                message=f"lacks {', '.join(outside)}, which {'is' if len(outside) == 1 else 'are'} in "
                f"{group}",
                remedy=f"make {group} a child of {PREFIX}",
            )
    if context.hostname in everyone and not context.components:
        yield Problem(
            "inventory_groups",
            f"host {context.hostname}",
            message="runs nothing: every part has a group of its own and the host is in none of them",
            remedy="put it into one of them, or take it out of the inventory",
            warning=True,
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
