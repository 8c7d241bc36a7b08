# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from an Ansible module to the checks and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ._baseline import compare, is_report
from ._options import CHECKS, COMMON, VERIFY, check_specification, verify_specification
from ._range import duration, parse_range, since
from ._redact import Redactor
from ._suite import Run, run_suite
from ._verdict import ERROR, FAIL, WARN


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
            problems.append(f"{name}: {value!r} is no http(s) address")
    return problems


def finish(module: AnsibleModule, report: dict[str, Any], **more: Any) -> None:
    """End the module: the same keys whether it fails or not."""
    state = report["state"]
    fail_on = module.params["fail_on"]
    failing = {"never": (), "fail": (FAIL, ERROR), "warn": (WARN, FAIL, ERROR)}[fail_on]
    result = {"changed": False, **more, **report}
    for cause in report["root_causes"]:
        if cause["state"] == WARN and fail_on != "never" and state not in failing:
            module.warn(f"{cause['check']}: {cause['summary']}. {cause['remedy']}")
    if state in failing:
        module.fail_json(msg=report["summary"], **result)
    module.exit_json(msg=report["summary"], **result)


def _refuse(module: AnsibleModule, problems: Sequence[str]) -> None:
    if problems:
        module.fail_json(msg="; ".join(problems), changed=False, state=ERROR, verdicts=[], root_causes=[])


def check_module(name: str, run: Run) -> None:
    """A module of one check."""
    module = AnsibleModule(argument_spec=check_specification(name), supports_check_mode=True)
    options = module.params
    _refuse(module, bad_options(options))
    report = run_suite(
        {name: run},
        {key: options[key] for key in COMMON},
        check_options={name: {key: options[key] for key in CHECKS[name][1]}},
        # One check has no suite around it: its own patience and the time of a request bound it.
        suite_deadline=float(options["deadline"]) + 20 * float(options["timeout"]),
    )
    verdict = report["verdicts"][0]
    finish(module, report, verdict=verdict, **{key: verdict[key] for key in ("cause", "remedy", "evidence")})


def verify_module(runs: Mapping[str, Run]) -> None:
    """The module of all checks."""
    module = AnsibleModule(argument_spec=verify_specification(), supports_check_mode=True)
    options = module.params
    problems = bad_options(options)
    if options["baseline"] and not is_report(options["baseline"]):
        problems.append("baseline: this is no report of verify (it has no verdicts)")
    _refuse(module, problems)
    names = list(runs) if "all" in options["checks"] else [name for name in runs if name in options["checks"]]
    names = [name for name in names if name not in options["skip"]]
    if not names:
        _refuse(module, ["checks: nothing is left to check"])
    report = run_suite(
        {name: runs[name] for name in names},
        {key: options[key] for key in COMMON},
        waivers=options["waivers"],
        suite_deadline=float(options["suite_deadline"]),
        view=options["view"],
        check_options={name: options[name] for name in names},
    )
    more: dict[str, Any] = {"comparison": None}
    if options["baseline"]:
        more["comparison"] = compare(options["baseline"], report)
        if module._diff:
            more["diff"] = more["comparison"]["diff"]
    finish(module, Redactor().data(report), **more)


__all__ = ["VERIFY", "bad_options", "check_module", "verify_module"]
