"""Invocations and projects."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "invocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(length=200), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("command", sa.JSON(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("concurrency_key", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("timeout_seconds", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "STARTED",
                "SUCCESS",
                "FAILURE",
                "ABORTED",
                "NOT_FOUND",
                "INTERNAL_ERROR",
                name="invocationstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "success",
                "warn",
                "nothing_to_do",
                "model_error",
                "test_failure",
                "usage_error",
                "timeout",
                "worker_lost",
                "oom",
                "aborted",
                name="outcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("signal", sa.Integer(), nullable=True),
        sa.Column("peak_rss_kb", sa.Integer(), nullable=True),
        sa.Column("exc_type", sa.String(), nullable=True),
        sa.Column("exc_message", sa.String(), nullable=True),
        sa.Column("git_sha", sa.String(), nullable=True),
        sa.Column("dbt_version", sa.String(), nullable=True),
        sa.Column(
            "stop_reason",
            sa.Enum("abort", "timeout", "shutdown", name="stopreason", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("stop_message", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("task_id"),
    )
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.create_index("ix_invocation_concurrency_key", ["concurrency_key"], unique=False)
        batch_op.create_index("ix_invocation_project", ["project"], unique=False)
        batch_op.create_index("ix_invocation_state", ["state"], unique=False)

    op.create_table(
        "project",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("git_sha", sa.String(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("project")
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.drop_index("ix_invocation_state")
        batch_op.drop_index("ix_invocation_project")
        batch_op.drop_index("ix_invocation_concurrency_key")

    op.drop_table("invocation")
