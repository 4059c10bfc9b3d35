"""Whether the end of dbt's log was not to be had."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Of what was collected before it is not known, and not said."""
    with op.batch_alter_table("invocation") as table:
        table.add_column(sa.Column("log_end_missing", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("invocation") as table:
        table.drop_column("log_end_missing")
