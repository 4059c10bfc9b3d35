"""What holds a run back in Airflow, and how its load is counted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.airflow import ActiveTask, Capacity, DagLimits, PoolNews
from services.capacity import Waiting, by_executor, by_queue, overall, why_waiting

DAG = "pilothouse__crane"
SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def task(dag: str = "pilothouse__quay", state: str = "running", **more: Any) -> ActiveTask:
    usual = ActiveTask(dag, "r", "dbt", state, None, "default", "default_pool", 1, "host", None)
    return replace(usual, **more)


def capacity(*tasks: ActiveTask, **more: Any) -> Capacity:
    usual = Capacity(
        scheduler_is_healthy=True,
        scheduler_seen_at=SEEN,
        schedulers=1,
        executors=["LocalExecutor", "KubernetesExecutor"],
        parallelism=4,
        pools=[PoolNews("default_pool", 128, 120), PoolNews("endless", -1, -1), PoolNews("small", 2, 0)],
        tasks=[*tasks],
        tasks_in_all=len(tasks),
        dags=[DagLimits(DAG, is_paused=False, max_active_runs=4)],
    )
    return replace(usual, **more)


def said(known: Capacity, task_state: str | None = "scheduled", **more: Any) -> str | None:
    return why_waiting(Waiting(DAG, task_state, **more), known)


def test_where_nothing_holds_it_back_nothing_is_said() -> None:
    assert said(capacity(), "none") is None
    assert said(capacity()) is None
    assert said(capacity(), None, pool="endless") is None, "a pool without a limit is never full"


def test_a_scheduler_that_is_dead_explains_everything() -> None:
    away = capacity(scheduler_is_healthy=False)
    assert said(away, "none") == said(away, "queued")
    assert "no sign of life since 2026-01-02 03:04:05 UTC" in (said(away) or "")
    assert overall(away)[0] == "down"


def test_a_queued_run_waits_for_its_dag() -> None:
    assert "4 are active, and its DAG allows 4" in (said(capacity(), "none", active_runs=4) or "")
    assert said(capacity(), "none", active_runs=3) is None
    paused = capacity(dags=[DagLimits(DAG, is_paused=True, max_active_runs=4)])
    assert "paused in Airflow" in (said(paused, "none") or "")


def test_a_full_pool_says_who_holds_it() -> None:
    held = [task("pilothouse__quay", pool="small"), task("other_dag", pool="small", state="queued")]
    assert (
        said(capacity(*held), pool="small")
        == "Waits for a slot of pool 'small': all 2 are used, by quay and other_dag."
    )
    assert "it has none" in (said(capacity(pools=[PoolNews("shut", 0, 0)]), pool="shut") or "")
    assert "no pool 'missing'" in (said(capacity(), pool="missing") or "")


def test_parallelism_is_all_schedulers_together() -> None:
    busy = capacity(*[task() for _ in range(4)])
    assert "4 tasks run or are about to, and its parallelism allows 4." in (said(busy) or "")
    assert said(replace(busy, schedulers=2)) is None
    assert said(replace(busy, parallelism=None)) is None, "not known is not full"
    assert said(capacity(*[task(state="deferred") for _ in range(9)])) is None, "a deferred task takes no place"


@pytest.mark.parametrize(
    ("executor", "words"),
    [
        (None, "free Airflow worker"),
        ("KubernetesExecutor", "worker pod"),
        ("CeleryExecutor", "worker of queue 'big': 1 waiting there, 1 running"),
    ],
)
def test_a_queued_task_waits_for_what_its_executor_needs(executor: str | None, words: str) -> None:
    there = [task(executor="CeleryExecutor", queue="big", state=state) for state in ("running", "queued")]
    assert words in (said(capacity(*there), "queued", executor=executor, queue="big") or "")


def test_a_retry_is_told() -> None:
    assert "try again" in (said(capacity(), "up_for_retry") or "")


def test_the_whole_is_free_full_or_down() -> None:
    assert overall(capacity())[0] == "free"
    assert overall(capacity(*[task() for _ in range(4)]))[0] == "full"
    waits = PoolNews("small", 2, 0, scheduled=3)
    assert overall(capacity(pools=[waits])) == ("full", "Tasks wait for a slot of pool small.")


def test_load_is_counted_by_executor_and_by_queue() -> None:
    known = capacity(
        task(),
        task(executor="KubernetesExecutor", queue="big", hostname="pod-1"),
        task(executor="KubernetesExecutor", queue="big", hostname="pod-2"),
        task(executor="KubernetesExecutor", queue="big", state="queued", hostname=None),
        task(state="scheduled"),
    )
    assert [(load.executor, load.running, load.queued) for load in by_executor(known)] == [
        ("LocalExecutor", 1, 0),
        ("KubernetesExecutor", 2, 1),
    ]
    assert [(load.queue, load.executor, load.workers) for load in by_queue(known)] == [
        ("big", "KubernetesExecutor", ["pod-1", "pod-2"]),
        ("default", "LocalExecutor", ["host"]),
    ]
