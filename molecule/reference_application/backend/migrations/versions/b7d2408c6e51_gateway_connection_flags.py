"""How a gateway may be connected to: unverified TLS, no device pairing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "b7d2408c6e51"
down_revision = "a1c5e9f30b27"
branch_labels = None
depends_on = None

FLAGS = ("allow_insecure_tls", "disable_device_pairing")


def upgrade() -> None:
    for flag in FLAGS:
        column: sa.Column[bool] = sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("gateways", column)
        op.alter_column("gateways", flag, server_default=None)


def downgrade() -> None:
    for flag in FLAGS:
        op.drop_column("gateways", flag)
