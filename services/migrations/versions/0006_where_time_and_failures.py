"""Marks of an invocation's start, what adapters measure, and where in file, SQL and log a node failed."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MARKS = ("submitted_at", "dbt_began_at", "parsed_at", "dbt_ended_at")
_NUMBERS = ("bytes_processed", "file_line", "compiled_line", "log_line")
_WORDS = ("query_id", "file")


def upgrade() -> None:
    """Apply. What was collected before knows none of it."""
    with op.batch_alter_table("invocation") as table:
        for name in _MARKS:
            table.add_column(sa.Column(name, models.types.UtcDateTime(), nullable=True))
    with op.batch_alter_table("noderesult") as table:
        for name in _NUMBERS:
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        for name in _WORDS:
            table.add_column(sa.Column(name, sa.String(), nullable=True))
        table.create_index("ix_noderesult_unique_id", ["unique_id", "id"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("noderesult") as table:
        table.drop_index("ix_noderesult_unique_id")
        for name in (*_NUMBERS, *_WORDS):
            table.drop_column(name)
    with op.batch_alter_table("invocation") as table:
        for name in _MARKS:
            table.drop_column(name)
