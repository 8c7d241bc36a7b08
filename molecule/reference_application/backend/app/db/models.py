"""The tables: the product's names and columns, as far as the stand-in uses them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, ForeignKey, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.core.time import utcnow


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {dict[str, Any]: JSON}  # noqa: RUF012 (SQLAlchemy reads it as a class attribute)


class Keyed:
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


class Dated:
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow)


class Organization(Keyed, Dated, Base):
    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(index=True)


class User(Keyed, Base):
    __tablename__ = "users"

    clerk_user_id: Mapped[str] = mapped_column(index=True, unique=True)
    email: Mapped[str | None] = mapped_column(index=True)
    name: Mapped[str | None]
    preferred_name: Mapped[str | None]
    pronouns: Mapped[str | None]
    timezone: Mapped[str | None]
    notes: Mapped[str | None]
    context: Mapped[str | None]
    is_super_admin: Mapped[bool] = mapped_column(default=False)
    active_organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organizations.id"), index=True)


class OrganizationMember(Keyed, Dated, Base):
    __tablename__ = "organization_members"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id", name="uq_organization_members_org_user"),
    )

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[str] = mapped_column(default="member", index=True)
    all_boards_read: Mapped[bool] = mapped_column(default=False)
    all_boards_write: Mapped[bool] = mapped_column(default=False)


class Gateway(Keyed, Dated, Base):
    __tablename__ = "gateways"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str]
    url: Mapped[str]
    token: Mapped[str | None]
    workspace_root: Mapped[str]
    allow_insecure_tls: Mapped[bool] = mapped_column(default=False)
    disable_device_pairing: Mapped[bool] = mapped_column(default=False)


class BoardGroup(Keyed, Dated, Base):
    __tablename__ = "board_groups"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(index=True)
    description: Mapped[str | None]


class Board(Keyed, Dated, Base):
    __tablename__ = "boards"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(index=True)
    description: Mapped[str] = mapped_column(default="")
    gateway_id: Mapped[UUID | None] = mapped_column(ForeignKey("gateways.id"), index=True)
    board_group_id: Mapped[UUID | None] = mapped_column(ForeignKey("board_groups.id"), index=True)
    board_type: Mapped[str] = mapped_column(default="goal", index=True)
    objective: Mapped[str | None]
    success_metrics: Mapped[dict[str, Any] | None]
    target_date: Mapped[datetime | None]
    goal_confirmed: Mapped[bool] = mapped_column(default=False)
    goal_source: Mapped[str | None]
    require_approval_for_done: Mapped[bool] = mapped_column(default=True)
    require_review_before_done: Mapped[bool] = mapped_column(default=False)
    comment_required_for_review: Mapped[bool] = mapped_column(default=False)
    block_status_changes_with_pending_approval: Mapped[bool] = mapped_column(default=False)
    only_lead_can_change_status: Mapped[bool] = mapped_column(default=False)
    max_agents: Mapped[int] = mapped_column(default=1)


class Agent(Keyed, Dated, Base):
    __tablename__ = "agents"

    board_id: Mapped[UUID | None] = mapped_column(ForeignKey("boards.id"), index=True)
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateways.id"), index=True)
    name: Mapped[str] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(default="provisioning", index=True)
    openclaw_session_id: Mapped[str | None] = mapped_column(index=True)
    heartbeat_config: Mapped[dict[str, Any] | None]
    identity_profile: Mapped[dict[str, Any] | None]
    identity_template: Mapped[str | None] = mapped_column(Text)
    soul_template: Mapped[str | None] = mapped_column(Text)
    is_board_lead: Mapped[bool] = mapped_column(default=False, index=True)
    last_seen_at: Mapped[datetime | None]


class Task(Keyed, Dated, Base):
    __tablename__ = "tasks"

    board_id: Mapped[UUID | None] = mapped_column(ForeignKey("boards.id"), index=True)
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="inbox", index=True)
    priority: Mapped[str] = mapped_column(default="medium", index=True)
    due_at: Mapped[datetime | None]
    in_progress_at: Mapped[datetime | None]
    assigned_agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agents.id"), index=True)


class ActivityEvent(Keyed, Base):
    __tablename__ = "activity_events"

    event_type: Mapped[str] = mapped_column(index=True)
    message: Mapped[str | None]
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agents.id"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    board_id: Mapped[UUID | None] = mapped_column(ForeignKey("boards.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


class Approval(Keyed, Base):
    __tablename__ = "approvals"

    board_id: Mapped[UUID] = mapped_column(ForeignKey("boards.id"), index=True)
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("tasks.id"), index=True)
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("agents.id"), index=True)
    action_type: Mapped[str]
    payload: Mapped[dict[str, Any] | None]
    confidence: Mapped[float]
    status: Mapped[str] = mapped_column(default="pending", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    resolved_at: Mapped[datetime | None]
