# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks without Ansible, for the host command and for timers.

Exit status: 0 healthy, 1 unhealthy, 2 could not be checked.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from .check import Run
from .common_options import COMMON
from .options import CHECKS, defaults
from .reports.document import document, table
from .reports.formats import render
from .suite import run_suite
from .verdict import ERROR, FAIL

HEALTHY, UNHEALTHY, UNKNOWN = 0, 1, 2


class BadConfigurationError(ValueError):
    """The configuration or the command line asks for something that does not exist."""


def check(name: str) -> Run:
    """The function of a check, loaded when it is wanted."""
    found: Run = importlib.import_module(f".checks.{name}", __package__).run
    return found


def chosen(configuration: Mapping[str, Any], names: Sequence[str] = ()) -> list[str]:
    """The checks to run: those named, else those of the configuration, else all."""
    wanted = list(names or configuration.get("checks") or CHECKS)
    unknown = [name for name in wanted if name not in CHECKS]
    if unknown:
        raise BadConfigurationError(f"There is no check {unknown[0]!r}. There are {', '.join(CHECKS)}.")
    skipped = configuration.get("skip") or []
    return wanted if names else [name for name in wanted if name not in skipped]


def _filled(option: Mapping[str, Any], value: Any) -> Any:
    """A list of dictionaries with the defaults of what they leave out, as Ansible would hand it over."""
    if option.get("elements") != "dict" or "options" not in option:
        return value
    return [defaults(option["options"]) | dict(item) for item in value]


def run(configuration: Mapping[str, Any], names: Sequence[str] = (), *, where: str = "") -> dict[str, Any]:
    """The report over the checks. Options are those of the module verify, unknown ones are refused."""
    wanted = chosen(configuration, names)
    common = defaults(COMMON)
    given = dict(configuration.get("options") or {})
    unknown = sorted(set(given) - set(common))
    if unknown:
        raise BadConfigurationError(f"There is no option {unknown[0]!r}.")
    options: dict[str, dict[str, Any]] = {}
    for name in wanted:
        known = defaults(CHECKS[name])
        own = dict((configuration.get("check_options") or {}).get(name) or {})
        unknown = sorted(set(own) - set(known))
        if unknown:
            raise BadConfigurationError(f"The check {name} has no option {unknown[0]!r}.")
        options[name] = known | {key: _filled(CHECKS[name][key], value) for key, value in own.items()}
    return run_suite(
        {name: check(name) for name in wanted},
        common | given,
        waivers=configuration.get("waivers") or [],
        suite_deadline=float(configuration.get("suite_deadline") or 120.0),
        check_options=options,
        where=where,
    )


def exit_status(report: Mapping[str, Any]) -> int:
    """What is broken outranks what could not be looked at."""
    states = {verdict["state"] for verdict in report["verdicts"]}
    if FAIL in states:
        return UNHEALTHY
    return UNKNOWN if ERROR in states or not states else HEALTHY


def show(report: Mapping[str, Any], format: str, *, name: str, colour: bool, verbose: bool) -> str:
    """The report in a format, or as a table for the terminal."""
    found = document(name, [report])
    if format == "table":
        return table(found, colour=colour, verbose=verbose).rstrip("\n") + "\n"
    return render(found, format)
