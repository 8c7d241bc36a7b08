# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from an Ansible module to the checks and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .options import CHECKS, COMMON, check_specification, verify_specification
from .result import bad_options, refusal, result_of, verify
from .suite import Run, run_suite


def _end(module: AnsibleModule, result: dict[str, Any]) -> None:
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def check_module(name: str, run: Run) -> None:
    """A module of one check."""
    module = AnsibleModule(argument_spec=check_specification(name), supports_check_mode=True)
    options = module.params
    problems = bad_options(options)
    if problems:
        _end(module, refusal(problems))
    report = run_suite(
        {name: run},
        {key: options[key] for key in COMMON},
        check_options={name: {key: options[key] for key in CHECKS[name][1]}},
        # One check has no suite around it: its own patience and the time of a request bound it.
        suite_deadline=float(options["deadline"]) + 20 * float(options["timeout"]),
    )
    verdict = report["verdicts"][0]
    more = {key: verdict[key] for key in ("cause", "remedy", "evidence")}
    _end(module, result_of(report, options["fail_on"], verdict=verdict, **more))


def verify_module(runs: Mapping[str, Run]) -> None:
    """The module of all checks."""
    module = AnsibleModule(argument_spec=verify_specification(), supports_check_mode=True)
    _end(module, verify(module.params, runs.__getitem__, diff=module._diff))
