"""What the collector last heard from each outside system, so that pages can say how old their knowledge is."""

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from models.types import UtcDateTime, now


class SystemHealth(SQLModel, table=True):
    """The last answer, and the last good answer, of one outside system."""

    system: str = Field(primary_key=True)
    """`airflow`, `dbt-api`, or `collector` (its own heartbeat)."""
    reachable: bool
    message: str = ""
    version: str | None = None
    checked_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
    last_good_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
