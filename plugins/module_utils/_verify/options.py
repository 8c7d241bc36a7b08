# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of all checks, each defined once.

Each check's are in `check_options`, and its module takes its argument specification from there; `verify`
takes each check's options as a dictionary of the check's name. What they mean is
in docs/writer/option_texts.py; the documentation fragments are written from both (a test compares them).
"""

from __future__ import annotations

from typing import Any

from .check_options import (
    agents,
    backup,
    configuration,
    cors,
    database,
    front_door,
    frontend,
    gateway,
    health,
    host,
    log,
    membership,
    metrics,
    queue,
    service,
    session,
    sessions,
)
from .common_options import COMMON
from .option_model import Options, listed, option, specified

CHECKS: dict[str, Options] = {
    "health": health.OPTIONS,
    "cors": cors.OPTIONS,
    "membership": membership.OPTIONS,
    "agents": agents.OPTIONS,
    "gateway": gateway.OPTIONS,
    "sessions": sessions.OPTIONS,
    "session": session.OPTIONS,
    "metrics": metrics.OPTIONS,
    "frontend": frontend.OPTIONS,
    "service": service.OPTIONS,
    "log": log.OPTIONS,
    "database": database.OPTIONS,
    "queue": queue.OPTIONS,
    "host": host.OPTIONS,
    "configuration": configuration.OPTIONS,
    "front_door": front_door.OPTIONS,
    "backup": backup.OPTIONS,
}


VERIFY: Options = {
    "checks": listed(["all"], choices=["all", *CHECKS]),
    "skip": listed([], choices=[*CHECKS]),
    "suite_deadline": option("float", 120.0),
    "waivers": listed(
        [],
        elements="dict",
        options={
            "check": option("str", required=True),
            "reason": option("str", required=True),
            "expires": option("str", required=True),
        },
    ),
    "baseline": option("raw"),
    "view": option("str", "host", choices=["host", "controller"]),
}


def verify_options() -> Options:
    """All options of `verify`: the common ones, its own, and each check's as a dictionary."""
    return {
        **COMMON,
        **VERIFY,
        **{name: option("dict", {}, options=options) for name, options in CHECKS.items()},
    }


def verify_specification() -> dict[str, Any]:
    """The argument specification of `verify`."""
    found = {}
    for name, known in verify_options().items():
        one = specified(known)
        if name in CHECKS:
            # Without this, the defaults of the options inside would not apply to a check nobody configured.
            one["apply_defaults"] = True
            one.pop("default", None)
        found[name] = one
    return found


def defaults(options: Options) -> dict[str, Any]:
    """The options' defaults, for the runner that has no Ansible."""
    return {name: one.get("default") for name, one in options.items()}
