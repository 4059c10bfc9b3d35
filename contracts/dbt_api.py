"""Requests and answers of the dbt API, as `/api/v1` speaks them. Times are UTC, durations milliseconds.

The four unversioned routes that existing clients speak answer with a subset of the same fields.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.names import PROJECT_NAME_PATTERN
from contracts.run_conf import DbtCommand, Identifier, Selector

TASK_ID_PATTERN = r"^[A-Za-z0-9._-]{1,200}$"
TaskId = Annotated[str, StringConstraints(pattern=TASK_ID_PATTERN)]
ProjectName = Annotated[str, StringConstraints(pattern=PROJECT_NAME_PATTERN)]


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
    log: LogSize = Field(default_factory=LogSize)
    artifacts: list[Artifact] = Field(default_factory=list)


class AbortRequest(BaseModel):
    """Body of POST /api/v1/invocations/{id}/abort."""

    reason: str | None = None


class InvocationPage(BaseModel):
    """One page of invocations, newest first."""

    invocations: list[Invocation]
    next_cursor: str | None = None


class Warehouse(StrEnum):
    """Warehouses that a project template knows."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    BIGQUERY = "bigquery"
    SNOWFLAKE = "snowflake"
    REDSHIFT = "redshift"
    DATABRICKS = "databricks"


class TemplateSource(BaseModel):
    """A new project that the server writes from a template."""

    kind: Literal["template"] = "template"
    warehouse: Warehouse = Warehouse.DUCKDB


class FolderSource(BaseModel):
    """A folder on the dbt API server's machine, used where it lies."""

    kind: Literal["folder"] = "folder"
    path: str = Field(min_length=1)


class GitSource(BaseModel):
    """A git repository, cloned by the server. The url must carry no password: it is stored and shown."""

    kind: Literal["git"] = "git"
    url: str = Field(min_length=1, max_length=2000)
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$")
    subfolder: str = ""


ProjectSource = Annotated[TemplateSource | FolderSource | GitSource, Field(discriminator="kind")]


class RegisterProject(BaseModel):
    """Body of PUT /api/v1/projects/{name}: make the project's files ready. Safe to repeat."""

    source: ProjectSource


class RegisteredProject(BaseModel):
    """A project that the dbt API can run."""

    name: str
    source: ProjectSource
    path: str = Field(description="The dbt project folder on the server.")
    git_sha: str | None = None
    updated_at: datetime


class ParsedNode(BaseModel):
    """One node of a parsed project: model, test, seed, snapshot, source, exposure, macro (of the project itself)."""

    unique_id: str
    name: str
    resource_type: str
    package: str = ""
    path: str = Field(default="", description="File below the project folder.")
    tags: list[str] = Field(default_factory=list)
    materialized: str | None = None
    description: str = ""
    depends_on: list[str] = Field(default_factory=list)


class ParseProblem(BaseModel):
    """Something that keeps a project from parsing, or a warning."""

    kind: Literal[
        "profile_missing",
        "adapter_missing",
        "cycle",
        "compilation",
        "yaml",
        "dependency",
        "not_a_project",
        "warning",
        "other",
    ]
    message: str
    hint: str | None = None
    file: str | None = None


class ParsedProject(BaseModel):
    """Answer of POST /api/v1/projects/{name}/parse. A project that doesn't parse is an answer, not an HTTP error."""

    ok: bool
    dbt_version: str | None = None
    dbt_project_name: str | None = None
    adapter: str | None = None
    target: str | None = None
    targets: list[str] = Field(default_factory=list)
    git_sha: str | None = None
    nodes: list[ParsedNode] = Field(default_factory=list)
    problems: list[ParseProblem] = Field(default_factory=list)


class PreviewRequest(BaseModel):
    """Body of POST /api/v1/preview: which nodes would this selection run?"""

    model_config = ConfigDict(extra="forbid")

    project: ProjectName
    command: DbtCommand = DbtCommand.BUILD
    select: list[Selector] = Field(default_factory=list)
    exclude: list[Selector] = Field(default_factory=list)
    vars: dict[str, Any] = Field(default_factory=dict)
    target: Identifier | None = None


class Preview(BaseModel):
    """dbt's own answer (`dbt ls`) to a selection."""

    ok: bool
    unique_ids: list[str] = Field(default_factory=list)
    message: str | None = Field(default=None, description="dbt's words when the selection is wrong.")


class Health(BaseModel):
    """Answer of GET /ready."""

    ready: bool
    version: str
    dbt_version: str | None = None
    adapters: list[str] = Field(default_factory=list)
    queued: int = 0
    running: int = 0
    problems: list[str] = Field(default_factory=list)


class Problem(BaseModel):
    """Every error: problem+json (RFC 9457) with the three keys that dbt-labs' clients read."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str | None = None
    status_code: int
    message: str
    data: None = None
