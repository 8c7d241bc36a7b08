"""The caller, its membership, and what it can see: agents, groups, activity."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import Admin, Member
from app.core.time import utcnow
from app.db.models import ActivityEvent, Agent, Board, BoardGroup, Gateway
from app.db.session import Session, session_maker
from app.schemas import ActivityRead, AgentRead, BoardGroupRead, MemberRead, OrganizationUser, Page, UserRead

router = APIRouter(prefix="/api/v1")
OFFLINE_AFTER = timedelta(minutes=10)
STREAM_POLL_SECONDS = 2.0
STREAM_PING_SECONDS = 15.0


class Window:
    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=200)] = 200,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> None:
        self.limit, self.offset = limit, offset


Paging = Annotated[Window, Depends()]


async def page(session: AsyncSession, statement: Select[Any], window: Window) -> dict[str, Any]:
    total = await session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    rows = await session.scalars(statement.limit(window.limit).offset(window.offset))
    return {"items": rows.all(), "total": total, "limit": window.limit, "offset": window.offset}


@router.post("/auth/bootstrap", tags=["auth"], response_model=UserRead)
async def bootstrap(caller: Member) -> Any:
    return caller.user


@router.get("/users/me", tags=["users"], response_model=UserRead)
async def me(caller: Member) -> Any:
    return caller.user


@router.get("/organizations/me/member", tags=["organizations"], response_model=MemberRead)
async def membership(caller: Member) -> MemberRead:
    answer = MemberRead.model_validate({**vars(caller.member), "user": None, "board_access": []})
    answer.user = OrganizationUser.model_validate(caller.user)
    return answer


def agent_view(agent: Agent) -> AgentRead:
    view = AgentRead.model_validate(agent)
    view.is_gateway_main = agent.board_id is None
    if view.status not in {"deleting", "updating"}:
        if view.last_seen_at is None:
            view.status = "provisioning"
        elif utcnow() - view.last_seen_at > OFFLINE_AFTER:
            view.status = "offline"
    return view


@router.get("/agents", tags=["agents"], response_model=Page[AgentRead])
async def agents(
    session: Session,
    caller: Admin,
    window: Paging,
    board_id: UUID | None = None,
    gateway_id: UUID | None = None,
) -> Any:
    organization = caller.member.organization_id
    boards = select(Board.id).where(Board.organization_id == organization)
    gateways = select(Gateway.id).where(Gateway.organization_id == organization)
    statement = select(Agent).where(or_(Agent.board_id.in_(boards), Agent.gateway_id.in_(gateways)))
    if board_id is not None:
        if await session.scalar(boards.where(Board.id == board_id)) is None:
            raise HTTPException(403)
        statement = statement.where(Agent.board_id == board_id)
    if gateway_id is not None:
        statement = statement.where(Agent.gateway_id == gateway_id)
    found = await page(session, statement.order_by(Agent.created_at.desc(), Agent.id), window)
    return {**found, "items": [agent_view(agent) for agent in found["items"]]}


async def _changes(agents: Select[Any], since: datetime) -> AsyncIterator[str]:
    """Server-sent events: each agent that changed, and a sign of life where none does."""
    pinged = monotonic()
    yield ": connected\n\n"
    while True:
        # A session of its own each time: a stream of hours must not hold a connection of the pool.
        async with session_maker() as session:
            changed = await session.scalars(agents.where(Agent.updated_at > since).order_by(Agent.updated_at))
            for agent in changed:
                since = agent.updated_at
                yield f'event: agent\ndata: {{"agent":{agent_view(agent).model_dump_json()}}}\n\n'
        if monotonic() - pinged >= STREAM_PING_SECONDS:
            pinged = monotonic()
            yield ": ping\n\n"
        await asyncio.sleep(STREAM_POLL_SECONDS)


@router.get("/agents/stream", tags=["agents"])
async def stream_agents(
    session: Session, caller: Admin, board_id: UUID | None = None, since: str | None = None
) -> StreamingResponse:
    organization = caller.member.organization_id
    boards = select(Board.id).where(Board.organization_id == organization)
    if board_id is not None and await session.scalar(boards.where(Board.id == board_id)) is None:
        raise HTTPException(403)
    gateways = select(Gateway.id).where(Gateway.organization_id == organization)
    agents = select(Agent).where(or_(Agent.board_id.in_(boards), Agent.gateway_id.in_(gateways)))
    if board_id is not None:
        agents = agents.where(Agent.board_id == board_id)
    try:
        begin = datetime.fromisoformat(since).replace(tzinfo=None) if since else utcnow()
    except ValueError:
        begin = utcnow()
    # It would stay open as long as the stream does.
    await session.close()
    return StreamingResponse(_changes(agents, begin), media_type="text/event-stream")


@router.get("/board-groups", tags=["board-groups"], response_model=Page[BoardGroupRead])
async def board_groups(session: Session, caller: Member, window: Paging) -> Any:
    statement = select(BoardGroup).where(BoardGroup.organization_id == caller.member.organization_id)
    return await page(session, statement.order_by(func.lower(BoardGroup.name), BoardGroup.id), window)


@router.get("/activity", tags=["activity"], response_model=Page[ActivityRead])
async def activity(session: Session, caller: Member, window: Paging) -> Any:
    statement = select(ActivityEvent).order_by(ActivityEvent.created_at.desc(), ActivityEvent.id)
    return await page(session, statement, window)
