"""What an invocation tells of its life: progress, retries, aborts, hidden values; and callbacks to deliver."""

import shlex
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXED = ("command_hash", "retry_of")
STATES = ("PENDING", "STARTED", "SUCCESS", "FAILURE", "ABORTED", "NOT_FOUND", "INTERNAL_ERROR")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("invocation") as batch_op:
        for column in _columns():
            batch_op.add_column(column)
        for name in INDEXED:
            batch_op.create_index(f"ix_invocation_{name}", [name], unique=False)
    _display_old_commands()

    op.create_table(
        "callback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(length=200), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="invocationstate", native_enum=False, length=40), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("callback") as batch_op:
        batch_op.create_index("ix_callback_task_id", ["task_id"], unique=False)
        batch_op.create_index("ix_callback_due_at", ["due_at"], unique=False)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("stop_grace_seconds", sa.Float(), nullable=True),
        sa.Column("command_display", sa.String(), nullable=False, server_default=""),
        sa.Column("command_hash", sa.String(length=64), nullable=True),
        sa.Column("env", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("client_metadata", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("max_attempts", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("eta_ms", sa.Integer(), nullable=True),
        sa.Column("invocation_id", sa.String(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("retry_of", sa.String(length=200), nullable=True),
        sa.Column("aborted_by", sa.String(), nullable=True),
        sa.Column("callback_url", sa.String(), nullable=True),
    ]


def _display_old_commands() -> None:
    table = sa.table("invocation", sa.column("id"), sa.column("command", sa.JSON()), sa.column("command_display"))
    for number, words in op.get_bind().execute(sa.select(table.c.id, table.c.command)).all():
        shown = shlex.join(["dbt", *words])
        op.get_bind().execute(table.update().where(table.c.id == number).values(command_display=shown))


def downgrade() -> None:
    """Take back."""
    op.drop_table("callback")
    with op.batch_alter_table("invocation") as batch_op:
        for name in INDEXED:
            batch_op.drop_index(f"ix_invocation_{name}")
        for column in _columns():
            batch_op.drop_column(column.name)
