# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from an Ansible module to a check and back."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .common_options import COMMON
from .option_model import Options, specification
from .result import bad_options, refusal, result_of
from .suite import Run, run_suite


def end(module: AnsibleModule, result: dict[str, Any]) -> None:
    """End the task with the result, its warnings apart."""
    for warning in result.pop("warnings", []):
        module.warn(warning)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)


def check_module(name: str, run: Run, own: Options) -> None:
    """A module of one check, with its own options besides those that all checks have."""
    module = AnsibleModule(argument_spec=specification({**COMMON, **own}), supports_check_mode=True)
    options = module.params
    problems = bad_options(options)
    if problems:
        end(module, refusal(problems))
    report = run_suite(
        {name: run},
        {key: options[key] for key in COMMON},
        check_options={name: {key: options[key] for key in own}},
        # One check has no suite around it: its own patience and the time of a request bound it.
        suite_deadline=float(options["deadline"]) + 20 * float(options["timeout"]),
    )
    verdict = report["verdicts"][0]
    more = {key: verdict[key] for key in ("cause", "remedy", "evidence")}
    end(module, result_of(report, options["fail_on"], verdict=verdict, **more))
