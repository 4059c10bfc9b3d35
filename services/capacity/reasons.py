"""What holds a run back in Airflow, in a sentence. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from contracts.executors import KUBERNETES_EXECUTOR
from contracts.names import project_name_of
from services.airflow import OCCUPYING, Capacity, PoolNews

_MOST_HOLDERS = 3


@dataclass(frozen=True)
class Waiting:
    """A run that has not begun, or the task of one."""

    dag_id: str
    task_state: str | None
    """Airflow's word for its task, or "none" while the run itself is queued; None: not scheduled yet."""
    pool: str = "default_pool"
    queue: str | None = None
    executor: str | None = None
    active_runs: int = 0
    """Other runs of its DAG that are under way."""


def why_waiting(waiting: Waiting, capacity: Capacity) -> str | None:
    """Why Airflow has not started a run; None when nothing that is known holds it back."""
    return _dead_scheduler(capacity) or _BY_STATE.get(waiting.task_state or "scheduled", _nothing)(waiting, capacity)


def overall(capacity: Capacity) -> tuple[Literal["free", "full", "down"], str]:
    """The state of the whole, and a sentence."""
    if dead := _dead_scheduler(capacity):
        return "down", dead
    if full := _full_places(capacity):
        return "full", full
    pools = [pool.name for pool in capacity.pools if pool.is_full and pool.scheduled]
    if pools:
        return "full", f"Tasks wait for a slot of {_listed([f'pool {name}' for name in pools])}."
    waiting = sum(task.state in ("scheduled", "queued") for task in capacity.tasks)
    return "free", "Airflow has room." if not waiting else f"Airflow has room; {waiting} tasks are about to start."


def _dead_scheduler(capacity: Capacity) -> str | None:
    if capacity.scheduler_is_healthy:
        return None
    seen = capacity.scheduler_seen_at
    since = f"since {seen:%Y-%m-%d %H:%M:%S} UTC" if seen else "ever"
    return f"Airflow's scheduler has given no sign of life {since}: nothing starts until it runs again."


def _queued_run(waiting: Waiting, capacity: Capacity) -> str | None:
    limits = next((dag for dag in capacity.dags if dag.dag_id == waiting.dag_id), None)
    if limits and limits.is_paused:
        return "Its DAG is paused in Airflow: resume the project to let the run start."
    if limits and limits.max_active_runs and waiting.active_runs >= limits.max_active_runs:
        return (
            f"Waits for an earlier run of this project to end: {waiting.active_runs} are active, "
            f"and its DAG allows {limits.max_active_runs} (max_active_runs)."
        )
    return None


def _scheduled_task(waiting: Waiting, capacity: Capacity) -> str | None:
    pool = next((pool for pool in capacity.pools if pool.name == waiting.pool), None)
    if pool is None:
        return f"Airflow has no pool '{waiting.pool}': create it there, or choose another pool for the project."
    if pool.is_full:
        return f"Waits for a slot of pool '{pool.name}': {_in_all(pool)}{_held_by(pool, capacity)}."
    return _full_places(capacity)


def _in_all(pool: PoolNews) -> str:
    if pool.slots == 0:
        return "it has none"
    return "its one slot is used" if pool.slots == 1 else f"all {pool.slots} are used"


def _held_by(pool: PoolNews, capacity: Capacity) -> str:
    holders = Counter(
        project_name_of(task.dag_id) or task.dag_id
        for task in capacity.tasks
        if task.pool == pool.name and task.state in OCCUPYING
    )
    names = [f"{name} ({number} tasks)" if number > 1 else name for name, number in holders.most_common(_MOST_HOLDERS)]
    more = [f"{len(holders) - _MOST_HOLDERS} others"] if len(holders) > _MOST_HOLDERS else []
    return f", by {_listed([*names, *more])}" if names else ""


def _full_places(capacity: Capacity) -> str | None:
    if capacity.places is None or capacity.occupied < capacity.places:
        return None
    schedulers = f" for {capacity.schedulers} schedulers" if (capacity.schedulers or 1) > 1 else ""
    return (
        f"Airflow is full: {capacity.occupied} tasks run or are about to, "
        f"and its parallelism allows {capacity.places}{schedulers}."
    )


def _queued_task(waiting: Waiting, capacity: Capacity) -> str | None:
    executor = capacity.executor_of(waiting.executor) or ""
    alike = [task for task in capacity.tasks if capacity.executor_of(task.executor) == capacity.executor_of(executor)]
    running = sum(task.state == "running" for task in alike)
    if executor.endswith(KUBERNETES_EXECUTOR):
        pods = "no other runs" if not running else f"{running} others run"
        return f"Waits for its worker pod, which Airflow has asked its cluster for ({pods})."
    if executor.endswith("CeleryExecutor"):
        queue = waiting.queue or "default"
        there = [task for task in alike if (task.queue or "default") == queue]
        waits, runs = (sum(task.state == state for task in there) for state in ("queued", "running"))
        return (
            f"Waits for a worker of queue '{queue}': {waits} waiting there, {runs} running. "
            "Check that a worker listens to this queue."
        )
    return "Waits for a free Airflow worker."


def _retried(waiting: Waiting, capacity: Capacity) -> str | None:  # noqa: ARG001
    return "The last try failed; Airflow will try again."


def _nothing(waiting: Waiting, capacity: Capacity) -> str | None:  # noqa: ARG001
    return None


_BY_STATE = {
    "none": _queued_run,
    "scheduled": _scheduled_task,
    "queued": _queued_task,
    "up_for_retry": _retried,
}


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
