"""What Airflow tells us, as plain values: no type of Airflow's client leaves this package. All times are UTC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class AirflowHealth:
    """Whether Airflow can run anything; `problems` is empty when it can."""

    version: str
    scheduler_is_healthy: bool
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
    """-1: without a limit."""
    open_slots: int
    description: str = ""
    running: int = 0
    queued: int = 0
    scheduled: int = 0
    """Slots that tasks would take which are due and wait."""
    deferred: int = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may start in it."""
        return self.slots >= 0 and self.open_slots <= 0


@dataclass(frozen=True)
class ActiveTask:
    """A task instance that runs, or waits to."""

    dag_id: str
    dag_run_id: str
    task_id: str
    state: str
    """scheduled, queued, running, restarting, deferred."""
    executor: str | None
    """None: Airflow's default."""
    queue: str | None
    pool: str
    pool_slots: int
    hostname: str | None
    """Where it runs; with the KubernetesExecutor the worker pod's name."""
    since: datetime | None


@dataclass(frozen=True)
class DagLimits:
    """What holds back the runs of one DAG."""

    dag_id: str
    is_paused: bool
    max_active_runs: int | None


@dataclass(frozen=True)
class Capacity:
    """How much of Airflow is in use, and by what."""

    scheduler_is_healthy: bool
    scheduler_seen_at: datetime | None
    schedulers: int | None
    """How many are alive; None: the console's user may not ask."""
    executors: list[str]
    """Names, the default first; empty while the DAG factory has not told."""
    parallelism: int | None
    """Most tasks for each scheduler."""
    pools: list[PoolNews]
    tasks: list[ActiveTask]
    tasks_in_all: int
    """More than `tasks` when there are too many to list."""
    dags: list[DagLimits]

    @property
    def places(self) -> int | None:
        """Most tasks that may run or be queued at a time, all schedulers together."""
        return None if self.parallelism is None else self.parallelism * max(1, self.schedulers or 1)

    @property
    def occupied(self) -> int:
        """How many tasks an executor has: they run, or wait in it."""
        return sum(task.state in OCCUPYING for task in self.tasks)

    def executor_of(self, task_executor: str | None) -> str | None:
        """The executor of a task that names one or none."""
        return task_executor or (self.executors[0] if self.executors else None)


OCCUPYING = ("queued", "running", "restarting")
"""States in which a task takes a place of an executor."""
