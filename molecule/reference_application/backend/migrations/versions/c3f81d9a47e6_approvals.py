"""Approvals, and an index for reading events by time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "c3f81d9a47e6"
down_revision = "b7d2408c6e51"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_activity_events_created_at", "activity_events", ["created_at"])
    # A newer application that was started on the older schema may have made the table already.
    if sa.inspect(op.get_bind()).has_table("approvals"):
        return
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("board_id", sa.Uuid(), sa.ForeignKey("boards.id"), nullable=False),
        sa.Column("task_id", sa.Uuid(), sa.ForeignKey("tasks.id")),
        sa.Column("agent_id", sa.Uuid(), sa.ForeignKey("agents.id")),
        sa.Column("action_type", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON()),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("resolved_at", sa.DateTime()),
    )
    for column in ("board_id", "task_id", "agent_id", "status"):
        op.create_index(f"ix_approvals_{column}", "approvals", [column])


def downgrade() -> None:
    op.drop_table("approvals")
    op.drop_index("ix_activity_events_created_at", "activity_events")
