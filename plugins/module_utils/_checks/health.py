# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The health endpoints. They are static: green says that the process answers, not that it can work."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .._client import Answer
from .._context import Context, Problem
from .._range import judge
from .._verdict import FAIL, PASS, Measure, Verdict


def judge_endpoint(context: Context, path: str, answer: Answer, options: Mapping[str, Any]) -> Verdict:
    """Status, body and latency of one endpoint."""
    body = context.json(answer)
    if not isinstance(body, dict) or body.get("ok") is not True:
        raise Problem(
            "not_ok",
            f"{path} does not say that it is ok",
            "The backend reports itself as not healthy, or something else answers there.",
            "Look at the answer in the evidence and at the journal of mission-control-backend.",
            answer.evidence(context.redactor),
        )
    warn, crit = options["latency_warning"], options["latency_critical"]
    elapsed = answer.duration_ms
    state = judge(elapsed, warn, crit)
    verdict = Verdict(path, state, f"200 in {elapsed:.0f} ms", evidence=answer.evidence(context.redactor))
    verdict.measures = [Measure(f"{path} time", round(elapsed, 1), "ms", str(warn), str(crit))]
    for phase, value in answer.timings.items():
        if phase != "total":
            verdict.measures.append(Measure(f"{path} {phase}", round(value, 1), "ms"))
    if state != PASS:
        verdict.kind = "slow"
        verdict.summary = f"200, but only after {elapsed:.0f} ms"
        verdict.cause = "The backend or the host is overloaded, or the way to it is slow."
        verdict.remedy = (
            "See which phase takes the time (evidence), the load of the host and the backend's journal; "
            f"the limit is latency_{'critical' if state == FAIL else 'warning'} of the check."
        )
    return verdict


def run(context: Context, options: Mapping[str, Any]) -> Verdict:
    """Ask all endpoints."""

    def ask(path: str) -> Verdict:
        return judge_endpoint(context, path, context.client.get(path, token=""), options)

    return context.each("health", [(path, partial(ask, path)) for path in options["paths"]])
