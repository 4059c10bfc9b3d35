"""An invocation: its submission, its state, what it left."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.dbt_api.projects import ProjectName

TASK_ID_PATTERN = r"^[A-Za-z0-9._-]{1,200}$"
TaskId = Annotated[str, StringConstraints(pattern=TASK_ID_PATTERN)]


class InvocationState(StrEnum):
    """State of an invocation; NOT_FOUND and INTERNAL_ERROR exist on the unversioned routes only."""

    PENDING = "PENDING"
    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ABORTED = "ABORTED"
    NOT_FOUND = "NOT_FOUND"
    INTERNAL_ERROR = "INTERNAL_ERROR"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more will happen to the invocation."""
        return self not in (InvocationState.PENDING, InvocationState.STARTED)


class Outcome(StrEnum):
    """Why a terminal invocation ended as it did."""

    SUCCESS = "success"
    WARN = "warn"
    NOTHING_TO_DO = "nothing_to_do"
    MODEL_ERROR = "model_error"
    TEST_FAILURE = "test_failure"
    USAGE_ERROR = "usage_error"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker_lost"
    OUT_OF_MEMORY = "oom"
    ABORTED = "aborted"


class Engine(StrEnum):
    """How dbt was started: as a fork of a process that has dbt loaded, or as the plain command."""

    WARM = "warm"
    COLD = "cold"


class InvocationSource(BaseModel):
    """Where an invocation came from."""

    kind: Literal["ui", "api", "airflow"] = "api"
    dag_id: str | None = None
    dag_run_id: str | None = None
    task_id: str | None = None
    try_number: int | None = None
    url: str | None = None


class SubmitInvocation(BaseModel):
    """Body of POST /api/v1/invocations. The same task_id with the same body is the same invocation."""

    model_config = ConfigDict(extra="forbid")

    task_id: TaskId | None = None
    project: ProjectName
    command: list[str] = Field(min_length=1, description="dbt's words, without the leading `dbt`.")
    timeout_seconds: int | None = Field(default=None, ge=10)
    priority: int = Field(default=100, ge=1, le=1000, description="The lower number runs first.")
    requested_by: str | None = None
    source: InvocationSource = Field(default_factory=InvocationSource)


class Artifact(BaseModel):
    """One file that an invocation left."""

    name: str = Field(description="Path below the invocation's artifacts, e.g. run_results.json or compiled/….sql.")
    bytes: int


class LogSize(BaseModel):
    """How much log there is so far."""

    bytes: int = 0
    complete: bool = Field(default=False, description="True when no byte will be added any more.")


class Invocation(BaseModel):
    """One dbt command on the dbt API."""

    task_id: str
    project: str
    state: InvocationState
    outcome: Outcome | None = None
    command: list[str]
    target: str | None = None
    requested_by: str | None = None
    source: InvocationSource = Field(default_factory=InvocationSource)
    priority: int = 100
    attempt: int = 0
    queue_position: int | None = Field(default=None, description="1 is next; None when not waiting.")
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    peak_rss_kb: int | None = None
    exc_type: str | None = None
    exc_message: str | None = None
    git_sha: str | None = None
    dbt_version: str | None = None
    environment: str = Field(default="default", description="The dbt environment that ran it: the project's own.")
    engine: Engine | None = Field(default=None, description="How dbt was started; None before it was.")
    engine_reason: str | None = Field(default=None, description="Why it was started cold.")
    log: LogSize = Field(default_factory=LogSize)
    artifacts: list[Artifact] = Field(default_factory=list)


class AbortRequest(BaseModel):
    """Body of POST /api/v1/invocations/{id}/abort."""

    reason: str | None = None


class InvocationPage(BaseModel):
    """One page of invocations, newest first."""

    invocations: list[Invocation]
    next_cursor: str | None = None
