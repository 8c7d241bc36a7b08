# SPDX-License-Identifier: GPL-3.0-or-later
"""One check, tried again as long as its patience lasts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .check import Run
from .context import Context, Shared
from .verdict import ERROR, FAIL, FLAKY, PASS, Verdict
from .waiting import Patience, Waiter

# What would be the same after any number of attempts.
HOPELESS = frozenset({"missing_library", "bad_option", "no_such_user", "internal", "waiver_expired"})


def patience_of(options: Mapping[str, Any]) -> Patience:
    """How long to try again, from the options."""
    return Patience(
        deadline=float(options["deadline"]),
        interval=float(options["interval"]),
        backoff=float(options["backoff"]),
        interval_max=float(options["interval_max"]),
        jitter=float(options["jitter"]),
        successes=int(options["successes"]),
    )


def attempt_until_done(
    name: str,
    run: Run,
    shared: Shared,
    options: Mapping[str, Any],
    limit: float | None = None,
    waived: Collection[str] = (),
) -> Verdict:
    """One check, tried again as long as its patience lasts; parts that are waived are not run."""
    context = Context(shared, name, waived)
    waiter = Waiter(patience_of(shared.options), shared.clock, limit)
    started = shared.clock.monotonic()
    failures: list[str] = []
    while True:
        verdict = context.guard(name, lambda: run(context, options))
        good = verdict.state not in (FAIL, ERROR)
        if not good:
            failures.append(verdict.summary)
        if (verdict.kind in HOPELESS and not good) or not waiter.again(good):
            break
        if good:
            context.kept.clear()
        else:
            # The next attempt must not believe what this one found out.
            shared.forget()
    verdict.attempts = max(waiter.attempts, 1)
    verdict.duration_ms = (shared.clock.monotonic() - started) * 1000
    if good and not waiter.stable:
        verdict = Verdict(
            name,
            FAIL,
            f"did not stay healthy: in {waiter.attempts} attempts never {waiter.patience.successes} in a row",
            cause="The service comes and goes.",
            remedy="Look at the journal of the units around the failures; raise `deadline` if that was too "
            "short.",
            kind="unstable",
            evidence={"failures": failures[-5:]},
            checks=verdict.checks,
            attempts=waiter.attempts,
        )
    elif good and failures and verdict.state in (PASS, FLAKY):
        verdict.state = FLAKY
        if "before:" not in verdict.summary:
            verdict.summary = f"{verdict.summary} (at attempt {waiter.attempts}; before: {failures[-1]})"
        verdict.evidence = {**verdict.evidence, "failures": failures[-5:]}
    return verdict
