"""Whether Airflow's scheduler lives, as Airflow last told."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The collector's next report tells it."""
    with op.batch_alter_table("systemhealth") as table:
        table.add_column(sa.Column("scheduler_is_healthy", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("systemhealth") as table:
        table.drop_column("scheduler_is_healthy")
