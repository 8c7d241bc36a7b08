# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the product's settings and about the source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._application.flags import FALSE, TRUE
from ...module_utils._application.frontend_settings import FRONTEND_SETTINGS
from ...module_utils._application.settings import BACKEND_SETTINGS, Setting
from ...module_utils._host.networks import network
from ...module_utils._shown_settings import holds_secret
from .access import token_fault
from .addresses import _items, _url_faults
from .database import database_url_fault, redis_url_fault
from .inventory import suggest
from .model import PREFIX, Context, Problem, in_line


def check_environment(
    values: Mapping[str, Any],
    secret_settings: Sequence[str] = (),
    variable: str = f"{PREFIX}_backend_environment",
) -> list[Problem]:
    """Overrides of the product's backend settings: misspelt names, and values that it would refuse."""
    found = []
    for name, value in values.items():
        setting = BACKEND_SETTINGS.get(name)
        if setting is None:
            found.append(_unknown_setting(str(name), variable))
            continue
        fault = setting_fault(name, setting, value)
        if fault:
            # A URL that is wrong may hide its password from who looks for it.
            secret = setting.kind in ("database", "redis") or holds_secret(name, str(value), secret_settings)
            shown = "" if secret else str(value)
            found.append(
                Problem(
                    "environment",
                    f"{variable}.{name}",
                    message=fault,
                    remedy="see the product's settings",
                    value=shown,
                )
            )
    return found


def _unknown_setting(name: str, variable: str) -> Problem:
    meant = suggest(name, BACKEND_SETTINGS)
    if name in FRONTEND_SETTINGS or name.startswith("NEXT_PUBLIC_"):
        remedy = f"it is built into the frontend: put it into {PREFIX}_frontend_environment"
    elif meant:
        remedy = f"did you mean {meant}?"
    else:
        remedy = f"put variables that are not the product's into {PREFIX}_additional_environment"
    return Problem(
        "environment",
        f"{variable}.{name}",
        message="is not a setting of the product, which would ignore it silently",
        remedy=remedy,
    )


def setting_fault(name: str, setting: Setting, value: Any) -> str:
    """What is wrong with a value of a setting; empty when nothing is."""
    text = ("true" if value else "false") if isinstance(value, bool) else str("" if value is None else value)
    kind = setting.kind
    if kind == "choice" and text not in setting.allowed:
        wanted = ", ".join(setting.allowed)
        return (
            f"has to be one of {wanted}"
            if text.upper() not in setting.allowed
            else f"is written in capitals: {wanted}"
        )
    if kind == "boolean" and text.lower() not in TRUE | FALSE:
        return "has to be true or false"
    if kind == "integer" and not re.fullmatch(r"\d+", text):
        return "has to be a whole number that is not negative"
    if kind == "number" and not re.fullmatch(r"\d+(\.\d+)?", text):
        return "has to be a number that is not negative"
    if kind == "version" and not re.fullmatch(r"\d{4}\.\d{1,2}\.\d{1,2}(-\w+)?", text):
        return "has to be a version such as 2026.02.9"
    if kind == "url" and text:
        return _url_faults(text)
    if kind == "database":
        return database_url_fault(text)
    if kind == "redis" and text:
        return redis_url_fault(text)
    if kind == "networks":
        return _networks_fault(text)
    if kind == "origins":
        faults = [
            f"{origin} {fault}" for origin in _items(value) if (fault := _url_faults(origin, origin=True))
        ]
        return "; ".join(faults)
    if name == "LOCAL_AUTH_TOKEN":
        return token_fault(text)
    return ""


def _networks_fault(text: str) -> str:
    for item in _items(text):
        try:
            network(item, exact=False)
        except ValueError:
            return f"{item} is not a valid address or network"
    return ""


def secret_settings(context: Context) -> Iterator[Problem]:
    named = context.get("secret_settings", [])
    if not isinstance(named, (list, tuple)) or not all(isinstance(name, str) for name in named):
        # Not its value: somebody may have written the secrets themselves.
        yield Problem(
            "secret_settings",
            f"{PREFIX}_secret_settings",
            message="is not a list of names",
            remedy="list the names of the settings whose values are to be hidden, for example [TENANT_PIN]",
        )


def environment(context: Context) -> Iterator[Problem]:
    if not context.runs("backend", "worker"):
        return
    for name in (
        "backend_environment",
        "additional_environment",
        "download_environment",
        "frontend_environment",
    ):
        values = context.get(name, {})
        if not isinstance(values, Mapping):
            yield Problem(
                "environment",
                f"{PREFIX}_{name}",
                message="is not a mapping of names to values",
                remedy="write one line NAME: value each",
            )
            continue
        if name == "backend_environment":
            yield from check_environment(values, context.secret_settings)
            yield from _unwise_settings(values)
        if name == "additional_environment":
            for key in values:
                if key in BACKEND_SETTINGS:
                    yield Problem(
                        "environment",
                        f"{PREFIX}_{name}.{key}",
                        message="is a setting of the product",
                        remedy=f"put it into {PREFIX}_backend_environment, where its value is checked",
                    )
                elif meant := suggest(str(key), BACKEND_SETTINGS):
                    yield Problem(
                        "environment",
                        f"{PREFIX}_{name}.{key}",
                        message=f"looks like the product's setting {meant}",
                        remedy=f"if that is meant, put it into {PREFIX}_backend_environment",
                        warning=True,
                    )


def _unwise_settings(values: Mapping[str, Any]) -> Iterator[Problem]:
    variable = f"{PREFIX}_backend_environment"
    if str(values.get("ENVIRONMENT", "")) == "dev" and "DB_AUTO_MIGRATE" not in values:
        yield Problem(
            "environment",
            f"{variable}.ENVIRONMENT",
            message="makes the product migrate its database whenever a process starts",
            remedy="use another name, for example staging",
            value="dev",
        )
    if str(values.get("DB_AUTO_MIGRATE", "")).lower() in TRUE:
        yield Problem(
            "environment",
            f"{variable}.DB_AUTO_MIGRATE",
            message="makes several processes migrate the database at once",
            remedy="leave it off: the deployment migrates once, before the start",
            value=str(values["DB_AUTO_MIGRATE"]),
        )


# --- the source ----------------------------------------------------------------------------------


def source(context: Context) -> Iterator[Problem]:
    if context.source is None or context.bundle or not context.runs("backend", "worker", "frontend"):
        return
    variable, _colon, fault = context.source.message.partition(": ")
    yield Problem(
        rule="source", variable=variable, message=fault.rstrip("."), remedy=in_line(context.source.remedy)
    )
