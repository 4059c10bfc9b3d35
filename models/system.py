"""What the collector last heard from each outside system, so that pages can say how old their knowledge is."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from models.types import UtcDateTime, now


class SystemHealth(SQLModel, table=True):
    """The last answer, and the last good answer, of one outside system."""

    system: str = Field(primary_key=True)
    """`airflow`, `dbt-api`, or `collector` (its own heartbeat)."""
    reachable: bool
    message: str = ""
    version: str | None = None
    scheduler_is_healthy: bool | None = None
    """Airflow's own, as its last answer told it; None while Airflow is away, and for every other system."""
    checked_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    last_good_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class AirflowCapacity(SQLModel, table=True):
    """How much of Airflow was in use when it was last asked: a single row."""

    __tablename__ = "airflow_capacity"

    id: int = Field(primary_key=True)
    snapshot: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """A services.airflow.Capacity, dumped."""
    taken_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
