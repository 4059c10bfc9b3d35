"""A project as its owner described it, the steps that make it runnable, and the nodes that dbt found in it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand
from models.types import UtcDateTime, enum_column, now


class Step(StrEnum):
    """The steps from a form to a DAG, in their order. Each is safe to repeat."""

    SAVED = "saved"
    SOURCE_READY = "source_ready"
    PARSED = "parsed"
    PUBLISHED = "published"
    KNOWN_TO_AIRFLOW = "known_to_airflow"


class StepState(StrEnum):
    """How far a step is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Project(SQLModel, table=True):
    """A dbt project and how it is run."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, index=True, max_length=50)
    description: str = ""
    owner: str
    source: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """A contracts.dbt_api.ProjectSource, dumped."""
    operator: OperatorName = Field(default=OperatorName.DBT_API, sa_column=enum_column(OperatorName))
    operator_parameters: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    command: DbtCommand = Field(default=DbtCommand.BUILD, sa_column=enum_column(DbtCommand))
    """What a scheduled run does, and what the launch page starts with."""
    target: str | None = None
    threads: int | None = None
    schedule: str | None = None
    pool: str = "default_pool"
    queue: str | None = None
    executor: str | None = None
    worker_pod: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """What differs from the template of Airflow's worker pods: a contracts.executors.WorkerPod, dumped."""
    retries: int = 0
    retry_delay_seconds: int = 60
    paused: bool = False
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    updated_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    dbt_project_name: str | None = None
    targets: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    git_sha: str | None = None


class ProjectStep(SQLModel, table=True):
    """State of one step of one project, with what to say about it."""

    __table_args__ = (UniqueConstraint("project_id", "step"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", ondelete="CASCADE", index=True)
    step: Step = Field(sa_column=enum_column(Step))
    state: StepState = Field(default=StepState.PENDING, sa_column=enum_column(StepState))
    message: str = ""
    hint: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ProjectNode(SQLModel, table=True):
    """A node of the project as last parsed: what the launch page offers to pick."""

    __table_args__ = (UniqueConstraint("project_id", "unique_id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", ondelete="CASCADE", index=True)
    unique_id: str
    name: str
    resource_type: str
    package: str = ""
    path: str = ""
    materialized: str | None = None
    description: str = ""
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    depends_on: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
