# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole suite: checks side by side, with what is waived, and the whole table of causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .check import Run
from .explanations.table import ROWS
from .gateway_address import find_wrong_addresses
from .log_reasons import tell_reasons
from .runner import Runner
from .settling import settle
from .verdict import Verdict
from .waiting import Clock
from .waivers import attempt_waived


def _judge_together(verdicts: Sequence[Verdict]) -> None:
    """What one check alone cannot know."""
    settle(verdicts)
    tell_reasons(verdicts)
    find_wrong_addresses(verdicts)


def run_suite(
    runs: Mapping[str, Run],
    options: Mapping[str, Any],
    *,
    waivers: Sequence[Mapping[str, Any]] = (),
    suite_deadline: float = 120.0,
    view: str = "host",
    clock: Clock | None = None,
    where: str = "",
    check_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The report over the checks as plain data, without secrets; see Runner.run."""
    return Runner(
        runs=runs,
        options=options,
        rows=ROWS,
        deadline=suite_deadline,
        view=view,
        clock=clock or Clock(),
        where=where,
        check_options=check_options or {},
        attempt=partial(attempt_waived, waivers),
        finish=_judge_together,
    ).run()
