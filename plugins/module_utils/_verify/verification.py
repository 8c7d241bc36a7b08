# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of `verify` to the result of its task; in the module, and on the host without one.

A module has to be packed, sent, unpacked and compiled, which takes as long as the checks themselves. The host
command has the checks on board, compiled: so the action plugin of verify lets it work where it is up to date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._redaction import Redactor
from .._terminal import clean_data
from .baseline import compare, is_report
from .check import Run
from .common_options import COMMON
from .options import CHECKS, verify_options
from .result import bad_options, refusal, result_of
from .suite import run_suite


def verify(options: Mapping[str, Any], check: Callable[[str], Run], *, diff: bool = False) -> dict[str, Any]:
    """All checks that the options of verify name, and no other is loaded; returns the result of the task."""
    problems = bad_options(options, verify_options())
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
    return result_of(clean_data(Redactor().data(report)), options["fail_on"], **more)
