"""Projects, runs, invocations, node results, system health."""

import sqlalchemy as sa
from alembic import op

import models.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column(
            "operator",
            sa.Enum("dbt_api", "kubernetes", "gke", name="operatorname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("operator_parameters", sa.JSON(), nullable=False),
        sa.Column(
            "command",
            sa.Enum(
                "build",
                "run",
                "test",
                "seed",
                "snapshot",
                "compile",
                "docs generate",
                "source freshness",
                "list",
                "run-operation",
                "debug",
                name="dbtcommand",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column("threads", sa.Integer(), nullable=True),
        sa.Column("schedule", sa.String(), nullable=True),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Integer(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("dbt_project_name", sa.String(), nullable=True),
        sa.Column("targets", sa.JSON(), nullable=False),
        sa.Column("git_sha", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_name"), ["name"], unique=True)

    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("dag_id", sa.String(), nullable=False),
        sa.Column("dag_run_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "starting",
                "running",
                "succeeded",
                "failed",
                "cancelled",
                name="runstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "operator",
            sa.Enum("dbt_api", "kubernetes", "gke", name="operatorname", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("conf", sa.JSON(), nullable=False),
        sa.Column("target", sa.String(), nullable=True),
        sa.Column(
            "trigger",
            sa.Enum("manual", "schedule", "airflow", "retry", name="trigger", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("launched_by", sa.String(), nullable=True),
        sa.Column("retry_of", sa.Integer(), nullable=True),
        sa.Column("git_sha", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("handed_over_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("started_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("cancel_requested_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("cancel_requested_by", sa.String(), nullable=True),
        sa.Column("nodes_total", sa.Integer(), nullable=True),
        sa.Column("nodes_ok", sa.Integer(), nullable=False),
        sa.Column("nodes_warn", sa.Integer(), nullable=False),
        sa.Column("nodes_error", sa.Integer(), nullable=False),
        sa.Column("nodes_skipped", sa.Integer(), nullable=False),
        sa.Column("collected", sa.Boolean(), nullable=False),
        sa.Column("collected_at", models.types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["retry_of"], ["run.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dag_id", "dag_run_id"),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_collected"), ["collected"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_launched_by"), ["launched_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_project"), ["project"], unique=False)
        batch_op.create_index("ix_run_project_created", ["project", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_state"), ["state"], unique=False)
        batch_op.create_index("ix_run_state_created", ["state", "created_at"], unique=False)

    op.create_table(
        "systemhealth",
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("reachable", sa.Boolean(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("checked_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("last_good_at", models.types.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("system"),
    )
    op.create_table(
        "invocation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("followed_by_try", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "starting",
                "running",
                "succeeded",
                "failed",
                "cancelled",
                name="runstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("queue_position", sa.Integer(), nullable=True),
        sa.Column("dbt_version", sa.String(), nullable=True),
        sa.Column("threads", sa.Integer(), nullable=True),
        sa.Column("created_at", models.types.UtcDateTime(), nullable=False),
        sa.Column("started_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("log_bytes", sa.Integer(), nullable=False),
        sa.Column("log_complete", sa.Boolean(), nullable=False),
        sa.Column("task_log_token", sa.String(), nullable=True),
        sa.Column("task_log_bytes", sa.Integer(), nullable=False),
        sa.Column("task_log_complete", sa.Boolean(), nullable=False),
        sa.Column("artifacts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "try_number"),
    )
    with op.batch_alter_table("invocation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invocation_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invocation_task_id"), ["task_id"], unique=False)

    op.create_table(
        "projectnode",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("unique_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("materialized", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("depends_on", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "unique_id"),
    )
    with op.batch_alter_table("projectnode", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_projectnode_project_id"), ["project_id"], unique=False)

    op.create_table(
        "projectstep",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "saved",
                "source_ready",
                "parsed",
                "published",
                "known_to_airflow",
                name="step",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("pending", "running", "done", "failed", name="stepstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("started_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", models.types.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "step"),
    )
    with op.batch_alter_table("projectstep", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_projectstep_project_id"), ["project_id"], unique=False)

    op.create_table(
        "noderesult",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invocation_id", sa.Integer(), nullable=False),
        sa.Column("unique_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "started",
                "success",
                "pass",
                "warn",
                "no-op",
                "reused",
                "partial success",
                "fail",
                "error",
                "runtime error",
                "skipped",
                "interrupted",
                name="nodestatus",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("started_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("finished_at", models.types.UtcDateTime(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("thread", sa.String(), nullable=True),
        sa.Column("relation", sa.String(), nullable=True),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("materialized", sa.String(), nullable=True),
        sa.Column("compiled_sql", sa.String(), nullable=True),
        sa.Column("skipped_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["invocation_id"], ["invocation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("invocation_id", "unique_id"),
    )
    with op.batch_alter_table("noderesult", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_noderesult_invocation_id"), ["invocation_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("noderesult", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_noderesult_invocation_id"))

    op.drop_table("noderesult")
    with op.batch_alter_table("projectstep", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_projectstep_project_id"))

    op.drop_table("projectstep")
    with op.batch_alter_table("projectnode", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_projectnode_project_id"))

    op.drop_table("projectnode")
    with op.batch_alter_table("invocation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invocation_task_id"))
        batch_op.drop_index(batch_op.f("ix_invocation_run_id"))

    op.drop_table("invocation")
    op.drop_table("systemhealth")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_state_created")
        batch_op.drop_index(batch_op.f("ix_run_state"))
        batch_op.drop_index("ix_run_project_created")
        batch_op.drop_index(batch_op.f("ix_run_project"))
        batch_op.drop_index(batch_op.f("ix_run_launched_by"))
        batch_op.drop_index(batch_op.f("ix_run_created_at"))
        batch_op.drop_index(batch_op.f("ix_run_collected"))

    op.drop_table("run")
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_project_name"))

    op.drop_table("project")
