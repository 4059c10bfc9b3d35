"""Active tasks counted by executor and by queue. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.airflow import OCCUPYING, ActiveTask, Capacity


@dataclass(frozen=True)
class Load:
    """What one executor, or one queue of an executor, has to do."""

    executor: str
    queue: str
    running: int
    queued: int
    workers: list[str]
    """Hosts of running tasks; with the KubernetesExecutor each is a worker pod."""


def by_executor(capacity: Capacity) -> list[Load]:
    """Every executor that is known, the default first, also when it has nothing to do."""
    names = dict.fromkeys([*capacity.executors, *(_executor(capacity, task) for task in capacity.tasks)])
    return [_load(name, "", [task for task in capacity.tasks if _executor(capacity, task) == name]) for name in names]


def by_queue(capacity: Capacity) -> list[Load]:
    """Every queue in which a task runs or waits for a worker."""
    held = [task for task in capacity.tasks if task.state in OCCUPYING]
    places = sorted({(_executor(capacity, task), _queue(task)) for task in held})
    return [
        _load(*place, [task for task in held if (_executor(capacity, task), _queue(task)) == place]) for place in places
    ]


def _load(executor: str, queue: str, tasks: Sequence[ActiveTask]) -> Load:
    return Load(
        executor=executor,
        queue=queue,
        running=_count(tasks, ("running", "restarting")),
        queued=_count(tasks, ("queued",)),
        workers=sorted({task.hostname for task in tasks if task.hostname and task.state == "running"}),
    )


def _count(tasks: Iterable[ActiveTask], states: tuple[str, ...]) -> int:
    return sum(task.state in states for task in tasks)


def _executor(capacity: Capacity, task: ActiveTask) -> str:
    return capacity.executor_of(task.executor) or "default executor"


def _queue(task: ActiveTask) -> str:
    return task.queue or "default"
