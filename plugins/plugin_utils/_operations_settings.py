# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daily commands are asked for, and what stands in their way, in the operator's words."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..module_utils._application.components import SERVICES
from ..module_utils._services.logs import compiled
from ..module_utils._times.moments import moment

LEVELS = ("trace", "debug", "info", "warning", "error", "critical")
TIMES = "10m, 2h30m, 3d, 2 hours ago, yesterday, 14:30, 2026-01-31 14:30:00 or 2026-01-31T14:30:00Z"
# Services in the order in which operators think of them.
_NAMED = (*(name for name in SERVICES if name != "gateway"), "gateway", "all")


def _fits(function: Callable[[str], Any], text: str) -> bool:
    try:
        function(text)
    except ValueError:
        return False
    return True


def _service(value: str, _allowed: Any) -> str:
    known = ", ".join(_NAMED)
    return (
        ""
        if value in _NAMED
        else f"is not a service of Mission Control. Use -e service= with one of {known}."
    )


def _lines(value: str, most: Any) -> str:
    if re.fullmatch(r"[0-9]+", value) and 1 <= int(value) <= (most or int(value)):
        return ""
    return f"is not a number from 1 to {most}." if most else "is not a number of at least 1."


def _time(value: str, _allowed: Any) -> str:
    fits = not value or _fits(lambda text: moment(text, time.time()), value)
    return "" if fits else f"is not a valid time. Use {TIMES}."


def _level(value: str, _allowed: Any) -> str:
    return "" if value in ("", *LEVELS) else f"is not a valid level. Use one of {', '.join(LEVELS)}."


def _pattern(value: str, _allowed: Any) -> str:
    return "" if _fits(compiled, value) else "is not a valid regular expression."


def _format(value: str, allowed: Any) -> str:
    return "" if value in allowed else f"is not a valid choice. Use {' or '.join(allowed)}."


# What is said of a value, by the name of the setting; the second argument narrows what is allowed.
RULES: Mapping[str, Callable[[str, Any], str]] = {
    "service": _service,
    "lines": _lines,
    "since": _time,
    "before": _time,
    "level": _level,
    "pattern": _pattern,
    "format": _format,
}


def problems(values: Mapping[str, Any], allowed: Mapping[str, Any]) -> list[str]:
    """All mistakes in the settings of a command, each with its remedy.

    :param values: settings by the names that the operator gives them (-e name=value).
    :param allowed: for lines the highest number, for format the list of formats.
    """
    found = []
    for name, value in values.items():
        fault = RULES[name](str(value), allowed.get(name))
        if fault:
            found.append(f"{name}: {json.dumps(str(value))} {fault}")
    return found


def obstacles(plans: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Why services cannot be started or stopped everywhere.

    :param plans: what the module services returned in check mode, by host.
    """
    found = []
    for host, plan in plans.items():
        if plan.get("unreachable"):
            found.append(f"{host} is unreachable: see that it runs and answers this: ansible {host} -m ping.")
        elif "msg" in plan and not plan.get("skipped"):
            found.append(f"{host}: {str(plan['msg']).removesuffix('.')}.")
    return found


def left_behind(state: Mapping[str, Any]) -> list[str]:
    """What an uninstallation leaves on a host.

    :param state: `root`, `user`, `data` and `database` (whether they were removed), `kept` (where an
      installation from before this collection lies, or empty) and `gateway_user` (whose the gateway was).
    """
    gateway = state["gateway_user"]
    found: Sequence[tuple[str, Any]] = (
        (f"{state['root']}/shared/identity", not state["data"]),
        (f"{state['root']}/shared/backups", not state["data"]),
        ("the history", not state["data"]),
        (f"{state['kept']} (from before this collection)", state["kept"]),
        ("the database", not state["database"]),
        ("Redis", True),
        (f"the user {state['user']}", True),
        ("packages", True),
        (f"the gateway's data of the user {gateway}", gateway and not state["data"]),
        (f"the user {gateway}", gateway and gateway != state["user"]),
    )
    return [name for name, left in found if left]
