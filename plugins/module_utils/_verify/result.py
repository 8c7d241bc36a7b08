# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The result of a task that checks: from a report, or from options that make no sense."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .._durations import duration, since
from .thresholds import parse_range
from .verdict import ERROR, FAIL, WARN


def bad_options(options: Mapping[str, Any], prefix: str = "", *, checks: Collection[str] = ()) -> list[str]:
    """What the argument specification cannot check: ranges, durations, waiting.

    The options named in `checks` are the options of that check, each judged likewise.
    """
    problems = []
    for name, value in options.items():
        if isinstance(value, dict) and name in checks:
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
