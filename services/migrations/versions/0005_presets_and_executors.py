"""Presets of operators' parameters; what a project asks of Airflow's executor."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "preset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "operator",
            sa.Enum("dbt_api", "kubernetes", "gke", name="operatorname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("saved_by", sa.String(), nullable=False),
        sa.Column("saved_at", models.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("operator", "name"),
    )
    with op.batch_alter_table("project") as table:
        table.add_column(sa.Column("executor", sa.String(), nullable=True))
        table.add_column(sa.Column("worker_pod", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("project") as table:
        table.drop_column("worker_pod")
        table.drop_column("executor")
    op.drop_table("preset")
