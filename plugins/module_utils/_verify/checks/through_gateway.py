# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend can answer only through a gateway, and whom it waits for where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from .. import gateway_probe
from ..context import Problem
from ..http_context import HttpContext
from . import api
from .dialect import PREFIXES
from .gateway_targets import Target

Found = TypeVar("Found")


def gateway_url(context: HttpContext, target: Target) -> str:
    """Where a gateway is, as it is registered; empty where the backend does not tell."""
    if named := dict(target.parameters).get("gateway_url"):
        return named
    if not target.gateway_id:
        return ""

    def find() -> dict[str, str]:
        try:
            items = api.pages(context, PREFIXES["gateways"])
        except Problem:
            return {}
        # Of what is listed the token is not taken along.
        return {str(item.get("id")): str(item.get("url") or "") for item in items if isinstance(item, dict)}

    return str(context.once("gateway addresses", find).get(target.gateway_id, ""))


def ask_gateway(context: HttpContext, target: Target, work: Callable[[], Found]) -> Found:
    """What the backend answers about a gateway. Who is to blame where it does not is looked at from its host.

    A gateway that does not answer ourselves is not asked through the backend, which would wait in vain.
    """
    url, look = "", None
    if gateway_probe.is_own(urlsplit(context.common["url"]).hostname or ""):
        url = gateway_url(context, target)
    if url:
        look = context.once(f"look {url}", lambda: gateway_probe.look_at(url))
        if look.kind in (gateway_probe.SILENT, gateway_probe.DROPPED):
            owner = gateway_probe.owner_of(url, context.clock.now())
            if problem := gateway_probe.problem_of(url, look, owner):
                raise problem
    try:
        return work()
    except Problem as problem:
        if problem.kind != "timeout" or not context.client.get("/healthz", token="", timeout=2.0).ok:
            raise
        raise gateway_probe.unanswered(url, look, context.client.timeout) from problem
