"""What is known of a project's nodes: their history; whether a project's files changed; which target to defer to."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "node_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("unique_id", sa.String(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("execute_ms", sa.Integer(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id", "unique_id"),
    )
    op.create_index("ix_node_history_node", "node_history", ["project", "unique_id", "id"])
    op.create_index("ix_node_history_finished_at", "node_history", ["finished_at"])
    op.add_column("project", sa.Column("fingerprint", sa.String(), nullable=True))
    op.add_column("invocation", sa.Column("defer_to", sa.String(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.drop_column("defer_to")
    with op.batch_alter_table("project") as batch_op:
        batch_op.drop_column("fingerprint")
    op.drop_table("node_history")
