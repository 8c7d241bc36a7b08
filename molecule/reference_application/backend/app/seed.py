"""Fill the database with made-up boards, groups, agents, tasks and events: `python -m app.seed`.

Every figure of the dashboard becomes non-zero, for each board and group, in each of the eight ranges and in
the range before it. The data is the same each time, placed relative to now. A second run changes nothing
while the data is fresh, and moves it up to now when it has aged. The result is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import CursorResult, Table, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import ensure_owner
from app.core.time import utcnow
from app.db.models import ActivityEvent, Agent, Approval, Base, Board, BoardGroup, Gateway, Task
from app.db.session import engine, session_maker
from app.services.gateways import ensure_main_agent

NAMESPACE = UUID("5f0c6f0e-2d0b-4a52-9f5e-0c6a4b8b1c11")
PLACEHOLDER = "seeded placeholder"
GROUPS = {"delivery": "Delivery", "operations": "Operations"}
BOARDS = {
    "demo": ("Demo", "delivery"),
    "web-shop": ("Web shop", "delivery"),
    "infrastructure": ("Infrastructure", "operations"),
    "research": ("Research", None),
}
# Hours before now. For each range there are some within it and some within the one before it, none of them
# so close to an end that a few hours of ageing would matter.
AGES = (2, 7, 13, 20, 30, 40, 80, 120, 200, 300, 400, 600, 900, 1300, 2500, 4000, 5000, 8000, 10000, 16000)
EVENTS = ("task.created", "task.assigned", "task.comment", "agent.run.finished", "task.status_changed")
FAILURES = ("agent.run.failed", "webhook.delivery.failed")
# Data this much older than intended still gives non-zero figures everywhere.
MAX_AGE_HOURS = 3.0


def known_id(*parts: object) -> UUID:
    return uuid5(NAMESPACE, "/".join(map(str, parts)))


@dataclass
class Rows:
    now: datetime
    organization: UUID
    gateway: UUID
    tables: dict[type[Base], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, model: type[Base], *key: object, **values: Any) -> UUID:
        identity = known_id(model.__tablename__, *key)
        self.tables.setdefault(model, []).append({"id": identity, **values})
        return identity

    def dated(self, when: datetime) -> dict[str, datetime]:
        return {"created_at": when, "updated_at": when}

    def ago(self, hours: float, minutes: float = 0) -> datetime:
        return self.now - timedelta(hours=hours, minutes=minutes)


def build(rows: Rows) -> Rows:
    beginning = rows.ago(max(AGES) + 24)
    for slug, name in GROUPS.items():
        rows.add(
            BoardGroup,
            slug,
            organization_id=rows.organization,
            name=name,
            slug=slug,
            description=f"Made-up group {name}",
            **rows.dated(beginning),
        )
    for number, (slug, (name, group)) in enumerate(BOARDS.items()):
        board = rows.add(
            Board,
            slug,
            organization_id=rows.organization,
            name=name,
            slug=slug,
            description=f"Made-up board {name}",
            gateway_id=rows.gateway,
            board_group_id=known_id(BoardGroup.__tablename__, group) if group else None,
            board_type="goal",
            goal_confirmed=False,
            require_approval_for_done=True,
            require_review_before_done=False,
            comment_required_for_review=False,
            block_status_changes_with_pending_approval=False,
            only_lead_can_change_status=False,
            max_agents=3,
            **rows.dated(beginning),
        )
        agents = _agents(rows, slug, name, board, beginning)
        for index, age in enumerate(AGES):
            _activity(rows, slug, board, agents, number, index, age)
    _approvals(rows)
    return rows


def _agents(rows: Rows, slug: str, name: str, board: UUID, since: datetime) -> list[UUID]:
    seen = (rows.ago(0, 3), rows.ago(5), rows.ago(24 * 20))
    return [
        rows.add(
            Agent,
            slug,
            number,
            board_id=board,
            gateway_id=rows.gateway,
            name=f"{name} {'lead' if number == 1 else f'agent {number}'}",
            status="active",
            openclaw_session_id=f"agent:mc-{slug}-{number}:main",
            heartbeat_config={"every": "10m", "target": "last", "includeReasoning": False},
            identity_profile={"role": "Lead" if number == 1 else "Generalist", "emoji": ":gear:"},
            is_board_lead=number == 1,
            last_seen_at=when,
            created_at=since,
            updated_at=when,
        )
        for number, when in enumerate(seen, start=1)
    ]


def _activity(
    rows: Rows, slug: str, board: UUID, agents: list[UUID], number: int, index: int, age: int
) -> None:
    """What happened on one board at one age: tasks of every status, and events."""
    when = rows.ago(age, 7 * number)
    amounts = {
        "inbox": 1 + (index + number) % 2,
        "in_progress": 1 + (index + number) % 2,
        "review": 1 + (2 * index + number) % 3,
        "done": 1 + (index + number) % 3,
    }
    subject = None
    for status, amount in amounts.items():
        for item in range(amount):
            worked = timedelta(hours=1.5 + 0.5 * ((5 * index + 3 * number + 2 * item) % 11))
            started = {"inbox": None, "in_progress": when}.get(status, when - worked)
            subject = rows.add(
                Task,
                slug,
                age,
                status,
                item,
                board_id=board,
                title=f"{status.replace('_', ' ').capitalize()} task {index + 1}.{item + 1}",
                status=status,
                priority=("low", "medium", "high")[(index + item) % 3],
                in_progress_at=started,
                assigned_agent_id=None if status == "inbox" else agents[(index + item) % len(agents)],
                created_at=when if status == "inbox" else when - worked - timedelta(hours=1),
                updated_at=when,
            )
    failures = 1 + (index + number) % 2
    for item, kind in enumerate((*EVENTS, *FAILURES[:failures])):
        rows.add(
            ActivityEvent,
            slug,
            age,
            item,
            event_type=kind,
            message=f"Made-up event {kind}",
            agent_id=agents[item % len(agents)],
            task_id=subject,
            board_id=board,
            created_at=when - timedelta(minutes=item),
        )


def _approvals(rows: Rows) -> None:
    for number, (slug, action) in enumerate(
        [("demo", "task.close"), ("demo", "message.send"), ("infrastructure", "deployment.start")]
    ):
        rows.add(
            Approval,
            number,
            board_id=known_id(Board.__tablename__, slug),
            task_id=known_id(Task.__tablename__, slug, AGES[0], "review", 0),
            agent_id=known_id(Agent.__tablename__, slug, 1),
            action_type=action,
            confidence=0.7 + 0.1 * number,
            status="pending",
            created_at=rows.ago(1, 10 * number),
        )


async def _gateway(session: AsyncSession, organization: UUID) -> tuple[Gateway, bool]:
    """The oldest registered gateway; a placeholder, which answers to nobody, while there is none."""
    own = select(Gateway).where(Gateway.organization_id == organization).order_by(Gateway.created_at)
    real = await session.scalar(own.where(Gateway.name != PLACEHOLDER).limit(1))
    if real is not None:
        return real, False
    placeholder = await session.scalar(own.limit(1))
    if placeholder is not None:
        return placeholder, False
    placeholder = Gateway(
        organization_id=organization,
        name=PLACEHOLDER,
        url="ws://127.0.0.1:18789",
        workspace_root="/srv/openclaw/workspace",
    )
    session.add(placeholder)
    await session.flush()
    await ensure_main_agent(session, placeholder)
    return placeholder, True


async def _bind(session: AsyncSession, rows: Rows) -> bool:
    """Move seeded boards and agents to the chosen gateway; drop a placeholder that nothing uses any more."""
    moved = 0
    for model in (Board, Agent):
        seeded = [row["id"] for row in rows.tables[model]]
        result = await session.execute(
            update(model)
            .where(model.id.in_(seeded), model.gateway_id != rows.gateway)
            .values(gateway_id=rows.gateway)
        )
        moved += result.rowcount if isinstance(result, CursorResult) else 0
    stale = select(Gateway.id).where(Gateway.name == PLACEHOLDER, Gateway.id != rows.gateway)
    unused = stale.where(Gateway.id.not_in(select(Board.gateway_id).where(Board.gateway_id.is_not(None))))
    for identity in (await session.scalars(unused)).all():
        await session.execute(delete(Agent).where(Agent.gateway_id == identity, Agent.board_id.is_(None)))
        await session.execute(delete(Gateway).where(Gateway.id == identity))
        moved += 1
    return moved > 0


async def _fresh(session: AsyncSession, rows: Rows, max_age: timedelta) -> tuple[int, bool]:
    """How many of the rows are there, and whether all are, in the right time."""
    found = 0
    for model, wanted in rows.tables.items():
        identities = [row["id"] for row in wanted]
        keys: Any = model.__table__.c.id
        found += await session.scalar(select(func.count()).where(keys.in_(identities))) or 0
    newest = rows.tables[ActivityEvent][0]
    placed = await session.scalar(select(ActivityEvent.created_at).where(ActivityEvent.id == newest["id"]))
    complete = found == sum(map(len, rows.tables.values()))
    in_time = placed is not None and timedelta(0) <= newest["created_at"] - placed <= max_age
    return found, complete and in_time


async def seed(max_age_hours: float = MAX_AGE_HOURS) -> dict[str, Any]:
    async with session_maker() as session:
        owner = await ensure_owner(session)
        organization = owner.member.organization_id
        gateway, added = await _gateway(session, organization)
        rows = build(Rows(utcnow(), organization, gateway.id))
        total = sum(map(len, rows.tables.values()))
        found, fresh = await _fresh(session, rows, timedelta(hours=max_age_hours))
        if not fresh:
            for model, wanted in rows.tables.items():
                table = model.__table__
                assert isinstance(table, Table)  # noqa: S101 (tells mypy what a declared model has)
                statement = insert(table).values(wanted)
                changes = {name: statement.excluded[name] for name in wanted[0] if name != "id"}
                await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changes))
        moved = await _bind(session, rows)
        await session.commit()
    await engine.dispose()
    return {
        "changed": not fresh or moved or added,
        "created": total - found,
        "refreshed": 0 if fresh else found,
        "unchanged": found if fresh else 0,
        "gateway": gateway.name,
        "boards": {slug: str(known_id(Board.__tablename__, slug)) for slug in BOARDS},
        "groups": {slug: str(known_id(BoardGroup.__tablename__, slug)) for slug in GROUPS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Fill the reference application with made-up data.")
    parser.add_argument(
        "--max-age",
        type=float,
        default=MAX_AGE_HOURS,
        metavar="HOURS",
        help="move the data up to now when it has aged by more than this (default: %(default)s)",
    )
    print(json.dumps(asyncio.run(seed(parser.parse_args().max_age))))


if __name__ == "__main__":
    main()
