"""Organizations, users, gateways, boards, agents, tasks and their events."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "a1c5e9f30b27"
down_revision = None
branch_labels = None
depends_on = None


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.Uuid(), primary_key=True)


def _dates() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
    )


def _ref(name: str, target: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{target}.id"), nullable=nullable)


def _text(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


INDEXES = {
    "organizations": ["name"],
    "users": ["email", "active_organization_id"],
    "organization_members": ["organization_id", "user_id", "role"],
    "gateways": ["organization_id"],
    "board_groups": ["organization_id", "slug"],
    "boards": ["organization_id", "slug", "gateway_id", "board_group_id", "board_type"],
    "agents": ["board_id", "gateway_id", "name", "status", "openclaw_session_id", "is_board_lead"],
    "tasks": ["board_id", "status", "priority", "assigned_agent_id"],
    "activity_events": ["event_type", "agent_id", "task_id", "board_id"],
}


def upgrade() -> None:
    op.create_table("organizations", _id(), _text("name", False), *_dates())
    op.create_table(
        "users",
        _id(),
        _text("clerk_user_id", False),
        *map(_text, ("email", "name", "preferred_name", "pronouns", "timezone", "notes", "context")),
        _flag("is_super_admin"),
        _ref("active_organization_id", "organizations"),
    )
    op.create_index("ix_users_clerk_user_id", "users", ["clerk_user_id"], unique=True)
    op.create_table(
        "organization_members",
        _id(),
        _ref("organization_id", "organizations", False),
        _ref("user_id", "users", False),
        _text("role", False),
        _flag("all_boards_read"),
        _flag("all_boards_write"),
        *_dates(),
        sa.UniqueConstraint("organization_id", "user_id", name="uq_organization_members_org_user"),
    )
    op.create_table(
        "gateways",
        _id(),
        _ref("organization_id", "organizations", False),
        _text("name", False),
        _text("url", False),
        _text("token"),
        _text("workspace_root", False),
        *_dates(),
    )
    op.create_table(
        "board_groups",
        _id(),
        _ref("organization_id", "organizations", False),
        _text("name", False),
        _text("slug", False),
        _text("description"),
        *_dates(),
    )
    op.create_table(
        "boards",
        _id(),
        _ref("organization_id", "organizations", False),
        _text("name", False),
        _text("slug", False),
        _text("description", False),
        _ref("gateway_id", "gateways"),
        _ref("board_group_id", "board_groups"),
        _text("board_type", False),
        _text("objective"),
        sa.Column("success_metrics", sa.JSON()),
        sa.Column("target_date", sa.DateTime()),
        _flag("goal_confirmed"),
        _text("goal_source"),
        _flag("require_approval_for_done"),
        _flag("require_review_before_done"),
        _flag("comment_required_for_review"),
        _flag("block_status_changes_with_pending_approval"),
        _flag("only_lead_can_change_status"),
        sa.Column("max_agents", sa.Integer(), nullable=False),
        *_dates(),
    )
    op.create_table(
        "agents",
        _id(),
        _ref("board_id", "boards"),
        _ref("gateway_id", "gateways", False),
        _text("name", False),
        _text("status", False),
        _text("openclaw_session_id"),
        sa.Column("heartbeat_config", sa.JSON()),
        sa.Column("identity_profile", sa.JSON()),
        sa.Column("identity_template", sa.Text()),
        sa.Column("soul_template", sa.Text()),
        _flag("is_board_lead"),
        sa.Column("last_seen_at", sa.DateTime()),
        *_dates(),
    )
    op.create_table(
        "tasks",
        _id(),
        _ref("board_id", "boards"),
        _text("title", False),
        _text("description"),
        _text("status", False),
        _text("priority", False),
        sa.Column("due_at", sa.DateTime()),
        sa.Column("in_progress_at", sa.DateTime()),
        _ref("assigned_agent_id", "agents"),
        *_dates(),
    )
    op.create_table(
        "activity_events",
        _id(),
        _text("event_type", False),
        _text("message"),
        _ref("agent_id", "agents"),
        _ref("task_id", "tasks"),
        _ref("board_id", "boards"),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    for table, columns in INDEXES.items():
        for column in columns:
            op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    # Members refer to users, users to organizations: the reverse of the order of creation.
    for table in reversed(INDEXES):
        op.drop_table(table)
