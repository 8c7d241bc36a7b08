# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of all checks, each defined once.

Each check's are in `check_options`, and its module takes its argument specification from there; `verify`
takes each check's options as a dictionary of the check's name. The documentation fragments are written from
here (a test compares them).
"""

from __future__ import annotations

from typing import Any

from .check_options import (
    agents,
    configuration,
    cors,
    database,
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
from .option_model import Options, listed, option, specification

# name: (title, options)
CHECKS: dict[str, tuple[str, Options]] = {
    "health": (health.TITLE, health.OPTIONS),
    "cors": (cors.TITLE, cors.OPTIONS),
    "membership": (membership.TITLE, membership.OPTIONS),
    "agents": (agents.TITLE, agents.OPTIONS),
    "gateway": (gateway.TITLE, gateway.OPTIONS),
    "sessions": (sessions.TITLE, sessions.OPTIONS),
    "session": (session.TITLE, session.OPTIONS),
    "metrics": (metrics.TITLE, metrics.OPTIONS),
    "frontend": (frontend.TITLE, frontend.OPTIONS),
    "service": (service.TITLE, service.OPTIONS),
    "log": (log.TITLE, log.OPTIONS),
    "database": (database.TITLE, database.OPTIONS),
    "queue": (queue.TITLE, queue.OPTIONS),
    "host": (host.TITLE, host.OPTIONS),
    "configuration": (configuration.TITLE, configuration.OPTIONS),
}


VERIFY: Options = {
    "checks": listed(
        "The checks to run. Others are not run at all.",
        ["all"],
        choices=["all", *CHECKS],
    ),
    "skip": listed("Checks not to run.", [], choices=[*CHECKS]),
    "suite_deadline": option(
        "float",
        "Seconds after which the suite ends in any case. What has not answered by then is an error.",
        120.0,
    ),
    "waivers": listed(
        "Checks, or parts of them, that are accepted as they are for a while. A waived check is not run.",
        [],
        elements="dict",
        options={
            "check": option(
                "str",
                "Name of the check (V(log)) or the dotted path of a part (V(agents.stale)).",
                required=True,
            ),
            "reason": option("str", "Why.", required=True),
            "expires": option(
                "str",
                "Last day (YYYY-MM-DD) of the waiver. After it, the waiver is a failure.",
                required=True,
            ),
        },
    ),
    "baseline": option("raw", "An earlier result (its RV(report)) that this one is compared with."),
    "view": option(
        "str", "From where the checks look: a word for the reports.", "host", choices=["host", "controller"]
    ),
}


def verify_options() -> Options:
    """All options of `verify`: the common ones, its own, and each check's as a dictionary."""
    return {
        **COMMON,
        **VERIFY,
        **{
            name: option("dict", f"Options of the check that {title}.", {}, options=options)
            for name, (title, options) in CHECKS.items()
        },
    }


def verify_specification() -> dict[str, Any]:
    """The argument specification of `verify`."""
    found = {}
    for name, described in verify_options().items():
        one = {key: value for key, value in described.items() if key != "description"}
        if "options" in one:
            one["options"] = specification(one["options"])
        if name in CHECKS:
            # Without this, the defaults of the options inside would not apply to a check nobody configured.
            one["apply_defaults"] = True
            one.pop("default", None)
        found[name] = one
    return found
