"""An invocation: its submission, its state, what it left."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from contracts.dbt_api.progress import NodeCounts, Phase
from contracts.dbt_api.projects import ProjectName
from contracts.run_conf import Identifier, Selector

TASK_ID_PATTERN = r"^[A-Za-z0-9._-]{1,200}$"
TaskId = Annotated[str, StringConstraints(pattern=TASK_ID_PATTERN)]

WORD_LIMIT = 100_000
"""Characters of one word: Linux takes at most 128 KiB in one argument of a process."""
DAY_SECONDS = 86_400

NO_NUL = r"^[^\x00]*$"
"""A NUL can be in no argument or variable of a process, and in no text of Postgres."""
Word = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=WORD_LIMIT)]
ShortText = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=2000)]
TARGET_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$"
TargetName = Annotated[str, StringConstraints(pattern=TARGET_PATTERN)]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,199}$")]


def _storable(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse what no answer and no database can hold: NaN, infinities, half characters."""
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


JsonObject = Annotated[dict[ShortText, JsonValue], AfterValidator(_storable)]


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

    kind: Literal["ui", "api", "airflow"] = Field(
        default="api", description="A person at the console, a client of the API, or Airflow."
    )
    dag_id: ShortText | None = Field(default=None, description="Airflow's DAG.")
    dag_run_id: ShortText | None = Field(default=None, description="Airflow's DAG run.")
    task_id: ShortText | None = Field(default=None, description="Airflow's task, not the invocation.")
    map_index: int | None = Field(
        default=None, strict=True, ge=-1, le=1_000_000, description="Of a mapped Airflow task."
    )
    try_number: int | None = Field(
        default=None, strict=True, ge=0, le=1_000_000, description="Of Airflow's task instance."
    )
    url: ShortText | None = Field(default=None, description="Where a person finds the caller, e.g. Airflow's task log.")


class OnLost(StrEnum):
    """What becomes of an invocation whose worker was lost while dbt ran."""

    FAIL = "fail"
    REQUEUE = "requeue"


