"""The workers of a dbt API: who takes work from the queue."""

from datetime import datetime

from pydantic import BaseModel, Field


class Worker(BaseModel):
    """One worker, as GET /api/v1/workers lists it."""

    id: str = Field(description="Stable over restarts: PILOTHOUSE_DBT_API_WORKER_ID or the host's name.")
    host: str = Field(description="Name of the host that it runs on.")
    version: str = Field(description="The dbt API's version there.")
    slots: int = Field(description="dbt commands at a time.")
    lease_seconds: float = Field(description="Silent for so many seconds, it counts as lost.")
    started_at: datetime = Field(description="When it became a worker, by the database's clock.")
    last_seen_at: datetime = Field(description="Last renewal of its lease, by the database's clock.")
    gone_at: datetime | None = Field(default=None, description="When it ended or was declared lost.")
    is_lost: bool = Field(description="Whether others had to declare it lost.")
    is_alive: bool = Field(description="Whether its lease holds.")
    running: list[str] = Field(description="task_ids of the invocations that it runs.")
