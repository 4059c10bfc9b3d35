"""Clusters, the pods of invocations, and where the collector is in a pod's log."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("kubeconfig", sa.String(), nullable=True),
        sa.Column("context", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_cluster_name", "cluster", ["name"], unique=True)
    op.create_table(
        "pod",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invocation_id", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("image", sa.String(), nullable=False),
        sa.Column("image_digest", sa.String(), nullable=True),
        sa.Column("requests", sa.JSON(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("seen_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("gone_at", models.types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["invocation_id"], ["invocation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("invocation_id"),
    )
    with op.batch_alter_table("invocation") as table:
        table.add_column(sa.Column("log_cursor", sa.String(), nullable=True))
        table.add_column(sa.Column("log_from_airflow", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("invocation") as table:
        table.drop_column("log_from_airflow")
        table.drop_column("log_cursor")
    op.drop_table("pod")
    op.drop_index("ix_cluster_name", table_name="cluster")
    op.drop_table("cluster")