class SubmitInvocation(BaseModel):
    """Body of POST /api/v1/invocations. The same task_id with the same body is the same invocation.

    What is given apart (`target` to `exclude`) becomes dbt's option of that name; naming it in `command` too is 422.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "task_id": "nightly-2026-01-31",
                    "project": "harbour",
                    "command": ["build"],
                    "select": ["tag:nightly"],
                },
                {"project": "harbour", "command": ["run", "--select", "berth_use+"], "target": "prod", "threads": 4},
            ]
        },
    )

    task_id: TaskId | None = Field(default=None, description="The invocation's id and idempotency key; made if absent.")
    project: ProjectName = Field(description="Name of a registered project.")
    command: list[Word] = Field(min_length=1, max_length=20_000, description="dbt's words, without the leading `dbt`.")
    environment: ShortText | None = Field(
        default=None, description="Name of the dbt environment that runs it; the project's own when absent."
    )
    target: TargetName | None = Field(default=None, description="`--target`; the profile's own when absent.")
    vars: JsonObject = Field(default_factory=dict, description="`--vars`. Values of secret-looking names are hidden.")
    env: dict[VariableName, Word] = Field(
        default_factory=dict,
        max_length=200,
        description="Environment variables for dbt. The server's CLIENT_ENVIRONMENT_ALLOWED says which names it takes.",
    )
    threads: int | None = Field(default=None, strict=True, ge=1, le=256, description="`--threads`.")
    full_refresh: bool = Field(default=False, strict=True, description="`--full-refresh`.")
    select: list[Selector] = Field(default_factory=list, max_length=5000, description="`--select`.")
    exclude: list[Selector] = Field(default_factory=list, max_length=5000, description="`--exclude`.")
    defer_to: Identifier | None = Field(
        default=None, description="A target whose newest good manifest stands in for parents not built: dbt's --defer."
    )
    timeout_seconds: int | None = Field(
        default=None,
        strict=True,
        ge=10,
        le=30 * DAY_SECONDS,
        validation_alias=AliasChoices("timeout_seconds", "timeout_s"),
        description="dbt is stopped after so long; no limit when absent. Also taken as `timeout_s`.",
    )
    queue: Literal["invocations"] = Field(default="invocations", description="There is one queue.")
    priority: int = Field(default=100, strict=True, ge=1, le=1000, description="The lower number runs first.")
    on_lost: OnLost = Field(default=OnLost.FAIL, description="`requeue`: run dbt again when its worker was lost.")
    max_attempts: int = Field(
        default=3, strict=True, ge=1, le=10, description="Attempts in all with `on_lost: requeue`."
    )
    tags: dict[ShortText, ShortText] = Field(default_factory=dict, max_length=50, description="Shown as they are.")
    metadata: JsonObject = Field(default_factory=dict, max_length=50, description="The same, of any JSON.")
    callback_url: ShortText | None = Field(
        default=None, description="Gets a signed POST at the start and at the end, if the server allows its host."
    )
    requested_by: ShortText | None = Field(default=None, description="The person behind the request.")
    source: InvocationSource = Field(default_factory=InvocationSource, description="Where the request comes from.")


class Artifact(BaseModel):
    """One file that an invocation left."""

    name: str = Field(description="Path below the invocation's artifacts, e.g. run_results.json or compiled/….sql.")
    bytes: int = Field(description="Its size.")
    media_type: str | None = Field(default=None, description="Its content type, by its name.")
    sha256: str | None = Field(default=None, description="Checksum in hex; told by the list of artifacts only.")


class LogSize(BaseModel):
    """How much log there is so far."""

    bytes: int = Field(default=0, description="Size of the newest attempt's log so far.")
    lines: int | None = Field(default=None, description="Lines so far; not told in lists.")
    complete: bool = Field(default=False, description="True when no byte will be added any more.")
    url: str | None = Field(default=None, description="Path of the log on this server.")


class Invocation(BaseModel):
    """One dbt command on the dbt API."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "task_id": "nightly-31",
                    "project": "harbour",
                    "state": "FAILURE",
                    "phase": "done",
                    "status": 20,
                    "outcome": "model_error",
                    "command": ["build", "--select", "tag:nightly"],
                    "command_display": "dbt build --select tag:nightly",
                    "concurrency_key": "harbour/dev",
                    "attempt": 1,
                    "created_at": "2026-01-31T02:00:00Z",
                    "started_at": "2026-01-31T02:00:01Z",
                    "finished_at": "2026-01-31T02:03:31Z",
                    "queued_ms": 1000,
                    "duration_ms": 210000,
                    "exit_code": 1,
                    "exc_type": "DbtModelError",
                    "exc_message": "model.harbour.berth_use: column not found",
                    "can_retry": True,
                }
            ]
        }
    )

    task_id: str = Field(description="Its id, and the idempotency key that it was submitted with.")
    project: str = Field(description="The project that it runs.")
    state: InvocationState = Field(description="PENDING, STARTED, then SUCCESS, FAILURE or ABORTED for ever.")
    phase: Phase | None = Field(default=None, description="What it is doing now; read from dbt's log while it runs.")
    status: int | None = Field(
        default=None,
        description="dbt Cloud's number: 1 queued, 2 starting, 3 running, 10 success, 20 error, 30 cancelled.",
    )
    outcome: Outcome | None = Field(default=None, description="Why it ended as it did; null before.")
    command: list[str] = Field(description="dbt's words, secret values hidden.")
    command_display: str = Field(default="", description="The command as a shell would take it.")
    target: str | None = Field(default=None, description="The target asked for; null for the profile's own.")
    defer_to: str | None = Field(default=None, description="The target that stands in for parents not built.")
    requested_by: str | None = Field(default=None, description="The login, or whom an admin's login named.")
    source: InvocationSource = Field(
        default_factory=InvocationSource, description="Where the request came from, as the client told."
    )
    tags: dict[str, str] = Field(default_factory=dict, description="As submitted.")
    metadata: dict[str, JsonValue] = Field(default_factory=dict, description="As submitted.")
    priority: int = Field(default=100, description="The lower number runs first.")
    queue: str = Field(default="invocations", description="Name of the queue.")
    concurrency_key: str = Field(default="", description="`project/target`: one of a key runs at a time.")
    attempt: int = Field(default=0, description="Times that dbt was started; 0 before the first.")
    max_attempts: int = Field(default=1, description="Attempts in all should its worker be lost.")
    worker: str | None = Field(default=None, description="Id of the worker that runs or ran it.")
    queue_position: int | None = Field(default=None, description="1 is next; None when not waiting.")
    expected_start_at: datetime | None = Field(
        default=None, description="While it waits: computed from what runs and waits before it, and how long such took."
    )
    created_at: datetime = Field(description="When it was submitted, UTC.")
    started_at: datetime | None = Field(default=None, description="When it left the queue for the first time.")
    finished_at: datetime | None = Field(default=None, description="When it came into its final state, UTC.")
    queued_ms: int | None = Field(default=None, description="Milliseconds in the queue (so far).")
    duration_ms: int | None = Field(default=None, description="Milliseconds from start to end (so far); null before.")
    eta_ms: int | None = Field(
        default=None,
        description="Milliseconds it is likely to run: the median of its project's successes with this command.",
    )
    exit_code: int | None = Field(default=None, description="dbt's: 0 success, 1 a node failed, 2 it could not do it.")
    signal: int | None = Field(default=None, description="The signal that killed dbt, if one did.")
    peak_rss_kb: int | None = Field(default=None, description="dbt's largest resident memory, in KiB.")
    exc_type: str | None = Field(
        default=None,
        description="The kind of failure, e.g. DbtModelError, DbtUsageError, TimeoutError, OutOfMemory.",
    )
    exc_message: str | None = Field(default=None, description="What failed and why, in dbt's words where it has some.")
    git_sha: str | None = Field(
        default=None, description="The commit of the project's files that ran; null outside of git."
    )
    dbt_version: str | None = Field(default=None, description="The dbt-core that ran, by its own first event.")
    invocation_id: str | None = Field(default=None, description="dbt's own id, as in run_results.json.")
    counts: NodeCounts | None = Field(default=None, description="Null until dbt says how many nodes there are.")
    retry_of: str | None = Field(default=None, description="The invocation that this one retries.")
    retried_by: str | None = Field(default=None, description="The newest retry of this one.")
    can_retry: bool = Field(default=False, description="Whether a retry in mode `failed` would be taken.")
    retry_not_supported_reason: str | None = Field(default=None, description="Why not, if `can_retry` is false.")
    aborted_by: str | None = Field(default=None, description="Who asked for the abort.")

    environment: str = Field(default="default", description="The dbt environment that runs it.")
    engine: Engine | None = Field(default=None, description="How dbt was started; None before it was.")
    engine_reason: str | None = Field(default=None, description="Why it was started cold.")
    log: LogSize = Field(default_factory=LogSize, description="How much log there is.")
    artifacts: list[Artifact] = Field(default_factory=list, description="What it left, once it ended; empty in lists.")
    links: dict[str, str] = Field(default_factory=dict, description="Paths on this server: self, abort, retry, logs, …")


