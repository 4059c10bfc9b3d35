"""The dbt API's tables. The invocation row, not DBOS, is the authority for an invocation's state."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Enum, Index, String, TypeDecorator, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from contracts.dbt_api import Engine, InvocationState, LoginKind, Outcome


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware in Python also where the database forgets the zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text_of(enum: type[StrEnum]) -> Enum:
    """A column of the enum's values as plain text, so that a new value needs no migration."""
    return Enum(enum, native_enum=False, length=40, values_callable=lambda each: [member.value for member in each])


class StopReason(StrEnum):
    """Why the server itself ended a dbt process."""

    ABORT = "abort"
    TIMEOUT = "timeout"
    SHUTDOWN = "shutdown"


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


class InvocationRow(SQLModel, table=True):
    """One dbt command. `id` gives the order of submission and is the cursor of lists."""

    __tablename__ = "invocation"
    __table_args__ = (
        Index(
            "one_writer",
            "concurrency_key",
            unique=True,
            sqlite_where=text("state = 'STARTED'"),
            postgresql_where=text("state = 'STARTED'"),
        ),
    )
    """The database itself refuses a second STARTED invocation of a project and target."""

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = Field(unique=True, max_length=200)
    project: str = Field(index=True)
    command: list[str] = Field(sa_column=Column(JSON, nullable=False))
    body_hash: str
    concurrency_key: str = Field(index=True)
    target: str | None = None
    defer_to: str | None = None
    timeout_seconds: int | None = None
    priority: int
    requested_by: str | None = None
    source: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    state: InvocationState = Field(
        default=InvocationState.PENDING, sa_column=Column(text_of(InvocationState), nullable=False, index=True)
    )
    outcome: Outcome | None = Field(default=None, sa_column=Column(text_of(Outcome)))
    attempt: int = 0
    worker: str | None = Field(default=None, max_length=100)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exit_code: int | None = None
    signal: int | None = None
    peak_rss_kb: int | None = None
    exc_type: str | None = None
    exc_message: str | None = None
    git_sha: str | None = None
    dbt_version: str | None = None
    stop_reason: StopReason | None = Field(default=None, sa_column=Column(text_of(StopReason)))
    stop_message: str | None = None
    stop_grace_seconds: float | None = None
    command_display: str = ""
    command_hash: str | None = Field(default=None, max_length=64, index=True)
    env: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    sealed: str | None = None
    tags: dict[str, str] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    client_metadata: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    max_attempts: int = 1
    eta_ms: int | None = None
    invocation_id: str | None = None
    counts: dict[str, int] | None = Field(default=None, sa_column=Column(JSON))
    retry_of: str | None = Field(default=None, max_length=200, index=True)
    aborted_by: str | None = None
    callback_url: str | None = None
    environment: str = "default"
    engine: Engine | None = Field(default=None, sa_column=Column(text_of(Engine)))
    engine_reason: str | None = None


class CallbackRow(SQLModel, table=True):
    """One callback that is still to be delivered; written in the transaction that changes the invocation's state."""

    __tablename__ = "callback"

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = Field(max_length=200, index=True)
    state: InvocationState = Field(sa_column=Column(text_of(InvocationState), nullable=False))
    url: str
    attempt: int = 0
    due_at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)


class ProjectRow(SQLModel, table=True):
    """One registered dbt project."""

    __tablename__ = "project"

    name: str = Field(primary_key=True)
    source: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    path: str
    environment: str = "default"
    git_sha: str | None = None
    fingerprint: str | None = None
    """Changes with any file that dbt reads; tells a sync whether there is something new."""
    bundle: str | None = Field(default=None, max_length=64)
    """SHA-256 of the archive on the shared storage by which all hosts have the files (projects/bundles.py)."""
    bundle_folder: str = "."
    """The dbt project's folder in it."""
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SealingKeyRow(SQLModel, table=True):
    """One row: a known text under the sealing key that all servers and workers of this database must have."""

    __tablename__ = "sealing_key"

    id: int = Field(default=1, primary_key=True)
    sealed: str


class NodeHistoryRow(SQLModel, table=True):
    """What one invocation did to one node. It outlives the invocation's log and goes by age."""

    __tablename__ = "node_history"
    __table_args__ = (
        UniqueConstraint("task_id", "unique_id"),
        Index("ix_node_history_node", "project", "unique_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project: str
    unique_id: str
    task_id: str
    target: str
    status: str
    execute_ms: int | None = None
    rows: int | None = Field(default=None, sa_type=BigInteger)
    finished_at: datetime = Field(sa_type=UtcDateTime, index=True)


class WorkerRow(SQLModel, table=True):
    """One worker, by its stable id. Its lease holds while `last_seen_at` is renewed; times are the database's own."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True, max_length=100)
    incarnation: str = Field(max_length=32)
    """Differs at each start, so that a worker notices when it was replaced."""
    folder: str = Field(max_length=32)
    """Identity of its data folder: with another folder, what an earlier incarnation ran cannot be followed."""
    host: str
    version: str
    slots: int
    lease_seconds: float
    started_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    gone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it said farewell, or was declared lost."""
    is_lost: bool = False


class TokenRow(SQLModel, table=True):
    """One API token. Only the hash of its secret is kept."""

    __tablename__ = "api_token"

    prefix: str = Field(primary_key=True, max_length=40)
    secret_hash: str
    name: str
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    project: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    created_by: str
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditRow(SQLModel, table=True):
    """One mutating call. `id` is the cursor of the list."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    caller: str | None = None
    login: LoginKind | None = Field(default=None, sa_type=String)
    token_prefix: str | None = None
    method: str
    route: str
    resource: str | None = None
    project: str | None = None
    status: int
    address: str
