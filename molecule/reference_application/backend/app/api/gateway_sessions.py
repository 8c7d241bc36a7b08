"""What a gateway says: status, sessions, one session, its history.

Two dialects, chosen by a setting: the running product's `/gateways/...`, where a board has to be named, and
its guide's `/gateway/...`, whose commands name none: there the only registered gateway is meant.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import Admin, Caller
from app.core.config import settings
from app.db.models import Board, Gateway
from app.db.session import Session
from app.schemas import GatewayHistory, GatewaySession, GatewaySessions, GatewayStatus
from app.services import gateway as client
from app.services.gateways import main_session_key, target

SINGULAR = settings.reference_gateway_dialect == "singular"
router = APIRouter(prefix="/api/v1/gateway" if SINGULAR else "/api/v1/gateways", tags=["gateways"])
NO_SELECTOR = "board_id or gateway_url is required"
NONE_REGISTERED = "no gateway is registered"


class NoGatewayError(HTTPException):
    def __init__(self) -> None:
        super().__init__(422, NONE_REGISTERED)


async def _by_board(session: AsyncSession, caller: Caller, board_id: str) -> Gateway:
    try:
        board = await session.get(Board, UUID(board_id))
    except ValueError:
        board = None
    if board is None:
        raise HTTPException(404, "Board not found")
    if board.organization_id != caller.member.organization_id:
        raise HTTPException(403)
    if board.gateway_id is None:
        raise HTTPException(422, "Board gateway_id is required")
    gateway = await session.get(Gateway, board.gateway_id)
    if gateway is None:
        raise HTTPException(422, "Board gateway_id is invalid")
    return gateway


async def _registered(session: AsyncSession, caller: Caller, board_id: str | None) -> Gateway:
    if board_id:
        return await _by_board(session, caller, board_id)
    if not SINGULAR:
        raise HTTPException(422, NO_SELECTOR)
    own = Gateway.organization_id == caller.member.organization_id
    found = (await session.scalars(select(Gateway).where(own).limit(2))).all()
    if not found:
        raise NoGatewayError
    if len(found) > 1:
        raise HTTPException(422, NO_SELECTOR)
    return found[0]


async def chosen(session: Session, caller: Admin, board_id: str | None = None) -> Gateway:
    return await _registered(session, caller, board_id)


Chosen = Annotated[Gateway, Depends(chosen)]


@router.get("/status", response_model=GatewayStatus)
async def status(
    session: Session,
    caller: Admin,
    board_id: str | None = None,
    gateway_url: str | None = None,
    gateway_token: str | None = None,
    gateway_disable_device_pairing: bool | None = None,
    gateway_allow_insecure_tls: bool | None = None,
) -> GatewayStatus:
    main_session: str | None = None
    if gateway_url is not None and gateway_url.strip():
        url = gateway_url.strip()
        own = (Gateway.organization_id == caller.member.organization_id, Gateway.url == url)
        known = await session.scalar(select(Gateway).where(*own).limit(1))
        where = client.Target(
            url,
            (gateway_token or "").strip() or None,
            _either(gateway_allow_insecure_tls, known.allow_insecure_tls if known else None),
            _either(gateway_disable_device_pairing, known.disable_device_pairing if known else None),
        )
    else:
        try:
            gateway = await _registered(session, caller, board_id)
        except NoGatewayError as error:
            return GatewayStatus(connected=False, gateway_url="", error=str(error.detail))
        where, main_session = target(gateway), main_session_key(gateway.id)

    answer = GatewayStatus(connected=False, gateway_url=where.url)
    try:
        async with client.connect(where) as connection:
            answer.error = client.version_problem(connection.hello)
            if answer.error is None:
                answer.sessions = await client.sessions(connection)
                answer.sessions_count = len(answer.sessions)
                answer.connected = True
                if main_session:
                    try:
                        answer.main_session = await client.ensure_session(connection, main_session)
                    except client.GatewayError as error:
                        answer.main_session_error = str(error)
    except client.GatewayError as error:
        return GatewayStatus(connected=False, gateway_url=where.url, error=client.friendly(str(error)))
    return answer


def _either(asked: bool | None, saved: bool | None) -> bool:
    return bool(saved) if asked is None else asked


@router.get("/sessions", response_model=GatewaySessions)
async def list_sessions(gateway: Chosen) -> Any:
    try:
        async with client.connect(target(gateway)) as connection:
            found = await client.sessions(connection)
            try:
                main = await client.ensure_session(connection, main_session_key(gateway.id))
            except client.GatewayError:
                main = None
    except client.GatewayError as error:
        raise HTTPException(502, str(error)) from error
    return GatewaySessions(sessions=found, main_session=main)


@router.get("/sessions/{session_id}", response_model=GatewaySession)
async def one_session(session_id: str, gateway: Chosen) -> Any:
    try:
        async with client.connect(target(gateway)) as connection:
            found = await client.sessions(connection)
    except client.GatewayError as error:
        raise HTTPException(502, str(error)) from error
    for entry in found:
        if isinstance(entry, dict) and entry.get("key") == session_id:
            return GatewaySession(session=entry)
    raise HTTPException(404, "Session not found")


@router.get("/sessions/{session_id}/history", response_model=GatewayHistory)
async def session_history(session_id: str, gateway: Chosen) -> Any:
    try:
        async with client.connect(target(gateway)) as connection:
            return GatewayHistory(history=await client.history(connection, session_id))
    except client.GatewayError as error:
        raise HTTPException(502, str(error)) from error
