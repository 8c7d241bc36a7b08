# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from an Ansible module to a check and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._failing import fail, fit_to_show
from .._terminal import clean
from .check import Run
from .common_options import COMMON
from .explanation import Row
from .explanations import address, maintenance
from .option_model import Options, specification
from .result import bad_options, refusal, result_of
from .runner import Runner


def end(module: AnsibleModule, result: dict[str, Any]) -> None:
    """End the task with the result, its warnings apart."""
    for warning in result.pop("warnings", []):
        module.warn(clean(warning))
    if result.pop("failed", False):
        fail(module, result)
    module.exit_json(**fit_to_show(result))


def check_module(name: str, run: Run, own: Options, rows: Sequence[Row] = ()) -> None:
    """A module of one check.

    :param own: its options besides those that all checks have.
    :param rows: what of its findings may explain others of them.
    """
    known = {**COMMON, **own}
    module = AnsibleModule(argument_spec=specification(known), supports_check_mode=True)
    options = module.params
    problems = bad_options(options, known)
    if problems:
        refused = refusal(problems)
        del refused["verdicts"]
        end(module, refused)
    report = Runner(
        runs={name: run},
        options={key: options[key] for key in COMMON},
        rows=(maintenance.ROW, *rows, address.ROW),
        check_options={name: {key: options[key] for key in own}},
        # One check has no suite around it: its own patience and the time of a request bound it.
        deadline=float(options["deadline"]) + 20 * float(options["timeout"]),
    ).run()
    (verdict,) = report.pop("verdicts")
    more = {"cause": verdict["cause"], "remedy": verdict["remedy"], "evidence": evidence_of(verdict)}
    end(module, result_of(report, options["fail_on"], verdict=verdict, **more))


def evidence_of(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What a check saw; where its parts did, by their paths below it."""
    return dict(verdict["evidence"]) or dict(_evidence_below(verdict))


def _evidence_below(verdict: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for part in verdict["checks"]:
        path = f"{prefix}{part['name']}"
        if part["checks"]:
            yield from _evidence_below(part, f"{path}.")
        elif part["evidence"]:
            yield path, part["evidence"]