class AbortMode(StrEnum):
    """How an invocation is aborted."""

    GRACEFUL = "graceful"
    NOW = "now"


class AbortRequest(BaseModel):
    """Body of POST /api/v1/invocations/{id}/abort. Asked again, a shorter grace counts from the first time."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Wrong target.", "mode": "graceful"}]})

    reason: ShortText | None = Field(default=None, description="Shown as exc_message.")
    mode: AbortMode = Field(default=AbortMode.GRACEFUL, description="`now` skips the grace: dbt writes no results.")
    grace_seconds: float | None = Field(
        default=None,
        strict=True,
        ge=0,
        le=3600,
        validation_alias=AliasChoices("grace_seconds", "grace_s"),
        description="Between SIGINT and SIGTERM; the server's own when absent. Also taken as `grace_s`.",
    )
    requested_by: ShortText | None = Field(default=None, description="The person behind the request, if not the login.")


class RetryMode(StrEnum):
    """What of an invocation a retry runs."""

    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ALL = "all"


class RetryRequest(BaseModel):
    """Body of POST /api/v1/invocations/{id}/retry."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"mode": "failed"}]})

    mode: RetryMode = Field(
        default=RetryMode.FAILED,
        description="`failed`: all that is unfinished (failed, skipped, interrupted, never started). `interrupted`: "
        "the same without what failed by itself and what was skipped for it. `all`: the whole command once more.",
    )
    task_id: TaskId | None = Field(default=None, description="Id of the new invocation and idempotency key.")
    requested_by: ShortText | None = Field(default=None, description="The person behind the request, if not the login.")


class InvocationPage(BaseModel):
    """One page of invocations."""

    invocations: list[Invocation] = Field(description="In the order asked for.")
    next_cursor: str | None = Field(default=None, description="For the next page; null on the last.")
    total: int | None = Field(default=None, description="All that the filters mean, if `total=true` asked for it.")
