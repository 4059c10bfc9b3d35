"""The sentence that the collector puts to a waiting run, from its store and Airflow's capacity."""

from datetime import timedelta

from contracts.operators import OperatorName
from models.project import Project
from models.run import Run
from models.run_state import RunState
from models.types import now
from services.airflow import Capacity, PoolNews
from services.collector.waiting import why_waiting
from services.database import session
from tests.unit.services.capacity.test_reasons import capacity, task

FREE = capacity()


def project(**values: object) -> None:
    made = Project(name="crane", owner="ann", created_by="ann", source={"kind": "folder"})
    with session() as opened:
        opened.add(made.sqlmodel_update(values))


def run(state: RunState = RunState.QUEUED, *, seconds_ago: float = 0) -> Run:
    made = Run(
        project="crane",
        dag_id="pilothouse__crane",
        dag_run_id=f"{state}{now()}",
        operator=OperatorName.DBT_API,
        command="build",
        state=state,
        created_at=now() - timedelta(seconds=seconds_ago),
    )
    with session() as opened:
        opened.add(made)
    return made


def said(waiting: Run, known: Capacity | None = FREE, task_state: str | None = None) -> str | None:
    with session() as opened:
        return why_waiting(opened, waiting, task_state, known)


def test_runs_of_the_project_that_are_under_way_count_and_others_do_not() -> None:
    project()
    for state in (RunState.RUNNING, RunState.RUNNING, RunState.STARTING, RunState.SUCCEEDED):
        run(state)
    assert said(run()) is None
    run(RunState.RUNNING)
    assert "4 are active, and its DAG allows 4" in (said(run()) or "")


def test_the_projects_own_pool_queue_and_executor_are_looked_at() -> None:
    project(pool="small", queue="big", executor="CeleryExecutor")
    full = capacity(task(pool="small"), pools=[PoolNews("small", 1, 0)])
    assert "slot of pool 'small'" in (said(run(RunState.STARTING), full, "scheduled") or "")
    assert "worker of queue 'big'" in (said(run(RunState.STARTING), FREE, "queued") or "")


def test_a_paused_project_is_said_even_where_nothing_is_known_of_airflow() -> None:
    project(paused=True)
    assert "is paused" in (said(run(), None) or "")
    assert said(run(RunState.STARTING), None) is None


def test_a_run_that_nothing_holds_back_waits_for_the_scheduler_after_a_while() -> None:
    assert said(run()) is None
    assert "scheduler has not come to this run" in (said(run(seconds_ago=60)) or "")
