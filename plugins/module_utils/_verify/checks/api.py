# Copyright: OpenClaw Mission Control collection contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What several checks ask the API for: its dialect, boards, agents, and the sessions of a gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Context, Problem
from ..verdict import SKIP

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


def dialect(context: Context) -> Dialect:
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


def boards(context: Context) -> list[dict[str, Any]]:
    """All boards."""
    found: list[dict[str, Any]] = context.once("boards", lambda: context.pages("/api/v1/boards"))
    return found


def agents(context: Context) -> list[dict[str, Any]]:
    """All agents."""
    found: list[dict[str, Any]] = context.once("agents", lambda: context.pages("/api/v1/agents"))
    return found


@dataclass(frozen=True)
class Target:
    """A gateway as a check asks for it: through a board, or directly."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    board_id: str = ""
    gateway_id: str = ""

    @property
    def connection(self) -> str:
        """What boards that share a gateway have in common: one question to it serves them all."""
        return self.gateway_id or str(self.parameters)


def targets(context: Context, options: Mapping[str, Any]) -> list[Target]:
    """The boards named, or every board that is bound to a gateway; on the guide's paths the one gateway."""
    spoken = dialect(context)
    wanted = [str(board) for board in options.get("board_ids") or []]
    if spoken.singular and not wanted:
        return [Target("gateway", ())]
    try:
        known = {str(board.get("id")): board for board in boards(context)}
    except Problem:
        if not wanted:
            raise
        known = {}
    found: list[Target] = []
    for board_id in wanted or [key for key, board in known.items() if board.get("gateway_id")]:
        board = known.get(board_id, {})
        name = f"board {board.get('slug') or board.get('name') or board_id}"
        if any(target.name == name for target in found):
            name = f"{name} {board_id}"
        found.append(Target(name, (("board_id", board_id),), board_id, str(board.get("gateway_id") or "")))
    return found


def nothing_bound() -> Problem:
    """No board has a gateway: nothing to ask."""
    return Problem(
        "no_gateway",
        "no board is bound to a gateway",
        cause="No gateway has been registered with a board yet.",
        remedy="Deploy a gateway (group mission_control_gateway), or bind a board to one in the user "
        "interface.",
        state=SKIP,
    )


def sessions_of(context: Context, target: Target) -> dict[str, Any]:
    """The sessions of a gateway; asked for once for all checks."""

    def find() -> dict[str, Any]:
        body = context.fetch(f"{dialect(context).prefix}/sessions", dict(target.parameters))
        if isinstance(body, list):
            body = {"sessions": body}
        if not isinstance(body, dict) or not isinstance(body.get("sessions"), list):
            raise Problem(
                "unexpected_shape",
                "the answer has no list of sessions",
                cause="The backend is of a version whose answers have another shape.",
                remedy="Compare mission_control_revision with the versions that this collection supports.",
                evidence={
                    "keys": sorted(map(str, body))[:20] if isinstance(body, dict) else type(body).__name__
                },
            )
        return dict(body)

    found: dict[str, Any] = context.once(f"sessions {target.connection}", find)
    return found


def is_main(session: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether it is the gateway's main session, which every status call touches; known by its sessionId."""
    main = body.get("main_session")
    if not isinstance(main, Mapping):
        return False
    if main.get("key"):
        return bool(main["key"] == session.get("key"))
    return bool(main.get("sessionId")) and main.get("sessionId") == session.get("sessionId")


def belongs(agent: Mapping[str, Any], target: Target) -> bool:
    """Whether an agent's session is to be found at that gateway."""
    if not target.board_id:
        return True
    if target.gateway_id and agent.get("gateway_id") and not agent.get("board_id"):
        return str(agent["gateway_id"]) == target.gateway_id
    return str(agent.get("board_id")) == target.board_id
