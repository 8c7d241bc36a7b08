"""The caller, its membership, and what it can see: agents, groups, activity."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import Admin, Member
from app.core.time import utcnow
from app.db.models import ActivityEvent, Agent, Board, BoardGroup, Gateway
from app.db.session import Session
from app.schemas import ActivityRead, AgentRead, BoardGroupRead, MemberRead, OrganizationUser, Page, UserRead

router = APIRouter(prefix="/api/v1")
OFFLINE_AFTER = timedelta(minutes=10)


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


@router.get("/board-groups", tags=["board-groups"], response_model=Page[BoardGroupRead])
async def board_groups(session: Session, caller: Member, window: Paging) -> Any:
    statement = select(BoardGroup).where(BoardGroup.organization_id == caller.member.organization_id)
    return await page(session, statement.order_by(func.lower(BoardGroup.name), BoardGroup.id), window)


@router.get("/activity", tags=["activity"], response_model=Page[ActivityRead])
async def activity(session: Session, caller: Member, window: Paging) -> Any:
    statement = select(ActivityEvent).order_by(ActivityEvent.created_at.desc(), ActivityEvent.id)
    return await page(session, statement, window)
