"""How an invocation was started, and in which dbt environment."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("invocation") as batch_op:
        batch_op.add_column(sa.Column("environment", sa.String(), nullable=False, server_default="default"))
        batch_op.add_column(
            sa.Column("engine", sa.Enum("warm", "cold", name="engine", native_enum=False, length=40), nullable=True)
        )
        batch_op.add_column(sa.Column("engine_reason", sa.String(), nullable=True))
    with op.batch_alter_table("project") as batch_op:
        batch_op.add_column(sa.Column("environment", sa.String(), nullable=False, server_default="default"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("project") as batch_op:
        batch_op.drop_column("environment")
    with op.batch_alter_table("invocation") as batch_op:
        for name in ("engine_reason", "engine", "environment"):
            batch_op.drop_column(name)
