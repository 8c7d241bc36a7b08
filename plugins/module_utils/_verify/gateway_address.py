# SPDX-License-Identifier: GPL-3.0-or-later
"""Where nobody listens at a gateway's address and the gateway of this host runs, the address is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from .._cures import DECISION
from .._host.reachable import is_this_host
from .explanation import below
from .explanations.units import GATEWAY
from .verdict import PASS, Verdict


def find_wrong_addresses(verdicts: Sequence[Verdict]) -> None:
    """Say so of what was found to be down, where the service check has seen the unit run."""
    leaves = [pair for verdict in verdicts for pair in verdict.leaves()]
    if not any(path == f"service.{GATEWAY}.active" and leaf.state == PASS for path, leaf in leaves):
        return
    for path, leaf in leaves:
        url = str(leaf.evidence.get("gateway_url") or "")
        if leaf.kind == "gateway_down" and below(path, ("gateway",)) and url and is_this_host(url):
            leaf.kind = "gateway_address"
            leaf.cause = (
                f"The gateway of this host runs, and nobody listens at {url}: it is registered with another "
                "port or address than its own."
            )
            leaf.remedy = (
                "Correct the URL in the user interface under Gateways; where the gateway listens: ss -ltnp "
                "(its default is port 18789)."
            )
            leaf.cure = DECISION
