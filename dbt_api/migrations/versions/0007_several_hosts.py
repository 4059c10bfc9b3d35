"""What several hosts share: the bundle of a project's files, and the one sealing key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("project", sa.Column("bundle", sa.String(length=64), nullable=True))
    op.add_column("project", sa.Column("bundle_folder", sa.String(), nullable=False, server_default="."))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("project") as batch_op:
        batch_op.drop_column("bundle_folder")
        batch_op.drop_column("bundle")
    op.drop_table("sealing_key")
