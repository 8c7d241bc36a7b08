# SPDX-License-Identifier: GPL-3.0-or-later
"""What was started a moment ago is not overloaded, but getting ready: what is said of it then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._application.components import SETTLES, service_unit
from .._cures import WAITING
from .explanation import below
from .explanations.units import BACKEND, FRONTEND, GATEWAY, WORKER
from .explanations.words import API, NOT_REACHED
from .verdict import FAIL, WARN, Verdict

# Seconds after its start in which a unit may be slow, or not there yet.
PATIENCE: Mapping[str, float] = {
    service_unit(service).removesuffix(".service"): seconds for service, seconds in SETTLES.items()
}
# Where it shows, and by which kinds of finding.
PLACES: Mapping[str, tuple[str, ...]] = {
    BACKEND: API,
    FRONTEND: ("frontend", "configuration.api_url"),
    GATEWAY: ("gateway", "sessions", "session"),
    WORKER: ("queue.workers",),
}
LATE = NOT_REACHED | {"slow", "no_worker"}
GATEWAY_LATE = frozenset(
    ("gateway_hung", "gateway_unanswered", "gateway_timeout", "gateway_down", "gateway_handshake")
)


def settle(verdicts: Sequence[Verdict]) -> None:
    """Say of what comes late that it was just started, where the service check has seen that."""
    leaves = [pair for verdict in verdicts for pair in verdict.leaves()]
    ages = {
        unit: age
        for unit in PATIENCE
        for path, leaf in leaves
        if path == f"service.{unit}.active" and isinstance(age := leaf.evidence.get("age"), (int, float))
    }
    # What a signal stopped gets ready no more, however young it is.
    stopped = {path for path, leaf in leaves if leaf.kind in ("process_stopped", "process_frozen")}
    # A backend that answers nobody says nothing about its gateway.
    silent = any(
        leaf.state in (WARN, FAIL) and leaf.kind in NOT_REACHED and below(path, ("health",))
        for path, leaf in leaves
    )
    for unit, age in ages.items():
        if age >= PATIENCE[unit] or f"service.{unit}.process" in stopped:
            continue
        late = LATE
        if unit == GATEWAY:
            late = GATEWAY_LATE if silent else LATE | GATEWAY_LATE
        for path, leaf in leaves:
            if leaf.state in (WARN, FAIL) and leaf.kind in late and below(path, PLACES[unit]):
                leaf.kind = "settling"
                leaf.evidence = {**leaf.evidence, "unit": unit}
                leaf.cause = f"{unit} was started {age:.0f} s ago, and is getting ready."
                leaf.remedy = "Wait some seconds and verify again (deadline does both)."
                leaf.cure = WAITING
