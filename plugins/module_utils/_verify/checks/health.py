# SPDX-License-Identifier: GPL-3.0-or-later
"""The health endpoints. They are static: green says that the process answers, not that it can work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..._http.answer import Answer
from ..context import Problem
from ..http_context import HttpContext, OverHttp
from ..thresholds import judge
from ..verdict import ERROR, FAIL, PASS, Measure, Verdict


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: the least value that as many of the values, in percent, do not exceed."""
    rank = max(math.ceil(percent / 100 * len(values)), 1)
    return sorted(values)[rank - 1]


def judge_endpoint(
    context: HttpContext, path: str, answers: Sequence[Answer], options: Mapping[str, Any]
) -> Verdict:
    """Status, body and latency of one endpoint."""
    for answer in answers:
        body = context.json(answer)
        if not isinstance(body, dict) or body.get("ok") is not True:
            raise Problem(
                "not_ok",
                f"{path} does not say that it is ok",
                cause="The backend reports itself as not healthy, or something else answers there.",
                remedy="Look at the answer in the evidence and at the journal of mission-control-backend.",
                evidence=answer.evidence(context.redactor),
            )
    warn, crit = options["latency_warning"], options["latency_critical"]
    times = [answer.duration_ms for answer in answers]
    percent = options["percentile"]
    elapsed = percentile(times, percent)
    typical = next(answer for answer in answers if answer.duration_ms == elapsed)
    state = judge(elapsed, warn, crit)
    several = f" ({percent:g} % of {len(times)})" if len(times) > 1 else ""
    verdict = Verdict(path, state, f"200 in {elapsed:.0f} ms{several}")
    verdict.evidence = typical.evidence(context.redactor)
    verdict.measures = [Measure(f"{path} time", round(elapsed, 1), "ms", str(warn), str(crit))]
    if several:
        verdict.measures += [
            Measure(f"{path} median", round(percentile(times, 50), 1), "ms"),
            Measure(f"{path} slowest", round(max(times), 1), "ms"),
        ]
    for phase, value in typical.timings.items():
        if phase != "total":
            verdict.measures.append(Measure(f"{path} {phase}", round(value, 1), "ms"))
    if state != PASS:
        verdict.kind = "slow"
        verdict.summary = f"200, but only after {elapsed:.0f} ms{several}"
        verdict.cause = "The backend or the host is overloaded, or the way to it is slow."
        verdict.remedy = (
            "See which phase takes the time (evidence), the load of the host and the backend's journal; "
            f"the limit is latency_{'critical' if state == FAIL else 'warning'} of the check."
        )
    return verdict


@OverHttp
def run(context: HttpContext, options: Mapping[str, Any]) -> Verdict:
    """Ask all endpoints."""
    samples, percent = options["samples"], options["percentile"]
    wrong = "An option is wrong."
    if not 1 <= samples <= 1000:
        return Verdict(
            "health",
            ERROR,
            f"samples: {samples}",
            cause=wrong,
            remedy="Give a number from 1 to 1000.",
            kind="bad_option",
        )
    if not 0 < percent <= 100:
        return Verdict(
            "health",
            ERROR,
            f"percentile: {percent:g}",
            cause=wrong,
            remedy="Give a number above 0, up to 100.",
            kind="bad_option",
        )

    def ask(path: str) -> Verdict:
        return judge_endpoint(
            context, path, [context.client.get(path, token="") for _ in range(samples)], options
        )

    return context.each("health", [(path, partial(ask, path)) for path in options["paths"]])
