# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a task that checks: from a report, or from options that make no sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .option_model import Options
from .verdict import ERROR, FAIL, WARN


def bad_options(values: Mapping[str, Any], options: Options, prefix: str = "") -> list[str]:
    """What the argument specification cannot check: ranges, durations, addresses, waiting."""
    problems = []
    for name, one in options.items():
        value = values.get(name)
        if one["type"] == "dict" and "options" in one:
            problems += bad_options(value or {}, one["options"], f"{name}.")
        elif "form" in one and value not in (None, ""):
            try:
                one["form"](value)
            except ValueError as error:
                problems.append(f"{prefix}{name}: {error}")
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
