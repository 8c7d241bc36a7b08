"""The dashboard's figures, counted in the tables.

They are counted as the running product counts them, which is not always what its guide says:
throughput is tasks that are done, and the median cycle time is that of the tasks in review, over the range
asked for rather than over seven days.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.auth import Caller, Member
from app.core.config import settings
from app.core.time import utcnow
from app.db.models import ActivityEvent, Agent, Approval, Board, Task
from app.db.session import Session
from app.schemas import (
    Bucket,
    Dashboard,
    Kpis,
    PendingApproval,
    PendingApprovals,
    Point,
    Range,
    Series,
    SeriesPair,
    WipPair,
    WipPoint,
    WipSeries,
)

router = APIRouter(prefix="/api/v1/metrics", tags=["metrics"])
RANGES: dict[Range, tuple[timedelta, Bucket]] = {
    "24h": (timedelta(hours=24), "hour"),
    "3d": (timedelta(days=3), "day"),
    "7d": (timedelta(days=7), "day"),
    "14d": (timedelta(days=14), "day"),
    "1m": (timedelta(days=30), "day"),
    "3m": (timedelta(days=90), "week"),
    "6m": (timedelta(days=180), "week"),
    "1y": (timedelta(days=365), "month"),
}
STATUSES = ("inbox", "in_progress", "review", "done")
PENDING_SHOWN = 10

CYCLE_HOURS = func.extract("epoch", Task.updated_at - Task.in_progress_at) / 3600.0
FAILED = ActivityEvent.event_type.endswith("failed")
FAILED_PERCENT = 100.0 * func.count().filter(FAILED) / func.count()


@dataclass(frozen=True)
class Span:
    """A stretch of time, the buckets in it, and the boards that count."""

    key: Range
    bucket: Bucket
    start: datetime
    end: datetime
    boards: list[UUID]

    def during(self, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        return column.between(self.start, self.end)

    def by_bucket(self, column: InstrumentedAttribute[Any], *figures: ColumnElement[Any]) -> Select[Any]:
        period = func.date_trunc(self.bucket, column).label("period")
        return (
            select(period, *figures)
            .where(self.during(column), Task.board_id.in_(self.boards))
            .group_by(period)
        )

    def periods(self) -> list[datetime]:
        """The starts of all buckets, from the one that holds the beginning to the one that holds the end."""
        current = self.start.replace(minute=0, second=0, microsecond=0)
        if self.bucket != "hour":
            current = current.replace(hour=0)
        if self.bucket == "week":
            current -= timedelta(days=current.weekday())
        if self.bucket == "month":
            current = current.replace(day=1)
        found = []
        while current <= self.end:
            found.append(current)
            if self.bucket == "month":
                # Day 28 and four more are always in the next month.
                current = (current.replace(day=28) + timedelta(days=4)).replace(day=1)
            else:
                steps = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
                current += steps[self.bucket]
        return found


async def _series(session: AsyncSession, span: Span, statement: Select[Any]) -> Series:
    rows: dict[datetime, Any] = dict((await session.execute(statement)).tuples().all())
    points = [Point(period=period, value=float(rows.get(period) or 0)) for period in span.periods()]
    return Series(range=span.key, bucket=span.bucket, points=points)


async def throughput(session: AsyncSession, span: Span) -> Series:
    return await _series(
        session, span, span.by_bucket(Task.updated_at, func.count()).where(Task.status == "done")
    )


async def cycle_time(session: AsyncSession, span: Span) -> Series:
    statement = span.by_bucket(Task.updated_at, func.avg(CYCLE_HOURS))
    return await _series(
        session, span, statement.where(Task.status == "review", Task.in_progress_at.is_not(None))
    )


async def error_rate(session: AsyncSession, span: Span) -> Series:
    statement = span.by_bucket(ActivityEvent.created_at, FAILED_PERCENT)
    return await _series(session, span, statement.join(Task, ActivityEvent.task_id == Task.id))


async def wip(session: AsyncSession, span: Span) -> WipSeries:
    counts: dict[datetime, dict[str, int]] = {}
    # What waits is counted by when it came, the rest by when it last moved.
    for column, statuses in ((Task.created_at, STATUSES[:1]), (Task.updated_at, STATUSES[1:])):
        figures = [func.count().filter(Task.status == status) for status in statuses]
        for period, *values in (await session.execute(span.by_bucket(column, *figures))).all():
            counts.setdefault(period, {}).update(zip(statuses, values, strict=True))
    points = []
    for period in span.periods():
        by_status = {status: counts.get(period, {}).get(status, 0) for status in STATUSES}
        points.append(WipPoint(period=period, **by_status))
    return WipSeries(range=span.key, bucket=span.bucket, points=points)


async def kpis(session: AsyncSession, span: Span) -> Kpis:
    counted = await session.execute(
        select(Task.status, func.count()).where(Task.board_id.in_(span.boards)).group_by(Task.status)
    )
    tasks: dict[str, int] = dict(counted.tuples().all())
    agents = await session.scalar(
        select(func.count()).where(span.during(Agent.last_seen_at), Agent.board_id.in_(span.boards))
    )
    failed, events = (
        await session.execute(
            select(func.count().filter(FAILED), func.count())
            .select_from(ActivityEvent)
            .join(Task, ActivityEvent.task_id == Task.id)
            .where(span.during(ActivityEvent.created_at), Task.board_id.in_(span.boards))
        )
    ).one()
    median = await session.scalar(
        select(func.percentile_cont(0.5).within_group(CYCLE_HOURS)).where(
            Task.status == "review",
            Task.in_progress_at.is_not(None),
            span.during(Task.updated_at),
            Task.board_id.in_(span.boards),
        )
    )
    return Kpis(
        active_agents=agents or 0,
        tasks_in_progress=tasks.get("in_progress", 0),
        inbox_tasks=tasks.get("inbox", 0),
        in_progress_tasks=tasks.get("in_progress", 0),
        review_tasks=tasks.get("review", 0),
        done_tasks=tasks.get("done", 0),
        error_rate_pct=failed / events * 100 if events else 0.0,
        median_cycle_time_hours_7d=None if median is None else float(median),
    )


async def pending(session: AsyncSession, boards: list[UUID]) -> PendingApprovals:
    waiting = (Approval.status == "pending", Approval.board_id.in_(boards))
    total = await session.scalar(select(func.count()).select_from(Approval).where(*waiting))
    rows = await session.execute(
        select(Approval, Board.name, Task.title)
        .join(Board, Approval.board_id == Board.id)
        .outerjoin(Task, Approval.task_id == Task.id)
        .where(*waiting)
        .order_by(Approval.created_at.desc())
        .limit(PENDING_SHOWN)
    )
    items = [
        PendingApproval(
            approval_id=approval.id,
            board_id=approval.board_id,
            board_name=board,
            action_type=approval.action_type,
            confidence=approval.confidence,
            created_at=approval.created_at,
            task_title=title,
        )
        for approval, board, title in rows.all()
    ]
    return PendingApprovals(total=total or 0, items=items)


async def _boards(
    session: AsyncSession, caller: Caller, board_id: UUID | None, group_id: UUID | None
) -> list[UUID]:
    rows = await session.execute(
        select(Board.id, Board.board_group_id).where(Board.organization_id == caller.member.organization_id)
    )
    groups: dict[UUID, UUID | None] = dict(rows.tuples().all())
    if board_id is not None and groups and board_id not in groups:
        raise HTTPException(403)
    return [
        board
        for board, group in groups.items()
        if (board_id is None or board == board_id) and (group_id is None or group == group_id)
    ]


@router.get("/dashboard", response_model=Dashboard)
async def dashboard(
    session: Session,
    caller: Member,
    range_key: Annotated[Range, Query(alias=settings.reference_metrics_range_parameter)] = "24h",
    board_id: UUID | None = None,
    group_id: UUID | None = None,
) -> Dashboard:
    boards = await _boards(session, caller, board_id, group_id)
    length, bucket = RANGES[range_key]
    now = utcnow()
    primary = Span(range_key, bucket, now - length, now, boards)
    comparison = Span(range_key, bucket, now - 2 * length, now - length, boards)
    return Dashboard(
        range=range_key,
        generated_at=utcnow(),
        kpis=await kpis(session, primary),
        throughput=SeriesPair(
            primary=await throughput(session, primary), comparison=await throughput(session, comparison)
        ),
        cycle_time=SeriesPair(
            primary=await cycle_time(session, primary), comparison=await cycle_time(session, comparison)
        ),
        error_rate=SeriesPair(
            primary=await error_rate(session, primary), comparison=await error_rate(session, comparison)
        ),
        wip=WipPair(primary=await wip(session, primary), comparison=await wip(session, comparison)),
        pending_approvals=await pending(session, boards),
    )
