# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator accepts as it is, until a day that he names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from .attempts import attempt_until_done
from .check import Run
from .context import Context, Shared
from .verdict import ERROR, FAIL, SKIP, Verdict, combine, waived_part


def waived(
    waivers: Sequence[Mapping[str, Any]], name: str, today: date
) -> tuple[list[Verdict], set[str], bool]:
    """Verdicts on the waivers of one check, the parts that are waived, and whether all of it is."""
    verdicts: list[Verdict] = []
    parts: set[str] = set()
    whole = False
    for waiver in waivers:
        path = str(waiver["check"])
        if path.split(".")[0] != name:
            continue
        evidence = {"check": path, "reason": waiver["reason"], "expires": str(waiver["expires"])}
        try:
            expires = date.fromisoformat(str(waiver["expires"]))
        except ValueError:
            verdicts.append(
                Verdict(
                    "waiver",
                    ERROR,
                    f"the waiver of {path} has no date as its expiry: {waiver['expires']!r}",
                    cause="A waiver ends on a day, written YYYY-MM-DD.",
                    remedy="Correct `expires` in verify_waivers.",
                    kind="bad_option",
                    evidence=evidence,
                )
            )
            continue
        if expires < today:
            verdicts.append(
                Verdict(
                    "waiver",
                    FAIL,
                    f"the waiver of {path} expired on {expires}",
                    cause=f"The check was waived until {expires}: {waiver['reason']}",
                    remedy="Cure what was waived and remove the waiver from verify_waivers, or set a new "
                    "date.",
                    kind="waiver_expired",
                    evidence=evidence,
                )
            )
            continue
        verdicts.append(
            Verdict(
                "waiver",
                SKIP,
                f"waived until {expires}: {waiver['reason']}",
                evidence=evidence,
                kind="waived",
            )
        )
        if path == name:
            whole = True
        else:
            parts.add(path)
    return verdicts, parts, whole


def attempt_waived(
    waivers: Sequence[Mapping[str, Any]],
    name: str,
    run: Run,
    shared: Shared,
    options: Mapping[str, Any],
    limit: float | None = None,
) -> Verdict:
    """One check, as far as it is not waived, with what is to be said of its waivers."""
    found, parts, whole = waived(waivers, name, datetime.fromtimestamp(shared.clock.now(), UTC).date())
    if whole and all(verdict.state == SKIP for verdict in found):
        return Verdict(name, SKIP, found[0].summary, kind="waived", evidence=found[0].evidence)
    below = {path.removeprefix(f"{name}.") for path in parts}

    def rest(context: Context, given: Mapping[str, Any]) -> Verdict:
        return without(run(context, given), below)

    verdict = attempt_until_done(name, rest, shared, options, limit, below)
    extra = [verdict_ for verdict_ in found if verdict_.state != SKIP]
    return combine(name, [*extra, *(verdict.checks or [verdict])]) if extra else verdict


def without(verdict: Verdict, waived: Collection[str], prefix: str = "") -> Verdict:
    """The tree without what is waived: dotted paths below the check."""
    if not waived or not verdict.checks:
        return verdict
    parts = []
    for part in verdict.checks:
        path = f"{prefix}{part.name}"
        parts.append(waived_part(part.name) if path in waived else without(part, waived, f"{path}."))
    if all(new is old for new, old in zip(parts, verdict.checks, strict=True)):
        return verdict
    fresh = combine(verdict.name, parts)
    fresh.evidence, fresh.measures = verdict.evidence, verdict.measures
    fresh.duration_ms, fresh.attempts = verdict.duration_ms, verdict.attempts
    return fresh
