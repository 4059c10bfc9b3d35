"""Which pods a registered cluster had when the collector last asked it."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cluster_pods",
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("pods", sa.JSON(), nullable=False),
        sa.Column("hidden", sa.JSON(), nullable=False),
        sa.Column("taken_at", models.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("cluster"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("cluster_pods")
