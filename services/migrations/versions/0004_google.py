"""Clusters in Google as last listed, and what Google was asked to do."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "google_cluster",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_message", sa.String(), nullable=False),
        sa.Column("is_autopilot", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("release_channel", sa.String(), nullable=False),
        sa.Column("node_count", sa.Integer(), nullable=False),
        sa.Column("node_pools", sa.JSON(), nullable=False),
        sa.Column("access", sa.JSON(), nullable=False),
        sa.Column("network", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("expires_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("seen_at", models.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "location", "name"),
    )
    op.create_index("ix_google_cluster_project_id", "google_cluster", ["project_id"])
    op.create_table(
        "google_operation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("cluster", sa.String(), nullable=False),
        sa.Column(
            "kind", sa.Enum("create", "delete", name="operationkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum("asked", "running", "done", "failed", name="operationstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("google_name", sa.String(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("finished_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("checked_at", models.types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_google_operation_project_id", "google_operation", ["project_id"])
    op.create_index("ix_google_operation_state", "google_operation", ["state"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("google_operation")
    op.drop_table("google_cluster")
