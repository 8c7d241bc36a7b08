"""Gateways as rows: the agent that belongs to each, and where to connect."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.time import utcnow
from app.db.models import Agent, Gateway
from app.services.gateway import Target


def main_session_key(gateway_id: UUID) -> str:
    return f"agent:mc-gateway-{gateway_id}:main"


def target(gateway: Gateway) -> Target:
    return Target(gateway.url, gateway.token, gateway.allow_insecure_tls, gateway.disable_device_pairing)


async def ensure_main_agent(session: AsyncSession, gateway: Gateway) -> Agent:
    """The gateway's own agent, which has no board; made, or renamed with its gateway."""
    agent = await session.scalar(
        select(Agent).where(Agent.gateway_id == gateway.id, Agent.board_id.is_(None)).limit(1)
    )
    name = f"{gateway.name} Gateway Agent"
    if agent is None:
        agent = Agent(
            name=name,
            gateway_id=gateway.id,
            openclaw_session_id=main_session_key(gateway.id),
            heartbeat_config={"every": "10m", "target": "last", "includeReasoning": False},
            identity_profile={
                "role": "Gateway Agent",
                "communication_style": "direct, concise, practical",
                "emoji": ":compass:",
            },
        )
        session.add(agent)
    elif agent.name != name:
        agent.name = name
        agent.updated_at = utcnow()
    await session.flush()
    return agent
