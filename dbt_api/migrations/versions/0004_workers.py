"""Workers with their leases, and one writer per project and target as a rule of the database."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STARTED = sa.text("state = 'STARTED'")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("incarnation", sa.String(length=32), nullable=False),
        sa.Column("folder", sa.String(length=32), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("lease_seconds", sa.Float(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_lost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.add_column(sa.Column("worker", sa.String(length=100), nullable=True))
    op.create_index(
        "one_writer", "invocation", ["concurrency_key"], unique=True, sqlite_where=STARTED, postgresql_where=STARTED
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("one_writer", "invocation")
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.drop_column("worker")
    op.drop_table("worker")
