"""The dbt API's two tables. The invocation row, not DBOS, is the authority for an invocation's state."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, DateTime, Enum, TypeDecorator
from sqlmodel import Field, SQLModel

from contracts.dbt_api import Engine, InvocationState, Outcome


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware in Python also where the database forgets the zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


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

    id: int | None = Field(default=None, primary_key=True)
    task_id: str = Field(unique=True, max_length=200)
    project: str = Field(index=True)
    command: list[str] = Field(sa_column=Column(JSON, nullable=False))
    body_hash: str
    concurrency_key: str = Field(index=True)
    target: str | None = None
    timeout_seconds: int | None = None
    priority: int
    requested_by: str | None = None
    source: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    state: InvocationState = Field(
        default=InvocationState.PENDING, sa_column=Column(text_of(InvocationState), nullable=False, index=True)
    )
    outcome: Outcome | None = Field(default=None, sa_column=Column(text_of(Outcome)))
    attempt: int = 0
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
    environment: str = "default"
    engine: Engine | None = Field(default=None, sa_column=Column(text_of(Engine)))
    engine_reason: str | None = None


class ProjectRow(SQLModel, table=True):
    """One registered dbt project."""

    __tablename__ = "project"

    name: str = Field(primary_key=True)
    source: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    path: str
    environment: str = "default"
    git_sha: str | None = None
    updated_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
