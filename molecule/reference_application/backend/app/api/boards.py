"""Boards and gateways: list, register, change, delete."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, HTTPException
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.organization import Paging, page
from app.auth import Admin, Caller, Member
from app.core.time import utcnow
from app.db.models import ActivityEvent, Agent, Approval, Board, BoardGroup, Gateway, Task
from app.db.session import Session
from app.schemas import (
    BoardCreate,
    BoardRead,
    BoardUpdate,
    GatewayCreate,
    GatewayRead,
    GatewayUpdate,
    Ok,
    Page,
)
from app.services import gateway as client
from app.services.gateways import ensure_main_agent, main_session_key, target
from app.services.queue import QueuedTask, enqueue

boards = APIRouter(prefix="/api/v1/boards", tags=["boards"])
gateways = APIRouter(prefix="/api/v1/gateways", tags=["gateways"])


async def _board(session: AsyncSession, caller: Caller, board_id: UUID) -> Board:
    board = await session.get(Board, board_id)
    if board is None:
        raise HTTPException(404)
    if board.organization_id != caller.member.organization_id:
        raise HTTPException(403)
    return board


async def _check_references(session: AsyncSession, caller: Caller, values: dict[str, Any]) -> None:
    organization = caller.member.organization_id
    if "gateway_id" in values:
        gateway = await session.get(Gateway, values["gateway_id"])
        if gateway is None or gateway.organization_id != organization:
            raise HTTPException(422, "gateway_id is invalid")
    if values.get("board_group_id") is not None:
        group = await session.get(BoardGroup, values["board_group_id"])
        if group is None or group.organization_id != organization:
            raise HTTPException(422, "board_group_id is invalid")


async def _announce(board_id: UUID | None, event: str, message: str) -> None:
    """Through the queue, so that a working worker can be seen at work."""
    payload = {"event_type": event, "message": message, "board_id": str(board_id) if board_id else None}
    await enqueue(QueuedTask("activity_event", payload))


@boards.get("", response_model=Page[BoardRead])
async def list_boards(
    session: Session,
    caller: Member,
    window: Paging,
    gateway_id: UUID | None = None,
    board_group_id: UUID | None = None,
) -> Any:
    statement = select(Board).where(Board.organization_id == caller.member.organization_id)
    if gateway_id is not None:
        statement = statement.where(Board.gateway_id == gateway_id)
    if board_group_id is not None:
        statement = statement.where(Board.board_group_id == board_group_id)
    return await page(
        session, statement.order_by(func.lower(Board.name), Board.created_at.desc(), Board.id), window
    )


@boards.post("", response_model=BoardRead)
async def create_board(session: Session, caller: Admin, body: BoardCreate) -> Any:
    values = body.model_dump()
    await _check_references(session, caller, values)
    board = Board(**values, organization_id=caller.member.organization_id)
    session.add(board)
    await session.commit()
    await _announce(board.id, "board.created", f"Board {board.name} was created")
    return board


@boards.get("/{board_id}", response_model=BoardRead)
async def read_board(session: Session, caller: Member, board_id: UUID) -> Any:
    return await _board(session, caller, board_id)


@boards.patch("/{board_id}", response_model=BoardRead)
async def update_board(session: Session, caller: Admin, board_id: UUID, body: BoardUpdate) -> Any:
    board = await _board(session, caller, board_id)
    values = body.model_dump(exclude_unset=True)
    await _check_references(session, caller, values)
    for name, value in values.items():
        setattr(board, name, value)
    if values.get("board_type") == "goal" and not (board.objective and board.success_metrics):
        raise HTTPException(422, "Goal boards require objective and success_metrics")
    if board.gateway_id is None:
        raise HTTPException(422, "gateway_id is required")
    board.updated_at = utcnow()
    await session.commit()
    await _announce(board.id, "board.updated", f"Board {board.name} was changed")
    return board


@boards.delete("/{board_id}", response_model=Ok)
async def delete_board(session: Session, caller: Admin, board_id: UUID) -> Any:
    board = await _board(session, caller, board_id)
    name = board.name
    tasks = select(Task.id).where(Task.board_id == board.id)
    agents = select(Agent.id).where(Agent.board_id == board.id)
    await session.execute(delete(Approval).where(Approval.board_id == board.id))
    await session.execute(
        delete(ActivityEvent).where(
            ActivityEvent.task_id.in_(tasks)
            | ActivityEvent.agent_id.in_(agents)
            | (ActivityEvent.board_id == board.id)
        )
    )
    await session.execute(delete(Task).where(Task.board_id == board.id))
    await session.execute(delete(Agent).where(Agent.board_id == board.id))
    await session.delete(board)
    await session.commit()
    await _announce(None, "board.deleted", f"Board {name} was deleted")
    return Ok()


async def _gateway(session: AsyncSession, caller: Caller, gateway_id: UUID) -> Gateway:
    gateway = await session.get(Gateway, gateway_id)
    if gateway is None or gateway.organization_id != caller.member.organization_id:
        raise HTTPException(404, "Gateway not found")
    return gateway


async def _try(where: client.Target, main_session: str) -> None:
    """Connect before anything is saved, as the product does, and make sure of the main session."""
    try:
        async with client.connect(where) as connection:
            problem = client.version_problem(connection.hello)
            if problem is None:
                await client.ensure_session(connection, main_session)
    except client.GatewayError as error:
        text = client.friendly(str(error))
        raise HTTPException(502, f"Gateway compatibility check failed: {text}") from error
    if problem is not None:
        raise HTTPException(422, problem)


@gateways.get("", response_model=Page[GatewayRead])
async def list_gateways(session: Session, caller: Admin, window: Paging) -> Any:
    statement = select(Gateway).where(Gateway.organization_id == caller.member.organization_id)
    return await page(session, statement.order_by(Gateway.created_at.desc(), Gateway.id), window)


@gateways.post("", response_model=GatewayRead)
async def create_gateway(session: Session, caller: Admin, body: GatewayCreate) -> Any:
    gateway = Gateway(**body.model_dump(), organization_id=caller.member.organization_id)
    session.add(gateway)
    await session.flush()
    await _try(target(gateway), main_session_key(gateway.id))
    await ensure_main_agent(session, gateway)
    await session.commit()
    await _announce(None, "gateway.created", f"Gateway {gateway.name} was registered")
    return gateway


@gateways.get("/{gateway_id}", response_model=GatewayRead)
async def read_gateway(session: Session, caller: Admin, gateway_id: UUID) -> Any:
    return await _gateway(session, caller, gateway_id)


@gateways.patch("/{gateway_id}", response_model=GatewayRead)
async def update_gateway(session: Session, caller: Admin, gateway_id: UUID, body: GatewayUpdate) -> Any:
    gateway = await _gateway(session, caller, gateway_id)
    values = body.model_dump(exclude_unset=True)
    for name in values.keys() - {"token"}:
        if values[name] is None:
            raise HTTPException(422, f"{name} is required")
    for name, value in values.items():
        setattr(gateway, name, value)
    if values.keys() & {"url", "token", "allow_insecure_tls", "disable_device_pairing"}:
        await _try(target(gateway), main_session_key(gateway.id))
    gateway.updated_at = utcnow()
    await ensure_main_agent(session, gateway)
    await session.commit()
    await _announce(None, "gateway.updated", f"Gateway {gateway.name} was changed")
    return gateway


@gateways.delete("/{gateway_id}", response_model=Ok)
async def delete_gateway(session: Session, caller: Admin, gateway_id: UUID) -> Any:
    gateway = await _gateway(session, caller, gateway_id)
    used = await session.scalar(
        select(func.count()).select_from(Board).where(Board.gateway_id == gateway.id)
    ) or await session.scalar(
        select(func.count())
        .select_from(Agent)
        .where(Agent.gateway_id == gateway.id, Agent.board_id.is_not(None))
    )
    if used:
        raise HTTPException(409, "Gateway is used by boards or their agents")
    own = select(Agent.id).where(Agent.gateway_id == gateway.id)
    await session.execute(update(ActivityEvent).where(ActivityEvent.agent_id.in_(own)).values(agent_id=None))
    await session.execute(delete(Agent).where(Agent.gateway_id == gateway.id))
    await session.delete(gateway)
    await session.commit()
    await _announce(None, "gateway.deleted", f"Gateway {gateway.name} was deleted")
    return Ok()
