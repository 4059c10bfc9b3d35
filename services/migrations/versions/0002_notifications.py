"""Notification rules, deliveries, and which runs were announced."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Runs that are over already are nobody's news."""
    op.create_table(
        "notification_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("on_failure", sa.Boolean(), nullable=False),
        sa.Column("on_recovery", sa.Boolean(), nullable=False),
        sa.Column("on_slow", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "channel"),
    )
    op.create_index("ix_notification_rule_project", "notification_rule", ["project"])
    occasion = sa.Enum("failure", "recovery", "slow", name="occasion", native_enum=False, length=40)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("occasion", occasion, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("sent_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "channel"),
    )
    op.create_index("ix_delivery_run_id", "delivery", ["run_id"])
    op.create_index("ix_delivery_due_at", "delivery", ["due_at"])
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("announced", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("run") as table:
        table.alter_column("announced", server_default=None)
        table.create_index("ix_run_announced", ["announced"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("run") as table:
        table.drop_index("ix_run_announced")
        table.drop_column("announced")
    op.drop_table("delivery")
    op.drop_table("notification_rule")
