# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From the options of a check, or of all, to the result of a task; and the same on the host without a module.

A module has to be packed, sent, unpacked and compiled, which takes as long as the checks themselves. The host
command has the checks on board, compiled: so the action plugin of verify lets it work where it is up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._durations import duration, since
from .._redaction import Redactor
from .baseline import compare, is_report
from .options import CHECKS, COMMON
from .suite import Run, run_suite
from .thresholds import parse_range
from .verdict import ERROR, FAIL, WARN


def bad_options(options: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What the argument specification cannot check: ranges, durations, waiting."""
    problems = []
    for name, value in options.items():
        if isinstance(value, dict) and name in CHECKS:
            problems += bad_options(value, f"{name}.")
        elif (
            name.endswith(("_warning", "_critical"))
            and value not in (None, "", {})
            and isinstance(value, str)
        ):
            try:
                parse_range(value)
            except ValueError as error:
                problems.append(f"{prefix}{name}: {error}")
        elif name in ("restart_window", "since") and value and value != "start":
            try:
                duration(value) if name == "restart_window" else since(value, 0.0)
            except ValueError as error:
                problems.append(f"{prefix}{name}: {error}")
    for name, least in (("timeout", 0.001), ("interval", 0.0), ("backoff", 1.0), ("successes", 1)):
        if name in options and options[name] < least:
            problems.append(f"{name}: {options[name]} is too small, it must be {least} or more")
    for name in ("url", "public_url"):
        value = options.get(name)
        if value and not str(value).startswith(("http://", "https://")):
            problems.append(f"{name}: {value!r} is not a valid http(s) address")
    return problems


def refusal(problems: Sequence[str]) -> dict[str, Any]:
    """The result for options that make no sense."""
    return {
        "failed": True,
        "msg": "; ".join(problems),
        "changed": False,
        "state": ERROR,
        "verdicts": [],
        "root_causes": [],
    }


def result_of(report: Mapping[str, Any], fail_on: str, **more: Any) -> dict[str, Any]:
    """The result of the task: the same keys whether it fails or not."""
    state = report["state"]
    failing = {"never": (), "fail": (FAIL, ERROR), "warn": (WARN, FAIL, ERROR)}[fail_on]
    result = {"changed": False, **more, **report, "msg": report["summary"]}
    warnings = [
        f"{cause['check']}: {cause['summary']}. {cause['remedy']}"
        for cause in report["root_causes"]
        if cause["state"] == WARN and fail_on != "never" and state not in failing
    ]
    if warnings:
        result["warnings"] = warnings
    if state in failing:
        result["failed"] = True
    return result


def verify(options: Mapping[str, Any], check: Callable[[str], Run], *, diff: bool = False) -> dict[str, Any]:
    """All checks that the options of verify name, and no other is loaded; returns the result of the task."""
    problems = bad_options(options)
    if options["baseline"] and not is_report(options["baseline"]):
        problems.append("baseline: this is not a report of verify (it has no verdicts)")
    asked_for, skipped = set(options["checks"]), options["skip"]
    names = [name for name in CHECKS if {"all", name} & asked_for and name not in skipped]
    if not names:
        problems.append("checks: nothing is left to check")
    if problems:
        return refusal(problems)
    report = run_suite(
        {name: check(name) for name in names},
        {key: options[key] for key in COMMON},
        waivers=options["waivers"],
        suite_deadline=float(options["suite_deadline"]),
        view=options["view"],
        check_options={name: options[name] for name in names},
    )
    more: dict[str, Any] = {"comparison": None}
    if options["baseline"]:
        more["comparison"] = compare(options["baseline"], report)
        if diff:
            more["diff"] = more["comparison"]["diff"]
    return result_of(Redactor().data(report), options["fail_on"], **more)
