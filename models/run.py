"""A run (one DAG run of one project), its invocations (one dbt command each) and their node results."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from contracts.operators import OperatorName
from models.run_state import NodeStatus, RunState
from models.types import UtcDateTime, enum_column, now


class Trigger(StrEnum):
    """What started a run."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    AIRFLOW = "airflow"
    RETRY = "retry"


class Run(SQLModel, table=True):
    """One DAG run of one project. History: it outlives the project, so it names it instead of referring to it."""

    __table_args__ = (
        UniqueConstraint("dag_id", "dag_run_id"),
        Index("ix_run_project_created", "project", "created_at"),
        Index("ix_run_state_created", "state", "created_at"),
        Index("ix_run_launched_created", "launched_by", "created_at"),
        Index("ix_run_like", "project", "command", "state", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project: str
    dag_id: str
    dag_run_id: str
    state: RunState = Field(default=RunState.QUEUED, sa_column=enum_column(RunState))
    operator: OperatorName = Field(sa_column=enum_column(OperatorName))
    command: str
    """dbt's words without `dbt`, e.g. `build --select stg_orders+`."""
    conf: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """The exact contracts.RunConf, dumped."""
    target: str | None = None
    trigger: Trigger = Field(default=Trigger.MANUAL, sa_column=enum_column(Trigger))
    launched_by: str | None = None
    retry_of: int | None = Field(default=None, foreign_key="run.id", ondelete="SET NULL")
    git_sha: str | None = None
    message: str | None = None
    """Why the run failed or waits, in a sentence."""
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False, index=True))
    handed_over_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When Airflow confirmed that it has the DAG run; None while that is unknown."""
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When dbt started, or Airflow's task did where dbt never came so far."""
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    cancel_requested_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    cancel_requested_by: str | None = None
    nodes_total: int | None = None
    nodes_ok: int = 0
    nodes_warn: int = 0
    nodes_error: int = 0
    nodes_skipped: int = 0
    collected: bool = Field(default=False, index=True)
    """True when the run is over and its log and results are complete: the collector is done with it."""
    announced: bool = Field(default=False, index=True)
    """True when it was decided who is told of the run's end."""
    collected_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When the collector last had news of this run."""


class Invocation(SQLModel, table=True):
    """One dbt command within a run: the first try, and one more for each retry by Airflow."""

    __table_args__ = (UniqueConstraint("run_id", "try_number"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", ondelete="CASCADE", index=True)
    try_number: int
    followed_by_try: int | None = None
    """The last later try of Airflow's that submitted nothing and followed this invocation, its first worker gone."""
    task_id: str = Field(index=True)
    """Its id on the dbt API (contracts.names.invocation_task_id), and the name of its log folder."""
    state: RunState = Field(default=RunState.STARTING, sa_column=enum_column(RunState))
    outcome: str | None = None
    exit_code: int | None = None
    message: str | None = None
    queue_position: int | None = None
    dbt_version: str | None = None
    threads: int | None = None
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    submitted_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When the dbt API took it; None for a pod, which tells its own story."""
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    dbt_began_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When dbt said its first word."""
    parsed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When dbt had read the project."""
    dbt_ended_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    """When dbt said that its command is over."""
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    log_bytes: int = 0
    """Bytes of the dbt log that are in the file and folded into node results: where the collector goes on."""
    log_complete: bool = False
    """Nothing will be added to dbt's log any more."""
    log_end_missing: bool = False
    """Its end could not be read where dbt wrote it, and no copy that we can read has it."""
    log_cursor: str | None = None
    """Kubernetes' time stamp of the pod's last kept log line: where the collector goes on after a break."""
    log_from_airflow: bool = False
    """Lines of dbt's log were taken from Airflow's task log, because the pod could not be asked for them."""
    task_log_token: str | None = None
    """Airflow's continuation token of its task log."""
    task_log_bytes: int = 0
    task_log_complete: bool = False
    artifacts: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class NodeResult(SQLModel, table=True):
    """What happened to one node in one invocation, folded from dbt's events."""

    __table_args__ = (
        UniqueConstraint("invocation_id", "unique_id"),
        Index("ix_noderesult_unique_id", "unique_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    invocation_id: int = Field(foreign_key="invocation.id", ondelete="CASCADE", index=True)
    unique_id: str
    name: str
    resource_type: str
    status: NodeStatus = Field(sa_column=enum_column(NodeStatus))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    seconds: float | None = None
    """Execution time as dbt measured it."""
    rows: int | None = None
    bytes_processed: int | None = None
    """Where the adapter says so, e.g. BigQuery's."""
    query_id: str | None = None
    """The warehouse's own id of the last query, where the adapter says so."""
    failures: int | None = None
    message: str | None = None
    thread: str | None = None
    relation: str | None = None
    path: str | None = None
    """Its file below the folder of its kind, as dbt's events name it."""
    file: str | None = None
    """Its file below the project's folder, known for failed nodes."""
    file_line: int | None = None
    """Line of the file that the failure is about."""
    materialized: str | None = None
    compiled_sql: str | None = None
    compiled_line: int | None = None
    """Line of the compiled SQL that the failure is about."""
    log_line: int | None = None
    """Line of dbt's log that first calls the node failed."""
    skipped_because: str | None = None
    """unique_id of the failed ancestor, for a skipped node."""
