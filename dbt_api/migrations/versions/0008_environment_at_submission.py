"""An invocation's dbt environment is settled when it is submitted; what already waits has its project's."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(
        "UPDATE invocation SET environment = (SELECT environment FROM project WHERE name = invocation.project)"
        " WHERE state = 'PENDING' AND project IN (SELECT name FROM project)"
    )


def downgrade() -> None:
    """Nothing to take back."""
