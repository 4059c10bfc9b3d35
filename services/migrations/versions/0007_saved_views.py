"""Saved views of the history, and indexes for a history of 100,000 runs."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ADDED = {
    "ix_run_like": ["project", "command", "state", "created_at"],
    "ix_run_launched_created": ["launched_by", "created_at"],
}
_REMOVED = {"ix_run_project": ["project"], "ix_run_state": ["state"], "ix_run_launched_by": ["launched_by"]}
"""Beginnings of other indexes: they only misled the planner and slowed down writing."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_saved_view_name", "saved_view", ["name"], unique=True)
    for name in _REMOVED:
        op.drop_index(name, table_name="run")
    for name, columns in _ADDED.items():
        op.create_index(name, "run", columns)


def downgrade() -> None:
    """Take back."""
    for name in _ADDED:
        op.drop_index(name, table_name="run")
    for name, columns in _REMOVED.items():
        op.create_index(name, "run", columns)
    op.drop_index("ix_saved_view_name", table_name="saved_view")
    op.drop_table("saved_view")
