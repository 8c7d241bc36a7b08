"""Who is calling: one shared bearer token; the first call makes the owner."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import AuthMode, settings
from app.db.models import Organization, OrganizationMember, User
from app.db.session import Session

logger = logging.getLogger(__name__)
bearer = HTTPBearer(auto_error=False)
LOCAL_USER = {"clerk_user_id": "local-auth-user", "email": "admin@home.local", "name": "Local User"}
_FIRST_CALL_LOCK = 0x4F434D43


@dataclass(frozen=True)
class Caller:
    user: User
    member: OrganizationMember


async def _find(session: AsyncSession) -> Caller | None:
    row = (
        await session.execute(
            select(User, OrganizationMember)
            .join(OrganizationMember, OrganizationMember.user_id == User.id)
            .where(User.clerk_user_id == LOCAL_USER["clerk_user_id"])
            .order_by(OrganizationMember.created_at)
        )
    ).first()
    return Caller(row[0], row[1]) if row else None


async def ensure_owner(session: AsyncSession) -> Caller:
    """The local user, its organization and its membership; made when they don't exist."""
    caller = await _find(session)
    if caller:
        return caller
    # Two first calls at once must not make two organizations.
    await session.execute(select(func.pg_advisory_xact_lock(text(str(_FIRST_CALL_LOCK)))))
    caller = await _find(session)
    if caller:
        return caller
    organization = Organization(name="Personal")
    session.add(organization)
    await session.flush()
    user = User(**LOCAL_USER, active_organization_id=organization.id)
    session.add(user)
    await session.flush()
    member = OrganizationMember(
        organization_id=organization.id,
        user_id=user.id,
        role="owner",
        all_boards_read=True,
        all_boards_write=True,
    )
    session.add(member)
    await session.commit()
    logger.info("auth.owner.created")
    return Caller(user, member)


async def current_caller(
    session: Session,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    if settings.auth_mode is AuthMode.CLERK:
        logger.warning("auth.clerk.unsupported: the stand-in answers 401 to every call in this mode")
        raise HTTPException(401)
    given = (credentials.credentials if credentials else "").encode()
    if not compare_digest(given, settings.local_auth_token.strip().encode()):
        raise HTTPException(401)
    return await ensure_owner(session)


async def current_admin(caller: Annotated[Caller, Depends(current_caller)]) -> Caller:
    if caller.member.role not in {"owner", "admin"}:
        raise HTTPException(403)
    return caller


Member = Annotated[Caller, Depends(current_caller)]
Admin = Annotated[Caller, Depends(current_admin)]
