"""What Airflow tells us, as plain values: no type of Airflow's client leaves this package. All times are UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class AirflowHealth:
    """Whether Airflow can run anything; `problems` is empty when it can."""

    version: str
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DagRunNews:
    """One DAG run. `state` is one of queued, running, success, failed."""

    dag_id: str
    dag_run_id: str
    state: str
    run_type: str
    """manual, scheduled, backfill, …"""
    conf: dict[str, Any]
    triggered_by: str | None
    """Who asked for it: a user's name where Airflow knows one, else the door (timetable, rest_api, ui, cli, …)."""
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime | None
    """The latest moment that the answer names: Airflow filters by its own `updated_at` but doesn't show it."""
    note: str | None = None


@dataclass(frozen=True)
class TaskNews:
    """One try of a task. `state` is Airflow's word, or None while nothing was decided."""

    state: str | None
    try_number: int
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    hostname: str | None


@dataclass(frozen=True)
class TaskLogChunk:
    """New lines of a task log; pass `token` to the next call. No token and complete: that try has ended."""

    lines: list[str]
    token: str | None
    complete: bool


@dataclass(frozen=True)
class PoolNews:
    """An Airflow pool and how much of it is free."""

    name: str
    slots: int
    open_slots: int
    description: str = ""
