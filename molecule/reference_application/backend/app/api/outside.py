"""What comes from outside without the bearer token: webhooks, and agents with tokens of their own.

Each board has one webhook, made from its id; payloads are taken and not kept. No agent has a token here.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Annotated, Any, NoReturn
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Header, HTTPException, Request

from app.core.config import settings
from app.core.http import client_address
from app.core.rate_limit import agent_logins, webhooks
from app.db.models import Board
from app.db.session import Session
from app.schemas import WebhookTaken

router = APIRouter(prefix="/api/v1")
SIGNATURE = "X-Hub-Signature-256"


def webhook_of(board_id: UUID) -> UUID:
    return uuid5(board_id, "webhook")


def secret_of(board_id: UUID) -> bytes:
    return str(uuid5(board_id, "secret")).encode()


async def _body(request: Request) -> bytes:
    """The body, as far as it is not too large: read in pieces, whatever Content-Length says."""
    most = settings.webhook_max_payload_bytes
    too_large = HTTPException(413, f"Payload exceeds maximum size of {most} bytes.")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise too_large
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_large
    return body


@router.post(
    "/boards/{board_id}/webhooks/{webhook_id}",
    tags=["board-webhooks"],
    status_code=202,
    response_model=WebhookTaken,
)
async def ingest(request: Request, session: Session, board_id: UUID, webhook_id: UUID) -> Any:
    if not webhooks.allows(client_address(request.scope)):
        raise HTTPException(429)
    if await session.get(Board, board_id) is None or webhook_id != webhook_of(board_id):
        raise HTTPException(404)
    body = await _body(request)
    wanted = "sha256=" + hmac.new(secret_of(board_id), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(request.headers.get(SIGNATURE, "").encode(), wanted.encode()):
        raise HTTPException(403, "Invalid webhook signature.")
    return WebhookTaken(board_id=board_id, webhook_id=webhook_id, payload_id=uuid4())


@router.get("/agent/boards", tags=["agent"], response_model=None)
async def agent_boards(
    request: Request, _token: Annotated[str | None, Header(alias="X-Agent-Token")] = None
) -> NoReturn:
    if not agent_logins.allows(client_address(request.scope)):
        raise HTTPException(429)
    raise HTTPException(401)
