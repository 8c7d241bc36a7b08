# SPDX-License-Identifier: GPL-3.0-or-later
"""How a backend calls things: the paths of its gateways, the parameter of its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..http_context import HttpContext

METRICS = "/api/v1/metrics/dashboard"
PREFIXES = {"gateways": "/api/v1/gateways", "gateway": "/api/v1/gateway"}


@dataclass(frozen=True)
class Dialect:
    """How this backend calls things. `assumed`: its OpenAPI document did not tell."""

    prefix: str
    range_parameter: str
    assumed: bool = False

    @property
    def singular(self) -> bool:
        """The guide's paths, which know one gateway and no boards."""
        return self.prefix == PREFIXES["gateway"]


def read_dialect(paths: Mapping[str, Any]) -> Dialect:
    """The dialect from the paths of an OpenAPI document."""
    prefix = next(
        (
            PREFIXES[name]
            for name in ("gateways", "gateway")
            if f"{PREFIXES[name]}/status" in paths or f"{PREFIXES[name]}/sessions" in paths
        ),
        "",
    )
    parameters = {
        str(parameter.get("name"))
        for operation in (paths.get(METRICS) or {}).values()
        if isinstance(operation, Mapping)
        for parameter in operation.get("parameters") or []
        if isinstance(parameter, Mapping)
    }
    name = next((name for name in ("range_key", "range") if name in parameters), "")
    return Dialect(prefix or PREFIXES["gateways"], name or "range_key", not prefix or not name)


def dialect(context: HttpContext) -> Dialect:
    """What the options say, else what /openapi.json says, else upstream's."""
    prefix = PREFIXES.get(context.common["dialect"])
    parameter = context.common["range_parameter"]
    if prefix and parameter != "auto":
        return Dialect(prefix, parameter)

    def find() -> Dialect:
        answer = context.client.get("/openapi.json", token="")
        if answer.failure:
            raise context.problem(answer)
        try:
            paths = answer.json().get("paths") if answer.ok else None
        except (ValueError, AttributeError):
            paths = None
        return read_dialect(paths if isinstance(paths, Mapping) else {})

    found: Dialect = context.once("dialect", find)
    return Dialect(
        prefix or found.prefix, parameter if parameter != "auto" else found.range_parameter, found.assumed
    )
